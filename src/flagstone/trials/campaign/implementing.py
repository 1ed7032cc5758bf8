"""The implementer of an idea: a private tree of the baseline, the edit, and what can be checked without a run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from flagstone.experiments.candidates import Snapshot
from flagstone.experiments.proposers import differing_lines, grant, mutable_files
from flagstone.prompts import RoleParts
from flagstone.records import read_as, write_record
from flagstone.text import count_text, list_text
from flagstone.trials.campaign.asking import Campaign, Question, ask, known_answer, request_of
from flagstone.trials.campaign.roles import IMPLEMENTER
from flagstone.trials.outcomes import CheckResult


@dataclass(frozen=True)
class Implemented:
    """An idea as code: its tree, how many lines it changes, and why it cannot be run, if it cannot."""

    snapshot: Snapshot
    lines: int
    failure: str = ""
    is_repaired: bool = False


def implement(campaign: Campaign, number: int, parts: RoleParts, failed: Sequence[CheckResult] = ()) -> Implemented:
    """The edit of the baseline that the plan asks for, repaired once if a check that needs no run fails.

    With `failed`, the edit that failed these checks in its runs is repaired instead.
    """
    plan, begun = json.loads(parts.plan), campaign.story.ideas.get(f"idea{number}")
    if failed and begun:
        reasons = [each.reason for each in failed if not each.is_passed]
        made = edited_tree(campaign, number, replace(parts, failed="\n".join(reasons)), begun.tree)
        problems = [*problems_of(campaign, made.snapshot, made.lines, plan)]
        if made.snapshot.tree == begun.tree:
            problems.append("the repair changed nothing")
        return replace(made, failure=list_text(problems), is_repaired=True)
    made = edited_tree(campaign, number, parts, campaign.base.tree)
    problems = [*problems_of(campaign, made.snapshot, made.lines, plan)]
    if not problems:
        return made
    made = edited_tree(campaign, number, replace(parts, failed="\n".join(problems)), made.snapshot.tree)
    problems = [*problems_of(campaign, made.snapshot, made.lines, plan)]
    return replace(made, failure=list_text(problems), is_repaired=True)


def edited_tree(campaign: Campaign, number: int, parts: RoleParts, tree: str) -> Implemented:
    """One call of the implementer, which edits this tree, and the tree that it left.

    What it left is written down: half an edit of a call that was cut off is never taken for a whole one.
    """
    subject, draft = campaign.subject, campaign.folder.idea(f"idea{number}") / "draft"
    question = Question(IMPLEMENTER, number, parts, draft)
    folder, request = campaign.role_folder(number, IMPLEMENTER.name), request_of(campaign, question)[1]
    kept = folder / f"tree-{request[:16]}.json"
    taken = read_as(kept, Snapshot)
    if taken is None:
        if known_answer(folder, request) is None:
            subject.lay_out(tree, draft, links=False)
        writable = grant(subject.spec, draft, mutable_files(subject.spec, draft))
        undo = partial(subject.lay_out, tree, draft, links=False)
        ask(campaign, replace(question, writable=writable, undo=undo))
        taken = subject.take(draft, campaign.base, f"idea {number}", number)
        write_record(kept, vars(taken))
    return Implemented(taken, changed_lines(subject.files(campaign.base.tree), subject.files(taken.tree)))


def changed_lines(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> int:
    """How many lines were removed and added."""
    return sum(
        len(gone) + len(come)
        for path in {*before, *after}
        if before.get(path) != after.get(path)
        for gone, come in [differing_lines(lines_of(before.get(path)), lines_of(after.get(path)))]
    )


def lines_of(content: bytes | None) -> list[str]:
    return (content or b"").decode("utf-8", "replace").splitlines()


def problems_of(campaign: Campaign, made: Snapshot, lines: int, plan: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with an edit as far as it can be seen without a run."""
    if made.violations:
        yield f"only the mutable files may change: {list_text(list(made.violations))}"
    if made.tree == campaign.base.tree:
        yield "nothing was changed"
        return
    most = campaign.spec.largest_change
    if lines > most:
        yield f"the edit changes {count_text(lines, 'line')}, and may change {most} at most"
    files = campaign.subject.files(made.tree)
    yield from (problem for path in made.changed for problem in syntax_problems(path, files.get(path)))
    if not has_switch(plan["switch"], files):
        yield f"no file reads the switch {' '.join(plan['switch'])}"


def syntax_problems(path: str, content: bytes | None) -> Iterator[str]:
    if content is None or not path.endswith(".py"):
        return
    try:
        compile(content, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        yield f"{path} is no valid Python: {error}"


def has_switch(switch: Sequence[str], files: Mapping[str, bytes]) -> bool:
    """Whether the name of the switch stands in a file, as it is written on the command line or as a variable."""
    word = switch[0].split("=")[0]
    names = {word, word.lstrip("-"), word.lstrip("-").replace("-", "_")}
    return any(name.encode() in content for name in names if name for content in files.values())
