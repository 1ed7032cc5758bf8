"""What was tried, what each edit changed and what it bought."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from entries import entry_of, made_up, measured, progress_of, spec_for
from laboratory import Edits, Laboratory, set_x

from flagstone.experiments.candidates.edits.changes import Change, changes_in
from flagstone.experiments.candidates.git.store import Store
from flagstone.experiments.candidates.git.trees import EMPTY, FILE, Blob, edit_tree
from flagstone.experiments.ledger.entry import Entry
from flagstone.experiments.reporting.impact import impacts, spearman
from flagstone.experiments.reporting.report import ExperimentReport, lineage, page, report_of
from flagstone.experiments.reporting.summary import summary_of
from flagstone.plans.spec import Spec

BASE = 'LR = 3e-4\nWIDTH = 64\nRUN_NOTE = "baseline"\n\n\ndef loss():\n    return LR\n'


class Shelf:
    """Trees of one train.py in a real repository, and their real diffs."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "candidates.git")
        self.store.make()

    def tree(self, source: str) -> str:
        return edit_tree(EMPTY, {"train.py": Blob(FILE, self.store.put(b"blob", source.encode()))}, self.store.put).sha

    def diff(self, before: str, after: str) -> str:
        return self.store.diff(before, after)


def no_diff(before: str, after: str) -> str:
    return ""


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def report_text(entries: Sequence[Entry], spec: Spec, diff: Callable[[str, str], str], ideas: str = "") -> str:
    return page(
        ExperimentReport(
            summary_of(entries, spec.metric.direction), progress_of(entries), spec, functools.cache(diff), ideas
        )
    )


def told(shelf: Shelf) -> tuple[list[Entry], Spec]:
    """A short experiment: two gains on one constant, one of another kind, a failure, a revert."""
    lower = BASE.replace("3e-4", "2e-4").replace("baseline", "a lower rate")
    lowest = lower.replace("2e-4", "1e-4")
    squared = lowest.replace("return LR", "return LR * LR")
    parts = tuple(measured(1, value, f"repeat-{nr}", seed=nr) for nr, value in enumerate((2.0, 2.1, 1.9)))
    judged = {"pairs": 3, "evidence": 0.004, "test": 2, "gain": 0.25, "ours": 1.75, "theirs": 2.0}
    gone = {"status": "crash", "reason": "exit code 1", "valid": False}
    rows = [
        entry_of(1, "advance", 2.0, tree=shelf.tree(BASE), note="baseline", measurements=parts),
        entry_of(2, "advance", 1.8, tree=shelf.tree(lower), parent_run="r0001", previous_best="r0001"),
        entry_of(3, "crash", None, tree=shelf.tree("broken"), parent_run="r0002", **gone),
        entry_of(4, "advance", 1.7, tree=shelf.tree(lowest), parent_run="r0002", previous_best="r0002"),
        entry_of(5, "revert", 5.0, tree=shelf.tree(BASE + "# slow\n"), parent_run="r0004", previous_best="r0004"),
        entry_of(6, "advance", 1.8, tree=shelf.tree(squared), parent_run="r0004", previous_best="r0004"),
        entry_of(7, "revert", 6.0, tree=shelf.tree(squared + "X = 1\n"), parent_run="r0006", previous_best="r0006"),
    ]
    rows[5] = replace(rows[5], judgement=judged)
    rows[-1] = replace(rows[-1], best_run="r0006", best_value=1.8)
    return rows, spec_for(Path("/nowhere"))


def section(text: str, title: str) -> str:
    return text.split(f"\n## {title}", 1)[1].split("\n## ", 1)[0]


def test_the_best_is_told_with_its_gain_and_what_speaks_for_it(shelf: Shelf) -> None:
    best = section(report_text(*told(shelf), shelf.diff), "Best\n")
    assert "val_loss 1.8 (min) by r0006" in best
    assert "baseline 2; the kept edits gained 0.55 together, 5.5 × its sd over 3 runs" in best
    assert "kept by 3 pairs with r0004, chance of this without a gain 0.004" in best


def test_a_gain_that_looks_like_a_loss_on_one_seed_is_never_told_as_a_step_back(shelf: Shelf) -> None:
    entries, spec = told(shelf)
    text = report_text(entries, spec, shelf.diff)
    assert entries[5].value > entries[3].value, "its first run is worse than that of the best before it"  # type: ignore[operator]
    assert "1.7 → 1.8" not in text and "%" not in section(text, "Best\n")


def test_each_kept_edit_is_told_with_what_it_changed_and_what_it_bought(shelf: Shelf) -> None:
    kept = section(report_text(*told(shelf), shelf.diff), "What each kept edit")
    assert "- `train.py LR`\n  - r0002 2 → 1.8 (-10.00%): `3e-4 → 2e-4`" in kept
    assert "  - r0004 1.8 → 1.7 (-5.56%): `2e-4 → 1e-4`" in kept
    assert (
        "- `train.py`\n  - r0006 gained 0.25 (-12.50%) over 3 pairs with r0004: `− return LR + return LR * LR`" in kept
    )


def test_the_best_and_the_worst_runs_are_told_by_their_number(shelf: Shelf) -> None:
    text = report_text(*told(shelf), shelf.diff)
    assert [row[2:7] for row in section(text, "Best 3").splitlines() if row] == ["r0004", "r0002", "r0006"]
    assert [row[2:7] for row in section(text, "Worst 3").splitlines() if row] == ["r0007", "r0005", "r0001"]


def test_more_is_better_where_the_metric_says_so(shelf: Shelf) -> None:
    entries, _ = told(shelf)
    upward = spec_for(Path("/nowhere"), metric={"name": "accuracy", "direction": "max"})
    text = report_text(entries, upward, shelf.diff)
    assert [row[2:7] for row in section(text, "Best 3").splitlines() if row] == ["r0007", "r0005", "r0001"]


def test_failures_are_told_by_kind(tmp_path: Path) -> None:
    entries = [entry_of(1, "advance")]
    entries += [entry_of(nr, "crash", None, status="crash", reason=f"killed at {nr}.5 MB") for nr in range(2, 6)]
    entries += [entry_of(6, "crash", None, status="crash", reason="exit code 137")]
    entries += [entry_of(7, "revert", 1.0, valid=False, reason="the guard ended with exit code 1")]
    failed = section(report_text(entries, spec_for(tmp_path), no_diff), "What failed")
    assert "- 4 × crash (killed at N MB), last r0005" in failed
    assert "- 1 × crash (exit code 137), last r0006" in failed
    assert "- 1 × broken constraint or guard (the guard ended with exit code 1), last r0007" in failed


def test_the_lineage_goes_from_the_baseline_to_the_best_over_the_edits_it_was_made_of(shelf: Shelf) -> None:
    entries, spec = told(shelf)
    assert [entry.run_id for entry in lineage(summary_of(entries, "min"))] == ["r0001", "r0002", "r0004", "r0006"]
    assert "r0001 2 → r0002 1.8 → r0004 1.7 → r0006 gained 0.25" in report_text(entries, spec, shelf.diff)


def test_a_rework_is_told_by_its_whole_edit_and_comes_after_what_that_was_made_from(shelf: Shelf) -> None:
    tree = shelf.tree
    first = entry_of(1, "advance", 2.0, tree=tree(BASE), best_run="r0001")
    refused = entry_of(2, tree=tree(BASE.replace("64", "99")), valid=False, refused_by="guard")
    rework = {"fixes": "r0002", "rework": 1, "base": {"run": "r0001", "tree": first.tree}}
    kept = entry_of(3, "advance", 1.5, tree=tree(BASE.replace("64", "32")), previous_best="r0001", proposal=rework)
    entries, spec = [first, refused, kept], spec_for(Path("/"))
    assert "`train.py WIDTH`\n  - r0003 2 → 1.5 (-25.00%): `64 → 32`" in report_text(entries, spec, shelf.diff)
    assert [entry.run_id for entry in lineage(summary_of(entries, "min"))] == ["r0001", "r0003"]


def test_a_long_lineage_is_told_in_part(tmp_path: Path) -> None:
    entries = [entry_of(nr, "advance", 2 - nr / 100) for nr in range(1, 60)]
    row = section(report_text(entries, spec_for(tmp_path), no_diff), "Lineage")
    assert "r0001 1.99 → r0002 1.98 → 49 more → r0052" in row and "r0059 1.41" in row


def test_varied_parameters_are_told_with_their_impact(tmp_path: Path) -> None:
    text = report_text(made_up(400, searched=True), spec_for(tmp_path), no_diff)
    rows = section(text, "Parameters")
    assert "- `LR`: " in rows and "- `WIDTH`: no clear effect" in rows


def test_the_impact_of_a_parameter_is_that_of_its_rank() -> None:
    def run(number: int, lr: float, act: str) -> Entry:
        return entry_of(number, value=lr**3, proposal={"parameters": {"LR": lr, "ACT": act, "SAME": 1}})

    runs = [run(nr, nr / 10, "gelu" if nr % 2 else "relu") for nr in range(1, 21)]
    found = impacts(summary_of(runs, "min").parameters, "min")
    assert [(each.name, each.correlation) for each in found] == [("LR", pytest.approx(1.0)), ("ACT", None)]
    assert found[0].best == 0.1 and found[0].tried == "0.1 to 2"
    assert found[1].is_choice and found[1].tried.startswith("gelu ")
    assert spearman([1.0, 2.0, 3.0], [3.0, 3.0, 3.0]) is None
    assert spearman([1.0, 2.0, 2.0, 4.0], [4.0, 2.0, 2.0, 1.0]) == pytest.approx(-1.0)


def test_ideas_that_did_not_help_are_told(tmp_path: Path) -> None:
    text = report_text([entry_of(1, "advance")], spec_for(tmp_path), no_diff, "Came nearest:\nr0004 warm-up\n")
    assert "## Ideas that did not help\n\nCame nearest:\n- r0004 warm-up\n" in text


def test_an_experiment_without_a_run_has_a_report(tmp_path: Path) -> None:
    text = report_text([], spec_for(tmp_path), no_diff)
    assert "none yet: no run came to a valid val_loss" in text and "no runs yet" in text


@pytest.mark.parametrize("letters", ["x", "🎉", "a`b\n\t# |"])
def test_a_report_is_short_whatever_the_words_and_edits_in_it(letters: str, tmp_path: Path) -> None:
    wild = [replace(each, note=letters * 4000, reason=letters * 900) for each in made_up(2000, searched=True)]
    body = f"diff --git a/{letters[:1]}.py b/x.py\n@@ -1 +1 @@\n-{letters * 9_000}\n+LR = {letters * 9_000}\n"
    spec = spec_for(tmp_path, goal=letters * 3000)
    text = report_text(wild, spec, lambda before, after: body, letters * 5000)
    assert len(text.encode()) <= 8192
    for title in ("Best", "What each kept edit", "Parameters", "Worst 3", "What failed", "Lineage", "Spent"):
        assert f"\n## {title}" in text


def test_the_report_of_a_long_experiment_asks_for_few_diffs(tmp_path: Path) -> None:
    asked: list[str] = []
    report_text(made_up(3000), spec_for(tmp_path), lambda before, after: asked.append(after) or "")
    assert 0 < len(asked) <= 18 and len(set(asked)) == len(asked)


def test_changes_are_told_by_constant_and_otherwise_by_their_lines(shelf: Shelf) -> None:
    after = 'LR: float = 1e-4\nWIDTH = 64\nRUN_NOTE = "other"\n\n\ndef loss():\n    scale = 2\n    return LR * scale\n'
    found = changes_in(shelf.diff(shelf.tree(BASE), shelf.tree(after)))
    assert found == [
        Change("train.py LR", "3e-4 → 1e-4"),
        Change("train.py", "− return LR + scale = 2 (+2/−1 lines)"),
    ]
    assert changes_in("") == []


def test_lines_that_look_like_the_head_of_a_diff_are_lines(shelf: Shelf) -> None:
    found = changes_in(shelf.diff(shelf.tree("-- one\n"), shelf.tree("++ two\n")))
    assert found == [Change("train.py", "− -- one + ++ two")]


def test_the_report_of_a_real_experiment_reads_its_ledger_and_its_repository(laboratory: Laboratory) -> None:
    laboratory.make(stopping={"max_runs": 4})
    laboratory.run(Edits({2: set_x(2.0), 3: set_x(0.0), 4: set_x(2.5)}))
    text = report_of(laboratory.open())
    assert "- `train.py X`\n  - r0002 4.5 → 1.5 (-66.67%): `1.0 → 2.0`" in text
    assert "r0001 4.5 → r0002 1.5 → r0004 0.75" in text
    assert 'r0003 "X 0.0"' in section(text, "Ideas that did not help")
    assert "ended by max_runs(4)" in text


def test_a_ledger_that_somebody_changed_is_told_before_its_numbers(laboratory: Laboratory) -> None:
    laboratory.make(stopping={"max_runs": 3})
    laboratory.run(Edits({2: set_x(2.0), 3: set_x(2.5)}))
    ledger = laboratory.home.ledger
    assert "damaged" not in report_of(laboratory.open())
    ledger.write_text(ledger.read_text().replace('"value":1.5', '"value":0.1'))
    text = report_of(laboratory.open())
    assert "line 3 of ledger.jsonl does not follow from the line before it" in text.split("## Best")[0]
