"""What the documentation reads from the source: the judgements on a gate, and the ids of the checks' rules."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from flagstone.artifacts.rules.requirements import REQUIREMENTS
from flagstone.gates.judge import State

CODE = Path(__file__).resolve().parents[2] / "src" / "flagstone"
RULE = re.compile(r"[a-z]+(?:-[a-z]+)+\Z")
SAYS = ("passed_check", "failed_check", "skipped_check")


def judgements() -> Iterator[tuple[State, str]]:
    """The states and reasons of every Verdict(…) that judge.py can return, read from its source."""
    for function in ast.walk(ast.parse((CODE / "gates" / "judge.py").read_text())):
        if not isinstance(function, ast.FunctionDef):
            continue
        known: dict[str, ast.expr] = {}
        for node in sorted((n for n in ast.walk(function) if hasattr(n, "lineno")), key=lambda n: n.lineno):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                known[node.targets[0].id] = node.value
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Verdict":
                yield from ((state, text_of(node.args[2], known)) for state in states_in(node.args[1]))


def states_in(node: ast.expr) -> Iterable[State]:
    return [State[n.attr] for n in ast.walk(node) if isinstance(n, ast.Attribute) and n.attr in State.__members__]


def text_of(node: ast.expr, known: Mapping[str, ast.expr]) -> str:
    """A string of the source as a person reads it, with ⟨…⟩ where something is filled in."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.Name) and node.id in known:
        return text_of(known[node.id], known)
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part, known) for part in node.values)
    if isinstance(node, ast.BinOp):
        return text_of(node.left, known) + text_of(node.right, known)
    source = ast.unparse(node.value if isinstance(node, ast.FormattedValue) else node)
    if source == "name":
        return text_of(known[source], known)
    filled = {"stage.nr": "03", "files.stage.nr": "03", "early": ""}
    return filled.get(source, "⟨which file⟩" if source == "late" else "⟨what changed⟩")


def rule_ids() -> set[str]:
    """The ids in the source of the checks: hyphenated words that are no requirement's name, and what findings name."""
    found: set[str] = set()
    of_campaigns = [CODE / "trials" / "campaign" / f"{name}.py" for name in ("setup_checks",)]
    for path in [*sorted((CODE / "artifacts").rglob("*.py")), *sorted((CODE / "drafting").glob("*.py")), *of_campaigns]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and RULE.match(str(node.value)):
                found.add(str(node.value))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SAYS:
                found.update(str(word.value) for word in node.args[:1] if isinstance(word, ast.Constant))
    for path in [
        *(CODE / "paper").rglob("*.py"),
        *(CODE / "bundle").glob("*.py"),
    ]:  # there, each rule is a constant whose name ends in RULE
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).endswith("RULE"):
                found.add(str(ast.literal_eval(node.value)))
    families = {f"{kind}-{what}" for kind in ("data", "results", "figures") for what in ("present", "fresh")}
    return (found | families) - set(REQUIREMENTS) - {"set-aside"}
