"""Check one attempt of one stage: the summary, what it must leave, and what it must not touch."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from flagstone.artifacts.rules import (
    Inspection,
    RuleCheck,
    StageCheck,
    citation_request_checks,
    contract_problems,
    failed_check,
    named_file_checks,
    passed_check,
    plan_checks,
    planned_run_checks,
    read_summary,
    requirement,
    workspace_checks,
)
from flagstone.text import escaped_text, list_text

MOST_FAULTS = 40  # of one rule


def check_stage(request: StageCheck, of_paper: Sequence[RuleCheck] = ()) -> tuple[RuleCheck, ...]:
    """Every rule that applies, in a fixed order, each rule's id at most once. `of_paper` is what its build found."""
    rules = [requirement(name) for name in request.requires]
    inspection = Inspection(request)
    checks = list(draft_checks(request))
    checks.append(untouched_check(inspection))
    checks.extend(workspace_checks(request.run))
    checks.extend(plan_checks(request.run, makes_ideas=request.makes_ideas))
    checks.extend(named_file_checks(inspection, request.leaves))
    checks.extend(planned_run_checks(inspection))
    checks.extend(citation_request_checks(inspection))
    for rule in rules:
        checks.extend(rule(inspection))
    checks.extend(of_paper)
    return worst_of_each(checks)


def draft_checks(request: StageCheck) -> Iterator[RuleCheck]:
    """That this attempt wrote a summary at all, and that it follows the contract."""
    path = request.draft_text_path
    text, problems = read_summary(path) if os.path.lexists(path) else ("", ())
    if not problems and not text.strip("\ufeff \t\r\n"):
        yield failed_check("draft-written", f"write the summary to {draft_name(request)}: this attempt left no summary")
        return
    yield passed_check("draft-written", f"the attempt wrote {draft_name(request)}")
    problems = problems or contract_problems(text, request.stage_nr, request.stage_title, request.run.root)
    if problems:
        yield from problems
    else:
        yield passed_check("summary-contract", "the summary follows the contract")


def draft_name(request: StageCheck) -> str:
    """The draft's path as an agent knows it."""
    path, root = os.path.abspath(request.draft_text_path), os.path.abspath(request.run.root)
    return escaped_text(os.path.relpath(path, root) if path.startswith(root + os.sep) else path)


def untouched_check(inspection: Inspection) -> RuleCheck:
    """That no file changed which was approved in another stage."""
    rule, protected = "approved-files-untouched", inspection.request.turn.protected
    touched = []
    for path, digest in sorted(protected.items()):
        now = inspection.digest(path)
        if now != digest:
            touched.append(f"{escaped_text(path, 120)} ({'changed' if now else 'gone'})")
    if touched:
        advice = "restore what other stages left (it is approved as it was) and write new files beside it"
        return failed_check(rule, f"{advice}: {list_text(touched)}")
    return passed_check(rule, "nothing that other stages had approved was changed")


def worst_of_each(checks: list[RuleCheck]) -> tuple[RuleCheck, ...]:
    """One answer for each rule. Two requirements may share rules, and no failure may be hidden."""
    found: dict[str, RuleCheck] = {check.rule: check for check in reversed(checks)}
    for rule in found:
        failures = [check.message for check in checks if check.rule == rule and check.status == "failed"]
        if failures:
            found[rule] = failed_check(rule, list_text(list(dict.fromkeys(failures)), MOST_FAULTS))
    return tuple(found[rule] for rule in dict.fromkeys(check.rule for check in checks))
