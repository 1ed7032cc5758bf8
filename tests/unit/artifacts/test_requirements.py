"""What each stage must leave: every rule, met and broken."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from jsonschema import Draft202012Validator
from material import PARQUET, SVG, ask, outcome, png, put, statuses, summary, turn_of

from flagstone.artifacts.checks import check_stage, worst_of_each
from flagstone.artifacts.rules.findings import failed_check, passed_check, skipped_check
from flagstone.artifacts.rules.requirements import REQUIREMENTS
from flagstone.errors import FlagstoneError
from flagstone.layout import Run

ROOT = Path(__file__).parents[3]


def test_a_stage_that_left_everything_may_be_offered(run: Run) -> None:
    turn = turn_of(run)
    put(run, "data/a.csv", "x\n1\n")
    checks = check_stage(ask(run, "fresh-data", turn=turn))
    assert [(check.rule, check.status) for check in checks] == [
        ("draft-written", "passed"),
        ("summary-contract", "passed"),
        ("approved-files-untouched", "passed"),
        ("workspace-names", "passed"),
        ("no-hidden-machinery", "passed"),
        ("data-present", "passed"),
        ("data-fresh", "passed"),
    ]
    assert "failed" not in {check.status for check in checks}


def test_the_checks_fit_their_schema(run: Run) -> None:
    checks = check_stage(ask(run, *REQUIREMENTS, draft="nothing of the kind"))
    record = {"stage": "03", "attempt": 1, "checks": [vars(check) for check in checks]}
    schema = yaml.safe_load((ROOT / "schemas" / "checks.schema.yaml").read_text())
    assert [error.message for error in Draft202012Validator(schema).iter_errors(record)] == []
    assert len({check.rule for check in checks}) == len(checks)
    assert "failed" in {check.status for check in checks}


def test_an_attempt_that_wrote_nothing_failed(run: Run) -> None:
    for draft in ("", " \n\n", "\ufeff"):
        found = outcome(run, draft=draft)
        assert found["draft-written"].status == "failed" and "summary-contract" not in found
        assert "drafts/03/1/draft.md" in found["draft-written"].message
    request = ask(run)
    request.draft_text_path.unlink()
    assert check_stage(request)[0].status == "failed"


def test_a_draft_that_breaks_the_contract_fails_by_the_rules_id(run: Run) -> None:
    found = outcome(run, draft=summary(Key_Results="[TBD]"))
    assert found["summary-placeholder"].status == "failed" and "summary-contract" not in found


def test_a_draft_that_is_binary_or_a_link_is_unreadable(run: Run) -> None:
    assert statuses(run, draft="a\0b")["summary-unreadable"] == "failed"
    request = ask(run)
    request.draft_text_path.unlink()
    request.draft_text_path.symlink_to("/etc/hostname")
    assert "summary-unreadable" in {check.rule for check in check_stage(request)}


def test_an_unknown_requirement_is_an_error_of_the_stage_table(run: Run) -> None:
    with pytest.raises(FlagstoneError, match="fresh-dta"):
        check_stage(ask(run, "fresh-dta"))


def test_every_requirement_of_the_stage_table_is_known() -> None:
    table = yaml.safe_load((ROOT / "schemas" / "stages.schema.yaml").read_text())
    names = table["properties"]["stages"]["additionalProperties"]["properties"]["requires"]["items"]["enum"]
    assert sorted(names) == sorted(REQUIREMENTS)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", {"x": 1}),
        ("a.jsonl", '{"x": 1}\n'),
        ("a.csv", "x\n1\n"),
        ("a.tsv", "x\n1\n"),
        ("a.yaml", "x: 1\n"),
        ("a.yml", "- 1\n"),
        ("a.parquet", PARQUET),
        ("deep/er/a.csv", "x\n1\n"),
    ],
)
def test_each_machine_readable_format_is_data(run: Run, name: str, content: object) -> None:
    put(run, f"data/{name}", content)
    assert statuses(run, "data")["data-present"] == "passed"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("zero.csv", ""),
        ("header.csv", "x,y\n"),
        (".hidden.csv", "x\n1\n"),
        ("README.md", "words"),
        ("broken.json", "{"),
        ("fake.parquet", "PAR1"),
        ("a.csv.schema.json", {"x": 1}),
        ("__pycache__/a.json", {"x": 1}),
    ],
)
def test_what_is_no_data_does_not_satisfy_and_is_named(run: Run, name: str, content: object) -> None:
    put(run, f"data/{name}", content)
    found = outcome(run, "data")["data-present"]
    assert found.status == "failed" and "workspace/data" in found.message
    if not name.startswith((".", "_")) and not name.endswith("schema.json"):
        assert name in found.message


def test_links_out_of_the_run_and_to_its_records_do_not_satisfy(run: Run, tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_text("x\n1\n")
    (run.workspace / "data" / "out.csv").symlink_to(tmp_path / "out.csv")
    (run.workspace / "data" / "own.yaml").symlink_to(run.settings)
    assert statuses(run, "data")["data-present"] == "failed"


def test_one_unreadable_file_beside_good_ones_is_told_and_does_not_fail(run: Run) -> None:
    put(run, "data/a.csv", "x\n1\n")
    put(run, "data/raw.csv", b"\xe9\n1\n")
    found = outcome(run, "data")["data-present"]
    assert found.status == "passed" and "workspace/data/raw.csv (not UTF-8" in found.message


def test_results_must_be_there_and_be_new(run: Run) -> None:
    assert statuses(run, "fresh-results")["results-present"] == "failed"
    put(run, "results/a.yaml", "x: 1")
    assert statuses(run, "fresh-results")["results-present"] == "failed"
    put(run, "results/a.json", {"experiment": "w", "loss": 1})
    found = statuses(run, "fresh-results")
    assert found["results-present"] == found["results-named"] == found["results-fresh"] == "passed"
    assert statuses(run, "fresh-results", turn=turn_of(run))["results-fresh"] == "failed"


def test_every_result_must_name_its_maker(run: Run) -> None:
    put(run, "results/a.json", {"experiment": "w", "loss": 1})
    put(run, "results/b.csv", "loss\n1\n")
    found = outcome(run, "results")["results-named"]
    assert found.status == "failed" and "workspace/results/b.csv" in found.message
    assert "a.json" not in found.message
    put(run, "results/b.csv.json", {"trial": "t1"})
    assert statuses(run, "results")["results-named"] == "passed"


@pytest.mark.parametrize("sidecar", ["a.npy.json", "a.npy.schema.json"])
def test_arrays_name_their_maker_in_a_sidecar(run: Run, sidecar: str) -> None:
    stream = io.BytesIO()
    np.save(stream, np.ones(3))
    put(run, "results/a.npy", stream.getvalue())
    assert statuses(run, "results")["results-named"] == "failed"
    put(run, f"results/{sidecar}", {"experiment": "w"})
    assert statuses(run, "results")["results-named"] == "passed"


def test_a_sidecar_alone_is_no_result(run: Run) -> None:
    put(run, "results/a.npy", "")
    put(run, "results/a.npy.json", {"experiment": "w"})
    assert statuses(run, "results")["results-present"] == "failed"


@pytest.mark.parametrize(
    ("name", "content"), [("a.png", "PNG"), ("a.svg", "<html/>"), ("a.pdf", "%PDF-"), ("a.jpg", "")]
)
def test_a_figure_must_be_what_it_claims(run: Run, name: str, content: str) -> None:
    put(run, f"figures/{name}", content)
    found = outcome(run, "figures")["figures-present"]
    assert found.status == "failed" and name in found.message


def test_figures_must_be_new(run: Run) -> None:
    put(run, "figures/a.svg", SVG)
    put(run, "figures/a.csv", "x\n1\n")
    assert statuses(run, "fresh-figures")["figures-fresh"] == "passed"
    assert statuses(run, "fresh-figures", turn=turn_of(run))["figures-fresh"] == "failed"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("figures/a.csv", "x\n1\n"),
        ("figures/a.png.json", {"data": "workspace/results/r.csv"}),
        ("figures/a.json", {"data": ["results/r.csv"]}),
        ("figures/figures.json", [{"path": "workspace/figures/a.png", "data": ["workspace/results/r.csv"]}]),
        ("figures/figures.json", {"figures": [{"file": "a.png", "data": {"path": "../results/r.csv"}}]}),
        ("figures/figures.json", {"figures": [{"pdf": "a.pdf", "png": "figures/a.png", "data": "results/r.csv"}]}),
    ],
)
def test_a_figure_names_its_data_in_one_of_these_ways(run: Run, name: str, content: object) -> None:
    put(run, "results/r.csv", "experiment,x\nw,1\n")
    put(run, "figures/a.png", png())
    assert statuses(run, "figures")["figures-named"] == "failed"
    put(run, name, content)
    expected = "failed" if "../" in str(content) else "passed"
    assert statuses(run, "figures")["figures-named"] == expected


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("figures/a.csv", ""),
        ("figures/a.png.json", {"data": "workspace/results/gone.csv"}),
        ("figures/a.png.json", {"data": "/etc/hostname"}),
        ("figures/a.png.json", {"data": []}),
        ("figures/a.png.json", {"data": ["workspace/notes/plan.md", "workspace/results/gone.csv"]}),
        ("figures/a.png.json", "{"),
        ("figures/figures.json", "{"),
        ("figures/figures.json", [3, {"path": 4}, {"path": "workspace/figures/other.png", "data": "results/r.csv"}]),
    ],
)
def test_a_figure_whose_data_is_not_there_is_named(run: Run, name: str, content: object) -> None:
    put(run, "figures/a.png", png())
    put(run, name, content)
    found = outcome(run, "figures")["figures-named"]
    assert found.status == "failed" and "workspace/figures/a.png" in found.message


def test_leftovers_of_a_rolled_back_stage_do_not_satisfy(run: Run) -> None:
    put(run, "data/a.csv", "x\n1\n")
    put(run, "results/a.json", {"experiment": "w", "loss": 1})
    found = statuses(run, "fresh-data", "fresh-results", turn=turn_of(run))
    assert found["data-fresh"] == found["results-fresh"] == "failed"


def test_a_rule_that_two_requirements_share_answers_once_and_the_failure_counts(run: Run) -> None:
    put(run, "data/a.csv", "x\n1\n")
    rules = [check.rule for check in check_stage(ask(run, "data", "fresh-data", turn=turn_of(run)))]
    assert rules.count("data-present") == 1 and "data-fresh" in rules


def test_of_several_answers_to_one_rule_the_failure_is_kept() -> None:
    answers = [
        passed_check("a", "fine"),
        failed_check("a", "not fine"),
        skipped_check("b", "later"),
        passed_check("a", "fine again"),
    ]
    assert [(check.rule, check.status) for check in worst_of_each(answers)] == [("a", "failed"), ("b", "not checked")]


def test_messages_escape_the_names_of_files(run: Run) -> None:
    put(run, "data/\x1b[31mred.csv", "")
    assert "\x1b" not in outcome(run, "data")["data-present"].message


def test_a_workspace_full_of_special_files_is_checked_without_waiting(run: Run) -> None:
    for room in ("data", "results", "figures", "writing", "reviews"):
        os.mkfifo(run.workspace / room / "pipe.json")
        (run.workspace / room / "loop.csv").symlink_to("loop.csv")
    os.mkfifo(run.workspace / "writing" / "main.tex")
    os.mkfifo(run.workspace / "figures" / "figures.json")
    os.mkfifo(run.workspace / "artifacts" / "build_log.txt")
    found = statuses(run, *REQUIREMENTS)
    assert found["data-present"] == found["paper-pdf"] == "failed"


def test_importing_the_checks_stays_light() -> None:
    heavy = ("numpy", "pandas", "pyarrow", "markdown_it", "yaml", "jsonschema", "matplotlib", "xml", "csv", "zipfile")
    code = f"import sys, flagstone.artifacts.checks; print([m for m in {heavy!r} if m in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
