"""Walks the tree of one file: prints what a macro prints, and notes what it uses."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flagstone.paper.linting.notes import SourceNotes
from flagstone.paper.linting.parsing import parse_latex
from flagstone.paper.linting.place import SourcePlace
from flagstone.paper.linting.printed_text import BREAK, CITATION, FACT, LITERAL, REFERENCE
from flagstone.paper.linting.rules import LintRules
from flagstone.paper.linting.shape import Slot
from flagstone.paper.linting.source import FactUse, FigureUse, LiteralUse, PaperSource, ReferenceUse, TableUse
from flagstone.text import escaped_text

CHAPTERS = ("section",)
NUMBERED = ("equation", "align", "gather", "multline")
ALIGNED = ("align", "aligned", "split")
TOUCHING = re.compile(r"[lcrX}]\s*@\{\}\s*[lcrXpmb*]")  # at the edges of a table it is harmless
NOTHING_PRINTED = f" {BREAK}\u2060"
STACKED = ("overset", "underset")
PRINTS_NUMBER = re.compile(rf"[0-9.,{FACT}{LITERAL}]")
SET_AS = {"_": "index", "^": "math"}
THEOREMS = ("theorem", "lemma", "proposition", "corollary", "definition", "assumption", "remark", "example")
ASK = "write it in another way, or have a person allow it for this run: paper.macros in run.yaml"


@dataclass(frozen=True)
class MacroCall:
    """A macro with what follows it: `words` are not printed, by their kind; `printed` are nodes with their kind."""

    name: str
    position: int
    words: Mapping[str, str]
    printed: Sequence[tuple[Slot, Any]]


def source_of_text(tex: str, start: SourcePlace, rules: LintRules) -> PaperSource:
    """What one text says that starts at a place."""
    notes = SourceNotes(tex, start)
    nodes, at, problem = parse_latex(tex, rules)
    if problem:
        notes.fault(at, start, f"this cannot be parsed: {escaped_text(problem, 100)}; close what is open, in its order")
    SourceWalk(tex, rules, notes).visit_all(nodes, start)
    return notes.source()


class SourceWalk:
    """One pass over the nodes of a file."""

    def __init__(self, tex: str, rules: LintRules, notes: SourceNotes) -> None:
        self.tex, self.rules, self.notes = tex, rules, notes
        self.columns_touch = False  # nothing parts the columns, so two cells read as one
        self.lists = 0  # numbered lists around what is visited; only the first level has numbers

    def visit_all(self, nodes: Sequence[Any], scene: SourcePlace) -> None:
        for node in nodes:
            if node is not None:
                self.visit(node, scene)

    def visit(self, node: Any, scene: SourcePlace) -> None:
        match type(node).__name__:
            case "LatexCharsNode":
                chars = re.sub(r"\s*&\s*", "", node.chars) if self.columns_touch else node.chars
                self.notes.emit(chars.replace("~", "\u00a0"), node.pos, scene)
            case "LatexGroupNode":
                self.visit_all(node.nodelist, scene)
            case "LatexMathNode":
                self.notes.formula += 1
                self.visit_all(node.nodelist, replace(scene, mode="math"))
            case "LatexSpecialsNode":
                self.visit_index(node, scene)
            case "LatexEnvironmentNode":
                self.visit_environment(node, scene)
            case "LatexMacroNode":
                self.visit_macro(node, scene)

    def visit_index(self, node: Any, scene: SourcePlace) -> None:
        sign = node.specials_chars
        if scene.mode == "text":
            self.notes.fault(node.pos, scene, f"{sign} stands outside mathematics; write \\{sign}{{}}, or use $…$")
        self.notes.emit(sign, node.pos, scene)
        first = len(self.notes.pieces)
        inside = replace(scene, mode="index" if "index" in (scene.mode, SET_AS[sign]) else "math")
        self.visit_all(node.nodeargd.argnlist if node.nodeargd else (), inside)
        if not self.notes.printed_since(first).strip(".,·:"):
            self.notes.fault(node.pos, scene, f"nothing but a dot follows {sign}; it would read as a decimal point")
        self.notes.emit(BREAK, node.pos, scene)

    def visit_environment(self, node: Any, scene: SourcePlace) -> None:
        name = node.environmentname
        rule = self.rules.environments.get(name)
        if rule is None:
            self.notes.fault(node.pos, scene, f"a paper cannot hold the environment {escaped_text(name, 40)}; {ASK}")
            self.visit_all(node.nodelist, scene)
            return
        self.notes.emit(BREAK, node.pos, scene)
        call = self.call_of(f"\\begin{{{name}}}", rule.slots, node, scene)
        self.print_all(call, scene)
        self.lists += name == "enumerate"
        self.count(name, node)
        inside = replace(scene, is_in_table=scene.is_in_table or rule.holds == "table")
        if rule.holds == "math":
            self.notes.formula += 1
            inside = replace(inside, mode="math")
        elif name == "abstract":
            self.notes.section = "abstract"
            inside = replace(inside, within="abstract")
        outside, self.columns_touch = self.columns_touch, self.are_columns_touching(name, call)
        self.visit_all(node.nodelist, inside)
        self.columns_touch = outside
        self.lists -= name == "enumerate"
        self.notes.emit(BREAK, node.pos, scene)

    @staticmethod
    def are_columns_touching(name: str, call: MacroCall) -> bool:
        return name.rstrip("*") in ALIGNED or bool(TOUCHING.search(call.words.get("columns", "")))

    def count(self, name: str, node: Any) -> None:
        """Counts what LaTeX will number without a trace in its .aux file."""
        children = [getattr(child, "macroname", "") for child in node.nodelist]
        if name == "enumerate" and self.lists == 1:
            self.notes.items.append(children.count("item"))
        elif name in NUMBERED:
            rows = 1 + children.count("\\") if name in ("align", "gather") else 1
            self.notes.numbered["equation"] += max(0, rows - children.count("nonumber") - children.count("notag"))
        elif name in THEOREMS:
            self.notes.numbered[name] += 1

    def visit_macro(self, node: Any, scene: SourcePlace) -> None:
        name = node.macroname
        slots = self.rules.macros.get(name)
        if slots is None:
            self.notes.fault(node.pos, scene, f"a paper cannot hold \\{escaped_text(name, 40)}; {ASK}")
        elif name in self.rules.signs:
            self.notes.emit(self.rules.signs[name], node.pos, scene)
        else:
            self.visit_call(self.call_of(f"\\{name}", slots, node, scene), scene)

    def call_of(self, name: str, slots: Sequence[Slot], node: Any, scene: SourcePlace) -> MacroCall:
        """What follows a macro. What is not printed has to have the form of its kind."""
        arguments = node.nodeargd.argnlist if node.nodeargd else []
        if len(arguments) < len(slots) and any(slot.bracket == "{" for slot in slots):
            self.notes.fault(node.pos, scene, f"{name} lacks what has to follow it; write it in braces")
        pairs = [pair for pair in zip(slots, arguments, strict=False) if pair[1] is not None]
        words, printed = {}, []
        for slot, argument in pairs:
            if slot.bracket == "*" or slot.is_printed:
                printed += [] if slot.bracket == "*" else [(slot, argument)]
                continue
            words[slot.kind] = text = self.argument_text(argument)
            is_bare = not getattr(argument, "delimiters", None)
            if is_bare or not slot.is_written_well(text):
                said = f"{name} needs {slot.wanted_text}{' in braces' * is_bare}; it has “{escaped_text(text, 60)}”"
                self.notes.fault(argument.pos, scene, said)
        return MacroCall(name.lstrip("\\") or "\\", node.pos, words, printed)

    def argument_text(self, argument: Any) -> str:
        """An argument as it was written, without its braces."""
        text = self.tex[argument.pos : argument.pos + argument.len]
        return text[1:-1].strip() if getattr(argument, "delimiters", ("",))[0] in ("{", "[") else text

    def visit_call(self, call: MacroCall, scene: SourcePlace) -> None:
        place = self.notes.place(call.position, scene)
        words, notes = call.words, self.notes
        match call.name:
            case "val":
                notes.uses.append(FactUse(words.get("fact", ""), place))
                notes.emit(FACT, call.position, scene, words.get("fact", ""))
            case "lit":
                self.visit_literal(call, scene)
            case "claim":
                self.visit_claim(call, scene)
            case "ref" | "eqref" | "cref" | "Cref" | "autoref":
                labels = (words.get("name") or words.get("names", "")).split(",")
                notes.references += [ReferenceUse(label.strip(), place) for label in labels]
                notes.emit(REFERENCE, call.position, scene, call.name)
            case "cite" | "citep" | "citet" | "citealp":
                self.visit_citation(call, scene)
            case "label":
                notes.labels.append(words.get("name", ""))
            case "url":
                notes.links.append(LiteralUse(words.get("link", ""), "address", place))
            case "includegraphics":
                notes.figures.append(FigureUse(words.get("path", ""), place))
            case "input":
                notes.tables.append(
                    TableUse(words.get("table", "").removeprefix("tables/").removesuffix(".tex"), place)
                )
                notes.emit(BREAK, call.position, scene)
            case "footnote":
                notes.numbered["footnote"] += 1
                self.print_apart(call, replace(scene, within="footnote"))
            case "caption":
                self.print_apart(call, replace(scene, within="caption"))
            case _ if any(slot.kind == "heading" for slot, _ in call.printed):
                self.visit_heading(call, scene)
            case _:
                self.print_all(call, scene)

    def visit_heading(self, call: MacroCall, scene: SourcePlace) -> None:
        first = len(self.notes.pieces)
        self.print_apart(call, replace(scene, within="heading"))
        if call.name in CHAPTERS:
            self.notes.section = self.notes.printed_since(first).strip(BREAK)

    def visit_literal(self, call: MacroCall, scene: SourcePlace) -> None:
        """Prints a mark instead of the literal: it is declared, so nothing looks at its digits."""
        place = self.notes.place(call.position, scene)
        text = self.argument_text(call.printed[0][1]) if call.printed else ""
        if len(text) > 30 or set(text) & set("\\{}$^_%~"):
            self.notes.fault(call.position, scene, "\\lit takes at most 30 characters without macros")
        elif not re.search(r"\w", text) or re.search(r"(?i)\b(?:minus|negative|plus)\b", text):
            self.notes.fault(call.position, scene, f"the literal {escaped_text(text, 30)} is a sign, and no constant")
        self.notes.literals.append(LiteralUse(text, call.words.get("reason", ""), place))
        self.notes.emit(LITERAL, call.position, scene, text)

    def visit_claim(self, call: MacroCall, scene: SourcePlace) -> None:
        place, first = self.notes.place(call.position, scene), len(self.notes.pieces)
        name = call.words.get("claim", "")
        if scene.claim:
            self.notes.fault(call.position, scene, f"the claim {name} stands inside the claim {scene.claim}; part them")
        elif scene.within == "heading":
            self.notes.fault(call.position, scene, f"the claim {name} stands in a heading; claim it in the text below")
        self.print_all(call, replace(scene, claim=name or "?"))
        self.notes.claims.append((name, first, len(self.notes.pieces), place))

    def visit_citation(self, call: MacroCall, scene: SourcePlace) -> None:
        place = self.notes.place(call.position, scene)
        for key in call.words.get("names", "").split(","):
            self.notes.cites.append((key.strip(), len(self.notes.pieces), place))
        self.notes.emit(CITATION, call.position, scene)
        self.print_all(call, scene)

    def print_apart(self, call: MacroCall, scene: SourcePlace) -> None:
        """Prints what does not run on in the text around it."""
        self.notes.emit(BREAK, call.position, scene)
        self.print_all(call, replace(scene, mode="text"))
        self.notes.emit(BREAK, call.position, scene)

    def print_all(self, call: MacroCall, scene: SourcePlace) -> None:
        for slot, argument in call.printed:
            if slot.kind == "math":
                inside = scene if scene.mode == "index" else replace(scene, mode="math")
            else:
                inside = replace(scene, mode="text")
            first = len(self.notes.pieces)
            self.visit(argument, inside)
            if len(call.printed) > 1:
                self.refuse_hidden_number(call, slot, first, scene)
                self.notes.emit(BREAK, call.position, scene)

    def refuse_hidden_number(self, call: MacroCall, slot: Slot, first: int, scene: SourcePlace) -> None:
        """An empty half leaves a bar that reads as a minus, and a number under a mark runs on in the text around it."""
        said = self.notes.printed_since(first)
        if slot.kind == "math" and not said.strip(NOTHING_PRINTED):
            self.notes.fault(call.position, scene, f"\\{call.name} has an empty part; write both")
        elif call.name in STACKED and slot is call.printed[-1][0] and PRINTS_NUMBER.search(said):
            self.notes.fault(
                call.position, scene, f"\\{call.name} marks a sign, and no number; take the number out of it"
            )
