"""Tables are rendered from facts and rows; nobody types a number into one, and all they print is listed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from paper_runs import RUNS, facts_of, make_run, offer, write_trial, write_yaml

from flagstone.layout import Run
from flagstone.paper.facts import Tables, build_tables, write_facts, write_tables

TABLE = "workspace/results/runs.csv"
ABLATIONS = "arm,n,estimate,low\nm_x & y,12,-1.7466,-3.06\naveraging2,12,0.0004,\n"
FACTS = f'best: {{from: "{TABLE}#accuracy?where=arm=plain&seed=2", format: ".2f"}}\nall: {{from: "{TABLE}#seed"}}\n'
ROWS = """gains:
  rows: workspace/results/ablations.csv
  sort_by: estimate
  columns:
    - {head: Trick, column: arm}
    - {head: Gain, column: estimate, format: "+.2f"}
    - {head: Low, column: low, format: ".1f"}
    - {head: "n", column: n}
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return make_run(tmp_path, {TABLE: RUNS, "workspace/results/ablations.csv": ABLATIONS})


def tables_of(run: Run, text: str, facts: str = FACTS) -> Tables:
    book = facts_of(run, facts)
    write_yaml(run, "tables", text)
    return build_tables(run, book)


def test_rows_of_a_file_become_a_table_whose_numbers_are_listed(run: Run) -> None:
    tables = tables_of(run, ROWS)
    assert tables.problems == ()
    assert tables.tex["gains"].splitlines()[1:-1] == [
        r"\begin{tabular}{lrrr}",
        r"\toprule",
        r"Trick & Gain & Low & n \\",
        r"\midrule",
        r"m\_x \& y & \flagstoneminus{}1.75 & \flagstoneminus{}3.1 & 12 \\",
        "averaging2 & +0.00 & \N{EN DASH} & 12 \\\\",
        r"\bottomrule",
    ]
    assert sorted(tables.printed["gains"]) == ["+0.00", "12", "12", "averaging2", "−1.75", "−3.1"]
    assert list(tables.inputs) == ["workspace/results/ablations.csv"]


def test_cells_are_facts_or_words(run: Run) -> None:
    tables = tables_of(run, "t:\n  columns: [{head: Arm}, {head: F1}]\n  cells:\n    - [plain, {val: best}]\n")
    assert tables.problems == ()
    assert r"plain & 0.60 \\" in tables.tex["t"]
    assert tables.printed == {"t": ("F1", "0.60")}
    assert list(tables.inputs) == [TABLE]


def test_rows_may_be_a_list_in_a_verdict(run: Run) -> None:
    write_trial(run)
    text = (
        't: {rows: "trials/mixup/verdict.json#/confirm/pairs?where=slot=b2", columns: [{head: Seed, column: seed}]}\n'
    )
    assert tables_of(run, text).printed == {"t": ("102",)}


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("{columns: [{head: A}]}", "either rows, from a file, or cells"),
        ('{columns: [{head: A}], cells: [["99.1"]]}', "'99.1' has a typed number"),
        ('{columns: [{head: A}], cells: [["about 9"]]}', "has a typed number"),
        ('{columns: [{head: A}], cells: [["[{low}, {high}]"]]}', "would be printed as it stands"),
        ("{columns: [{head: 'in \\\\%'}], cells: [[a]]}", "would be printed as it stands"),
        ('{columns: [{head: "in 2024"}], cells: [["a"]]}', "'in 2024' has a typed number"),
        ('{columns: [{head: "x99.1"}], cells: [["a"]]}', "has a typed number"),
        ("{columns: [{head: A}], cells: [[a, b]]}", "needs 1 cells"),
        ("{columns: [{head: A}], cells: [[{val: bset}]]}", "did you mean 'best'?"),
        ("{columns: [{head: A}], cells: [[{val: all}]]}", "stands for 7 values"),
        ("{columns: [{head: A}], rows: workspace/results/ablations.csv}", "each column needs `column`"),
        ("{columns: [{head: A, column: estimat}], rows: workspace/results/ablations.csv}", "did you mean 'estimate'?"),
        ("{columns: [{head: A, column: estimate}], rows: workspace/results/ablations.csv}", "needs a format"),
        ("{columns: [{head: A, column: n}], rows: workspace/results/none.csv}", "does not exist"),
        ("{columns: [{head: A, column: n}], rows: ../x.csv}", "is no file of the run"),
        (f"{{columns: [{{head: A, column: n}}], rows: '{TABLE}?where=arm=none'}}", "no row with arm=none"),
        ("{columns: [{haed: A}]}", "did you mean 'head'?"),
    ],
)
def test_a_table_that_cannot_be_rendered_is_named_with_its_line(run: Run, entry: str, words: str) -> None:
    tables = tables_of(run, f"\nt: {entry}\n")
    assert tables.problems[0].startswith("workspace/writing/tables.yaml:2:t")
    assert words in " ".join(tables.problems)
    assert {check.rule for check in tables.checks} == {"paper-facts"}


def test_an_interval_of_one_run_is_refused(run: Run) -> None:
    offer(run, {"workspace/results/x.csv": "arm,n,sd\nplain,1,0.5\n"})
    text = "t: {rows: workspace/results/x.csv, columns: [{head: sd, column: sd, format: .1f}]}\n"
    assert "sd of a row with n = 1 says nothing" in tables_of(run, text, "").problems[0]


def test_a_table_from_a_file_that_no_stage_offers_is_refused(run: Run) -> None:
    (run.root / "workspace/results/typed.csv").write_text("x\n99.1\n")
    text = "t: {rows: workspace/results/typed.csv, columns: [{head: X, column: x, format: .1f}]}\n"
    assert "no stage offers" in tables_of(run, text).problems[0]


def test_a_name_that_leads_out_of_the_folder_is_refused(run: Run) -> None:
    assert "cannot be a key" in tables_of(run, '"../x": {columns: [{head: A}], cells: [[a]]}\n').problems[0]


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not installed")
def test_a_table_compiles_and_prints_what_is_listed(run: Run, tmp_path: Path) -> None:
    tables = tables_of(run, ROWS)
    write_facts(facts_of(run, FACTS), tmp_path)
    write_tables(tables, tmp_path)
    head = (
        r"\documentclass{article}\usepackage[T1]{fontenc}\usepackage{booktabs,mathptmx}\input{facts}\pagestyle{empty}"
    )
    (tmp_path / "p.tex").write_text(f"{head}\\begin{{document}}\\input{{tables/gains}}\\end{{document}}")
    done = subprocess.run(["pdflatex", "-halt-on-error", "p.tex"], cwd=tmp_path, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
    text = subprocess.run(["pdftotext", "p.pdf", "-"], cwd=tmp_path, capture_output=True).stdout.decode()
    assert sorted(word for word in text.split() if any(map(str.isdigit, word))) == sorted(tables.printed["gains"])
