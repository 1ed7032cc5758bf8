"""What people are shown of a trial follows from its ledger alone, and says all of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from flagstone import schemas
from flagstone.plans import TrialFolder, TrialSpec, trial_spec_of
from flagstone.records import Ledger
from flagstone.trials.lines import DenialLine, IdeaLine, Line, LookLine, PreregLine, RunLine, VerdictLine
from flagstone.trials.outcomes import (
    CheckResult,
    CompareResult,
    Confirmation,
    IdeaOutcome,
    LookResult,
    Outcome,
    Pair,
    ScreenResult,
)
from flagstone.trials.reporting import derived_files, derived_problems, write_derived
from flagstone.trials.reporting.report import ideas_table
from flagstone.trials.story import read_story, story_of

SCHEMAS = Path(__file__).parents[4] / "schemas"
AT = "2026-01-01T00:00:00Z"
CONTROL = (0.6716, 0.6402, 0.7013, 0.6588)
TREATED = (0.6331, 0.6298, None, 0.6490)


def spec(tmp_path: Path, **more: object) -> TrialSpec:
    value = {
        "question": "Does clipping lower the loss?",
        "subject": {"mutable": ["train.py"]},
        "harness": {"argv": ["python", "train.py"]},
        "metric": {"name": "val_loss", "direction": "min"},
        "minimum_effect": 0.02,
        **more,
    }
    return trial_spec_of("clip", tmp_path, value)


def confirmed() -> Confirmation:
    pairs = tuple(
        Pair(
            f"b{number}",
            x,
            y,
            -0.0111 if y is None else x - y,
            "treated failed" if y is None else "ok",
            seed=1000 + number,
        )
        for number, (x, y) in enumerate(zip(CONTROL, TREATED, strict=True), 1)
    )
    return Confirmation(
        n=4, mean=0.0119, sd=0.02, ci_low=-0.02, ci_high=0.044, bound=-0.01, upper=0.036, p=0.16, alpha_spent=0.015,
        d=0.7, g=0.6, g_low=-0.7, g_high=1.9, d_z=0.6, g_z=None, g_z_low=None, g_z_high=None, sign_flip=0.125,
        welch=0.1, pairs=pairs, wall_control_s=1.5, wall_treated_s=2.5,
    )  # fmt: skip


def told() -> list[Line]:
    screen = ScreenResult("idea1", 3, 0.011, 0.8, is_dropped=False)
    checks = (CheckResult("off", is_passed=True, reason="equal to the last digit"),)
    look = LookResult("idea1", 1, confirmed().pairs, 0.0119, 0.02, 0.16, 0.015, is_accepted=False)
    ideas = (
        IdeaOutcome(
            "idea1", "Shorten | gradients", Outcome.INCONCLUSIVE, "p is .16", checks, screen, (look,), confirmed()
        ),
        IdeaOutcome("idea2", "<b>Bold</b>", Outcome.FAILED_CHECK, "on: nothing changed"),
    )
    return [
        *(RunLine("control", f"a{nr}", "ok", "basis", AT, value=1 + nr / 10, wall_s=2.0) for nr in (1, 2, 3)),
        RunLine("control", "a4", "crash", "basis", AT, wall_s=1.0, reason="exit code 1: KeyError"),
        RunLine("control", "a1r2", "ok", "basis", AT, value=1.1, wall_s=2.0),
        LookLine(1, "baseline", AT, facts={"deterministic": True}),
        PreregLine("d" * 64, 2, 0.025, AT),
        IdeaLine("idea1", "Shorten | gradients", "tree", "commit", AT, switch=("--clip", "1"), lines=7),
        LookLine(2, "checks", AT, "idea1", checks=checks),
        LookLine(3, "screen", AT, "idea1", screen=screen),
        DenialLine("b1 for a screening run", "it is sealed", AT),
        VerdictLine(Outcome.NOTHING_FOUND, ideas, AT, reason="No idea was confirmed."),
    ]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> TrialFolder:
    found = TrialFolder(tmp_path / "trials" / "clip", tmp_path)
    for line in told():
        Ledger(found.ledger).append(line)
    return found


def test_the_story_is_the_same_read_from_the_ledger_and_told(folder: TrialFolder) -> None:
    assert read_story(folder.ledger) == story_of(told())


def test_the_report_names_every_run_idea_check_and_denial(folder: TrialFolder, tmp_path: Path) -> None:
    write_derived(folder, spec(tmp_path))
    report = folder.report.read_text(encoding="utf-8")
    shown = (
        "control | a4 | crash",
        "Shorten \\| gradients",
        "equal to the last digit",
        "treated failed",
        "b1 for a screening run",
    )
    assert [words for words in shown if words not in report] == []
    assert "The rule of three seeds would have published idea1" in report


def test_a_missing_number_is_a_dash_and_never_a_zero(folder: TrialFolder, tmp_path: Path) -> None:
    write_derived(folder, spec(tmp_path))
    assert "| g_z | – | 95 % interval – |" in folder.report.read_text(encoding="utf-8")


def test_what_agents_wrote_cannot_run_in_the_page(folder: TrialFolder, tmp_path: Path) -> None:
    write_derived(folder, spec(tmp_path))
    assert "<b>Bold" not in folder.page.read_text(encoding="utf-8")


def test_the_baseline_is_reported_in_the_form_of_the_document(folder: TrialFolder, tmp_path: Path) -> None:
    write_derived(folder, spec(tmp_path))
    report = folder.baseline.read_text(encoding="utf-8")
    assert "| val_loss | 1.2000 | 0.1000 | 1.1000 | 1.3000 |" in report
    assert "Seeds used: 42, 137, 256, 512" in report and "a4 (crash" in report


def test_one_run_has_no_spread(tmp_path: Path) -> None:
    folder = TrialFolder(tmp_path / "trials" / "one", tmp_path)
    Ledger(folder.ledger).append(told()[0])
    write_derived(folder, spec(tmp_path))
    assert "| val_loss | 1.1000 | – | 1.1000 | 1.1000 |" in folder.baseline.read_text(encoding="utf-8")


def test_the_verdict_is_what_its_schema_says(folder: TrialFolder, tmp_path: Path) -> None:
    write_derived(folder, spec(tmp_path))
    record = json.loads(folder.verdict.read_text(encoding="utf-8"))
    schemas.check(SCHEMAS, "verdict", record, "verdict.json")
    assert record["outcome"] == "NOTHING FOUND"
    assert record["confirm"]["pairs"][2] == {
        "slot": "b3", "control": 0.7013, "treated": None, "e": -0.0111, "status": "treated failed", "seed": 1003,
    }  # fmt: skip


def test_the_same_ledger_gives_the_same_bytes_and_an_edit_is_named(folder: TrialFolder, tmp_path: Path) -> None:
    write_derived(folder, spec(tmp_path))
    assert derived_problems(folder, spec(tmp_path)) == []
    for path in ("verdict.json", "report.md", "forest.csv", "ideas/idea1/pairs.svg"):
        before = (folder.root / path).read_bytes()
        (folder.root / path).write_bytes(before + b" ")
        assert derived_problems(folder, spec(tmp_path)) == [f"{path} is not what the ledger says"]
        (folder.root / path).write_bytes(before)


def test_the_gate_of_the_document_comes_with_its_warning(folder: TrialFolder, tmp_path: Path) -> None:
    write_derived(folder, replace(spec(tmp_path), gate="cohens_d"))
    report = folder.report.read_text(encoding="utf-8")
    assert "accepts 32 % of ideas that do nothing" in report
    assert "no test and no α" in report and "counts as none that matters" not in report and "look 1 at" not in report


def test_the_outcome_of_several_arms_names_those_that_it_is_about(tmp_path: Path) -> None:
    folder = TrialFolder(tmp_path / "trials" / "several", tmp_path)
    ideas = (IdeaOutcome("clip", "clip", Outcome.SUPPORTED, "p"), IdeaOutcome("warm", "warm", Outcome.HARMFUL, "q"))
    Ledger(folder.ledger).append(VerdictLine(Outcome.SUPPORTED, ideas, AT))
    write_derived(folder, spec(tmp_path))
    assert "SUPPORTED: clip.\n" in folder.report.read_text(encoding="utf-8")


def test_an_idea_of_the_gate_cohens_d_shows_its_number_of_runs_and_its_d() -> None:
    compared = CompareResult("idea1", 5, 0.25, 0.75, Outcome.PROCEED, "d 0.75 is at least 0.5")
    (row,) = ideas_table([IdeaOutcome("idea1", "clip", Outcome.PROCEED, compare=compared)]).rows
    assert row == ("idea1", "clip", "PROCEED", "5", "0.25 (no test)", "–", "–", "0.75", "–", "–")


@pytest.mark.parametrize(
    ("ds", "words"),
    [
        ((0.1, 0.5), "would have published b: d = 0.5 on three seeds. Here: NOT SELECTED."),
        ((0.3, 0.7), "b: d = 0.7 on three seeds, unless two more seeds had decided for a (d = 0.3). Here"),
        ((0.3, 0.1), "would have published nothing, unless two more seeds had decided for a (d = 0.3)."),
        ((0.1, -1.0), "would have published nothing."),
    ],
)
def test_what_three_seeds_would_have_published_is_said_as_far_as_they_tell(
    tmp_path: Path, ds: tuple[float, ...], words: str
) -> None:
    ideas = tuple(
        IdeaOutcome(arm, arm, Outcome.NOT_SELECTED, screen=ScreenResult(arm, 3, d, d, is_dropped=False))
        for arm, d in zip("ab", ds, strict=True)
    )
    files = derived_files(spec(tmp_path), story_of([VerdictLine(Outcome.NOTHING_FOUND, ideas, AT)]))
    assert words in files["report.md"].decode()
