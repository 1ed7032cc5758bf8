"""The appendix tells of every run, idea and decision, and names what somebody has hidden."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest
from made_runs import HOSTILE, add_run, make_experiment, make_trial, write_json
from papers import new_paper

from flagstone.experiments.ledger import head_of
from flagstone.layout import Run
from flagstone.paper.auditing import printed_pages
from flagstone.paper.auditing.digits import digits_printed
from flagstone.paper.building import AppendixRequest, appendix_of
from flagstone.paper.citations import CitationRequest, waive
from flagstone.records import Ledger
from flagstone.seals import Decision


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path / "run")


def problem(run: Run) -> str:
    (check,) = appendix_of(AppendixRequest(run)).checks
    return check.message if check.status == "failed" else ""


def text(run: Run, **changes: object) -> str:
    return "\n".join(appendix_of(AppendixRequest(run, **changes)).texts)


def test_every_run_and_idea_is_told_and_a_failed_run_with_its_exit_code(run: Run) -> None:
    make_trial(run, failed="treated-a1")
    make_experiment(run, failed=(2,))
    found = appendix_of(AppendixRequest(run))
    rows = found.tex.splitlines()
    assert sum("control-a1" in row for row in rows) == 1
    (crash,) = [row for row in rows if "treated-a1" in row]
    assert "crash" in crash and r"\mbox{17}" in crash and "out of memory" in crash
    (crash,) = [row for row in rows if "r0002" in row]
    assert r"\mbox{9}" in crash
    assert any("Never ran" in row and "it does not import" in row for row in rows)
    assert found.checks[0].message == "the appendix has 8 runs, 2 of them failed, and 4 ideas"
    assert "1 pre-registration; they spent a level of 0.015" in text(run)


def test_the_level_that_was_spent_is_that_of_every_look(run: Run) -> None:
    looks = [{"number": 1, "alpha": 0.015}, {"number": 2, "alpha": 0.035}]
    make_trial(run, ideas=[{"arm": "treated", "outcome": "SUPPORTED", "looks": looks, "confirmation": {"n": 8}}])
    assert "1 pre-registration; they spent a level of 0.05." in text(run)


def test_seeds_of_a_confirmation_stand_beside_their_runs_once_they_are_revealed(run: Run) -> None:
    folder = make_trial(run)
    assert "987654" in text(run) and text(run).count("1.23457e−05") == 5
    ledger = folder / "ledger.jsonl"
    ledger.write_text("".join(line for line in ledger.open() if '"verdict"' not in line))
    before = text(run)
    assert "987654" not in before and "sealed" in before
    assert before.count("1.23457e−05") == 3  # what a confirmation came to is not told before the verdict


@pytest.mark.parametrize("place", ["runs", "history"])
def test_a_run_whose_folder_was_deleted_is_named(run: Run, place: str) -> None:
    folder = make_trial(run, failed="treated-a1")
    if place == "history":  # the trial was started over after that
        (folder / "history" / "001").mkdir(parents=True)
        for name in ("ledger.jsonl", "prereg.json"):
            (folder / name).rename(folder / "history" / "001" / name)
    assert not problem(run)
    shutil.rmtree(folder / "runs" / "treated-a1")
    found = problem(run)
    assert "trial mixup: the ledger has the run treated-a1 (crash, exit code 17), and its folder is gone" in found


def test_a_measured_run_without_a_line_in_the_ledger_is_named(run: Run) -> None:
    folder = make_trial(run)
    add_run(folder, "treated", "a2", is_failed=True, in_ledger=False)
    assert "trials/mixup/runs/treated-a2 holds a run that was measured, and the ledger has no line of it" in problem(
        run
    )


def test_a_run_that_a_kill_cut_off_is_no_hidden_run(run: Run) -> None:
    folder = make_trial(run)
    add_run(folder, "treated", "a2", in_ledger=False)
    (folder / "runs" / "treated-a2" / "measured-first.json").unlink()
    assert not problem(run)


def test_a_line_that_was_taken_out_of_a_ledger_is_named(run: Run) -> None:
    folder = make_trial(run, failed="treated-b1")
    ledger = folder / "ledger.jsonl"
    ledger.write_text("".join(line for line in ledger.open() if '"exit_code":17' not in line))
    shutil.rmtree(folder / "runs" / "treated-b1")
    found = problem(run)
    assert "does not follow from the line before it" in found
    assert "its looks were taken from runs that the ledger has no line of (treated-b1)" in found


def test_lines_that_were_cut_from_the_end_of_a_ledger_are_named(run: Run) -> None:
    folder = make_trial(run)
    ledger = folder / "ledger.jsonl"
    write_json(folder / "done.json", {"ledger": head_of(ledger, ledger.stat().st_size)})
    assert not problem(run)
    *kept, _ = ledger.read_text().splitlines(keepends=True)
    ledger.write_text("".join(kept))
    assert "its ledger has lost lines since done.json read it" in problem(run)


def test_a_run_line_that_cannot_be_read_is_named(run: Run) -> None:
    folder = make_trial(run)
    Ledger(folder / "ledger.jsonl").append({"kind": "run", "arm": "treated", "value": []})
    assert "1 line of its ledger cannot be read as a run" in problem(run)


def test_a_trial_that_was_deleted_is_named_by_its_pre_registration(run: Run) -> None:
    shutil.rmtree(make_trial(run))
    assert "has a pre-registration of trial mixup, and its files are gone" in problem(run)


def test_an_experiment_that_was_deleted_is_named_by_the_log_of_calls(run: Run) -> None:
    Ledger(run.logs / "agents.jsonl").append({"call": "1", "agent": "demo", "experiment": "gone", "outcome": "ok"})
    assert "the log of calls names gone, and the run has no such experiment or trial" in problem(run)


def test_runs_of_an_experiment_are_held_against_their_folders(run: Run) -> None:
    folder = make_experiment(run, failed=(2,))
    assert not problem(run)
    shutil.rmtree(folder / "runs" / "r0002")
    assert "experiment tune: the ledger has the run r0002 (crash), and its folder is gone" in problem(run)
    write_json(folder / "runs" / "r0009" / "result.json", {})
    assert "experiment tune: runs/r0009 holds a run that was measured" in problem(run)


def test_very_many_runs_are_counted_and_each_failed_one_is_still_named(run: Run) -> None:
    failed = (7, 399)
    make_experiment(run, runs=400, failed=failed)
    found = text(run)
    assert "There were 400 runs" in found and "398" in found
    assert "r0007" in found and "r0399" in found and "r0008" not in found
    assert len(appendix_of(AppendixRequest(run)).tex) < 10_000


def test_runs_that_the_agent_reports_are_told_and_one_that_it_leaves_out_is_named(run: Run) -> None:
    results = run.workspace / "results"
    results.mkdir(parents=True)
    (results / "planned.csv").write_text("experiment,arm,seed,role\ntricks,plain,1,x\ntricks,mixup,1,x\n")
    (results / "runs.csv").write_text(
        "experiment,arm,seed,role,status,exit_code,reason\n"
        "tricks,plain,1,confirmation,done,0,\ntricks,mixup,1,confirmation,crash,3,no memory\n"
    )
    assert not problem(run)
    found = text(run)
    assert "Flagstone did not measure them" in found and "tricks mixup" in found and "no memory" in found
    assert appendix_of(AppendixRequest(run)).checks[0].message.startswith("the appendix has 2 runs, 1 of them failed")
    (results / "runs.csv").write_text("experiment,arm,seed,role,status\ntricks,plain,1,confirmation,ok\n")
    assert (
        "runs.csv has no row of runs that workspace/results/planned.csv names, not even as failed: tricks mixup 1"
        in problem(run)
    )


def test_what_agents_wrote_is_printed_and_does_nothing(run: Run) -> None:
    make_trial(run)
    tex = appendix_of(AppendixRequest(run, literals=((HOSTILE, HOSTILE),))).tex
    assert r"\input" not in tex.replace(r"\textbackslash{}input", "")
    assert tex.count(r"\end{longtable}") == tex.count(r"\begin{longtable}")


def test_constants_waivers_calls_and_decisions_are_told(run: Run) -> None:
    waive(run, CitationRequest("smith2019"), "NOT_FOUND", Decision("person", "Ada", "2026-01-02", comment="a book"))
    Ledger(run.approved / "waivers.jsonl").append({"key": "forged", "request": "x", "why": "without a seal"})
    Ledger(run.seals).append({"event": "arrived", "stage": "", "by": "flagstone"})
    for stage in ("03", "07"):
        Ledger(run.seals).append(
            {"event": "approved", "stage": stage, "by": "person", "who": "ada", "comment": f"fine {stage}"}
        )
    calls = Ledger(run.logs / "agents.jsonl")
    calls.append({"call": "1", "agent": "claude", "model": "opus", "stage": "03", "cost_usd": 1.5, "outcome": "ok"})
    calls.append({"call": "2", "agent": "claude", "model": "opus", "stage": "03", "outcome": "crashed"})
    calls.append({"call": "3", "agent": "claude", "model": "opus", "stage": "07", "cost_usd": 99.0, "outcome": "ok"})
    found = text(run, stages=("03",), literals=(("8", "bits of a byte"),))
    for wanted in ("smith2019", "Ada", "a book", "bits of a byte", "opus", "1.50 and 1 unknown", "fine 03"):
        assert wanted in found
    assert "forged" not in found
    assert "99" not in found and "fine 07" not in found  # what comes after would change the paper again and again
    assert "ada\n" not in found  # a login is nobody's business
    assert "Ada" not in text(run, stages=("03",), is_anonymous=True)


def test_the_same_files_give_the_same_bytes(run: Run) -> None:
    make_trial(run)
    make_experiment(run)
    assert appendix_of(AppendixRequest(run)) == appendix_of(AppendixRequest(run))


def test_a_run_without_trials_and_experiments_says_so(run: Run) -> None:
    assert "This run has made no trial and no experiment." in text(run)
    assert not problem(run)


def test_its_digits_are_those_that_the_pdf_shows(tmp_path: Path) -> None:
    paper = new_paper(tmp_path)
    make_trial(paper.run, failed="treated-a1")
    make_experiment(paper.run, failed=(2,))
    build = paper.build()
    assert build.pdf is not None, [check.message for check in build.failures]
    appendix = appendix_of(AppendixRequest(paper.run, paper.order().ancestors))
    pages = printed_pages(build.pdf)
    first = next(number for number, page in enumerate(pages) if "control-a1" in page)
    shown, wanted = digits_printed(pages[first:]), digits_printed(appendix.texts)
    assert wanted - shown == Counter()
    assert set(shown - wanted) <= set("12345678")  # numbers of the page and of subsections
