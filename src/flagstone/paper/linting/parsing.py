"""LaTeX as a tree. Only the macros of the rules are known, and nothing is forgiven."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flagstone.paper.linting.rules import LintRules
from flagstone.paper.linting.shape import Slot

if TYPE_CHECKING:
    from pylatexenc.macrospec import LatexContextDb, MacroStandardArgsParser

IN_MATH = {"math": True, "text": False, "heading": False, "caption": False}


def parse_latex(tex: str, rules: LintRules) -> tuple[list[Any], int, str]:
    """The nodes of a source, and where and why it cannot be parsed (an empty reason if it can)."""
    from pylatexenc.latexwalker import LatexWalker, LatexWalkerParseError  # here, not above: it takes long to load

    try:
        return nodes_of(LatexWalker(tex, latex_context=known_latex(rules), tolerant_parsing=False)), 0, ""
    except LatexWalkerParseError as error:
        at, why = error.pos or 0, str(error.msg)
    except RecursionError:
        return [], 0, "it is nested too deeply"
    try:  # whatever else is wrong is said at the same time
        return nodes_of(LatexWalker(tex, latex_context=known_latex(rules), tolerant_parsing=True)), at, why
    except (LatexWalkerParseError, RecursionError):
        return [], at, why


def nodes_of(walker: Any) -> list[Any]:
    nodes, _, _ = walker.get_latex_nodes()
    return list(nodes)


@lru_cache(maxsize=4)
def known_latex(rules: LintRules) -> LatexContextDb:
    from pylatexenc.macrospec import EnvironmentSpec, LatexContextDb, MacroSpec, SpecialsSpec

    context = LatexContextDb()
    context.add_context_category(
        "rules",
        macros=[MacroSpec(name, args_parser=arguments(slots)) for name, slots in rules.macros.items()],
        environments=[
            EnvironmentSpec(name, args_parser=arguments(rule.slots), is_math_mode=rule.holds == "math")
            for name, rule in rules.environments.items()
        ],
        specials=[SpecialsSpec(sign, args_parser=arguments((Slot("{", "math"),))) for sign in "^_"],
    )
    return context


def arguments(slots: tuple[Slot, ...]) -> MacroStandardArgsParser:
    from pylatexenc.macrospec import MacroStandardArgsParser

    modes = [IN_MATH.get(slot.kind) for slot in slots]
    # amsmath takes a [ after a space for text
    is_tight = [slot.kind for slot in slots] == ["", "length"]
    brackets = "".join(slot.bracket for slot in slots)
    return MacroStandardArgsParser(brackets, args_math_mode=modes, optional_arg_no_space=is_tight)
