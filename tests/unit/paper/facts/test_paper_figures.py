"""Figures are drawn in a sandbox from declared inputs, with their data beside them, and only when something is new."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from paper_runs import RUNS, make_run, write_yaml

from flagstone.layout import Run
from flagstone.paper.facts import Figures, figure_job, make_figures

TABLE = "workspace/results/runs.csv"
SCRIPT = "workspace/code/draw.py"
DRAW = """import csv, sys
import matplotlib.pyplot as plt
name = sys.argv[1]
rows = [row for row in csv.DictReader(open("workspace/results/runs.csv")) if row["accuracy"]]
figure, axes = plt.subplots()
axes.plot([float(row["seed"]) for row in rows], [float(row["accuracy"]) for row in rows], "o", label="accuracy")
axes.set_xlabel("seed of the run")
axes.set_ylabel("accuracy of the test set")
axes.legend()
figure.savefig(f"{name}.pdf")
with open(f"{name}.csv", "w") as out:
    out.write("figure,seed,accuracy\\n" + "".join(f"{name},{row['seed']},{row['accuracy']}\\n" for row in rows))
"""
CAPTION = 'caption: "Every run (n = \\\\val{n} seeds); bars are the sd."'
ENTRY = f"{{script: {SCRIPT}, inputs: [{TABLE}], {CAPTION}}}"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    made = make_run(tmp_path)
    write_script(made, DRAW)
    return made


def write_script(run: Run, text: str, path: str = SCRIPT) -> None:
    (run.root / path).parent.mkdir(parents=True, exist_ok=True)
    (run.root / path).write_text(text)


def figures_of(run: Run, **entries: str) -> Figures:
    write_yaml(run, "figures", "".join(f"{name}: {entry}\n" for name, entry in entries.items()))
    return make_figures(run, run.root / "paper")


def faults_of(figures: Figures) -> str:
    assert {check.rule for check in figures.checks} == {"paper-figures"}
    return "\n".join(check.message for check in figures.checks if check.status == "failed")


def test_a_figure_is_drawn_with_its_data_and_is_not_drawn_again(run: Run) -> None:
    figures = figures_of(run, curve=ENTRY)
    assert faults_of(figures) == ""
    assert [path.name for path in figures.pdfs] == ["curve.pdf"]
    assert figures.drawn == ("curve",)
    assert list(figures.inputs) == [SCRIPT, TABLE]
    folder = run.root / "paper/figures"
    assert (folder / "curve.csv").read_text().count("curve,") == 6
    assert sorted(path.name for path in folder.iterdir()) == [
        ".job",
        "curve.csv",
        "curve.json",
        "curve.log",
        "curve.pdf",
    ]
    before = (folder / "curve.pdf").read_bytes()
    again = figures_of(run, curve=ENTRY)
    assert (again.drawn, faults_of(again)) == ((), "")
    (folder / "curve.json").unlink()
    assert figures_of(run, curve=ENTRY).drawn == ("curve",)
    assert (folder / "curve.pdf").read_bytes() == before


@pytest.mark.parametrize("what", ["script", "input", "pdf", "data", "width"])
def test_a_figure_is_drawn_again_when_anything_it_rests_on_is_new(run: Run, what: str) -> None:
    write_script(run, QUICK)
    figures_of(run, curve=ENTRY)
    entry = ENTRY
    if what == "script":
        write_script(run, QUICK + "# new\n")
    elif what == "input":
        (run.root / TABLE).write_text(RUNS + "digits,plain,9,confirmation,ok,0.5,1\n")
        offer_again(run)
    elif what == "width":
        entry = ENTRY.replace("inputs", "width: page, inputs")
    else:
        path = run.root / "paper/figures" / ("curve.pdf" if what == "pdf" else "curve.csv")
        path.write_bytes(path.read_bytes() + b" ")
    assert figures_of(run, curve=entry).drawn == ("curve",)


# so small that it needs no matplotlib: what is drawn is not the question
QUICK = """import sys
name = sys.argv[1]
open(f"{name}.csv", "w").write(f"x\\n{len(name)}\\n")
open(f"{name}.pdf", "w").write("%PDF")
"""


def offer_again(run: Run) -> None:
    from paper_runs import offer

    offer(run, {TABLE: (run.root / TABLE).read_text()})


def test_a_figure_whose_input_has_changed_without_approval_is_gone(run: Run) -> None:
    write_script(run, QUICK)
    figures_of(run, curve=ENTRY)
    (run.root / TABLE).write_text(RUNS + "digits,plain,9,confirmation,ok,0.5,1\n")
    figures = figures_of(run, curve=ENTRY)
    assert "has changed since its stage was offered" in faults_of(figures)
    assert figures.pdfs == () and not (run.root / "paper/figures/curve.pdf").exists()


def test_a_figure_that_is_not_named_any_more_is_gone(run: Run) -> None:
    write_script(run, QUICK)
    figures_of(run, one=ENTRY, other=ENTRY)
    figures_of(run, one=ENTRY)
    assert not (run.root / "paper/figures/other.pdf").exists()


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("raise SystemExit('no such column')", "failed with exit code 1: no such column"),
        ("", "left no curve.pdf in its current folder"),
        ("import os; os.symlink('/etc/passwd', 'curve.pdf')", "its curve.pdf cannot be used"),
        ("open('curve.pdf', 'w').write('%PDF'); open('curve.csv', 'w')", "its curve.csv is empty"),
        ("open('curve.pdf', 'wb').truncate(11_000_000)", "larger than 10 MB"),
        ("open('workspace/results/other.csv')", "No such file or directory"),
        ("open('RUN/workspace/results/other.csv')", "No such file or directory"),
        ("open('RUN/paper/figures/other.pdf', 'w')", "OSError"),
    ],
)
def test_a_script_that_fails_or_reaches_out_leaves_no_figure(run: Run, script: str, words: str) -> None:
    (run.root / "workspace/results/other.csv").write_text("x\n1\n")
    (run.root / "paper/figures").mkdir(parents=True)
    (run.root / "paper/figures/other.pdf").write_text("mine")
    write_script(run, script.replace("RUN", str(run.root)))
    figures = figures_of(run, curve=ENTRY)
    fault = faults_of(figures)
    assert fault.startswith("workspace/writing/figures.yaml:1:curve: ")
    assert words in fault or (words == "OSError" and "exit code 1" in fault)
    assert figures.pdfs == ()
    assert (run.root / "paper/figures/other.pdf").read_text() == "mine"


def test_a_script_has_no_network(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        write_script(run, f"import socket\nsocket.create_connection(('127.0.0.1', {port}), 2)\n{QUICK}")
        assert "it failed with exit code 1" in faults_of(figures_of(run, curve=ENTRY))


def test_a_script_that_takes_too_much_memory_is_ended(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figure_job, "LIMITS", replace(figure_job.LIMITS, memory_mb=200))
    write_script(run, "import time\nx = b'x' * 400_000_000\ntime.sleep(60)")
    assert "it used too much memory" in faults_of(figures_of(run, curve=ENTRY))


def test_a_script_cannot_write_the_file_of_another_figure(run: Run) -> None:
    write_script(run, QUICK)
    evil = QUICK + "open('one.pdf', 'w').write('%PDF stolen'); open('one.csv', 'w').write('x\\n9\\n')\n"
    write_script(run, evil, "workspace/code/evil.py")
    figures_of(run, one=ENTRY, two=ENTRY.replace(SCRIPT, "workspace/code/evil.py"))
    assert (run.root / "paper/figures/one.pdf").read_text() == "%PDF"


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (ENTRY.replace(SCRIPT, "workspace/code/none.py"), "does not exist"),
        (ENTRY.replace(SCRIPT, "/usr/bin/evil.py"), "is no Python file below workspace/code or workspace/writing"),
        (ENTRY.replace(SCRIPT, "workspace/code/../../../x.py"), "does not exist"),
        (ENTRY.replace(TABLE, "/etc/passwd"), "is no file of the run"),
        (ENTRY.replace(TABLE, "workspace/results/*.json"), "names no file of the workspace"),
        (ENTRY.replace(TABLE, "workspace/results/typed.csv"), "no stage offers"),
        ("{inputs: []}", "missing key 'script'"),
    ],
)
def test_an_entry_that_cannot_be_drawn_is_named(run: Run, entry: str, words: str) -> None:
    (run.root / "workspace/results/typed.csv").write_text("x\n99.1\n")
    assert words in faults_of(figures_of(run, curve=entry))


def test_two_figures_of_the_same_data_fail(run: Run) -> None:
    write_script(run, QUICK)
    fault = faults_of(figures_of(run, one=ENTRY, two=ENTRY))
    assert "figures.yaml:2:two: it shows the same data as one" in fault


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("plt.rcParams['pdf.fonttype'] = 3", "is a Type 3 bitmap or drawing; set pdf.fonttype to 42"),
        ("plt.rcParams['pdf.use14corefonts'] = True", "is not embedded"),
        ("plt.rcParams['figure.figsize'] = (6.4, 4.8)", "is 6.4 in wide; draw it 3.3 in wide"),
        ("plt.rcParams.update({key: 14 for key in plt.rcParams if key.endswith('size') and 'label' in key})", "14 pt"),
    ],
)
def test_a_picture_that_is_not_fit_to_print_is_named(run: Run, change: str, words: str) -> None:
    write_script(run, DRAW.replace("name = ", f"{change}\nname = "))
    assert words in faults_of(figures_of(run, curve=ENTRY))


@pytest.mark.parametrize(("columns", "inches"), [(1, 5.4), (2, 6.9)])
def test_a_script_that_sets_no_width_gets_that_of_the_layout(run: Run, columns: int, inches: float) -> None:
    from pypdf import PdfReader

    write_yaml(run, "figures", f"curve: {ENTRY.replace('inputs', 'width: page, inputs')}\n")
    figures = make_figures(run, run.root / "paper", columns=columns)
    assert faults_of(figures) == ""
    assert float(PdfReader(figures.pdfs[0]).pages[0].mediabox.width) == pytest.approx(inches * 72, abs=1)


def test_a_picture_of_a_million_lines_is_not_read(run: Run) -> None:
    many = "axes.plot([at % 7 * at for at in range(300_000)])\nplt.rcParams['path.simplify'] = False"
    write_script(run, DRAW.replace("axes.legend()", many))
    assert "draw the points with rasterized=True" in faults_of(figures_of(run, curve=ENTRY))


def test_a_bitmap_is_no_figure(run: Run) -> None:
    write_script(run, DRAW.replace("figure.savefig(f", "figure.savefig('p.png'); save(f") + "\n")
    draw = "from PIL import Image\ndef save(path): Image.open('p.png').convert('RGB').save(path, resolution=100)\n"
    write_script(run, draw + (run.root / SCRIPT).read_text())
    assert "it is a bitmap or empty" in faults_of(figures_of(run, curve=ENTRY))


@pytest.mark.parametrize(
    ("caption", "bars", "words"),
    [
        ("Every run with its sd.", "", "does not say n"),
        ("Every run, n = 4.", "", "does not say what its bars are; write sd or sem or interval"),
        ("Every run, n = 4, with the sd.", "sem", "write sem"),
        ("Every run, n = 4, with the sd.", "", ""),
        ("Every run, $n=4$, with the 95 % interval.", "interval", ""),
        ("Every run, n = 4, and their standard error.", "sem", ""),
        ("Every run, n = 4.", "none", ""),
    ],
)
def test_a_caption_says_n_and_what_the_bars_are(run: Run, caption: str, bars: str, words: str) -> None:
    from flagstone.paper.facts.figure_checks import caption_faults

    found = list(caption_faults(caption, bars))
    assert [words in fault for fault in found] == [True] if words else found == []


def test_the_caption_beside_an_included_figure_counts(run: Run) -> None:
    write_script(run, QUICK)
    entry = ENTRY.replace(CAPTION, "bars: sd")
    assert "it has no caption" in faults_of(figures_of(run, curve=entry))
    section = run.workspace / "writing/sections/results.tex"
    section.parent.mkdir(parents=True)
    body = "\\includegraphics[width=\\linewidth]{figures/curve}\\caption{Runs $n = \\val{n}$ \\emph{with} sd.}"
    section.write_text(f"\\begin{{figure}}{body}\\end{{figure}}")
    assert "caption" not in faults_of(figures_of(run, curve=entry))


def test_data_without_rows_is_named(run: Run) -> None:
    write_script(run, QUICK.replace("{len(name)}\\n", ""))
    assert "its data has no rows" in faults_of(figures_of(run, curve=ENTRY))


def test_a_broken_pdf_is_named(run: Run) -> None:
    write_script(run, QUICK)
    assert "its PDF cannot be read" in faults_of(figures_of(run, curve=ENTRY))


def test_a_run_without_figures_passes(run: Run) -> None:
    assert [check.status for check in make_figures(run, run.root / "paper").checks] == ["passed"]
    assert not os.path.exists(run.root / "paper/figures")


def test_the_record_says_what_a_figure_rests_on(run: Run) -> None:
    write_script(run, QUICK)
    figures_of(run, curve=ENTRY)
    record = json.loads((run.root / "paper/figures/curve.json").read_text())
    assert sorted(record["inputs"]) == [SCRIPT, TABLE]
