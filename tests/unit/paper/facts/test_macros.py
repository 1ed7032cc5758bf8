"""What `\\val` prints: the same in text, captions, headings, contents, bookmarks and mathematics."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from paper_runs import facts_of, make_run, offer

from flagstone.paper.facts import write_facts

PAPER = r"""\documentclass[twoside]{article}
\usepackage[T1]{fontenc}\usepackage{amsmath,mathptmx,hyperref}
\pagestyle{headings}
\input{facts}
\begin{document}
\tableofcontents
\section{A gain of \val{loss_gain} nats in \val{trial.runs} runs}
In text \val{loss_gain}, in mathematics $x = \val{loss_gain}$, at \lit{8}{bits of a byte} bits, rate \val{rate}.

Best: \val{best}. Of \val{many} and $n = \val{many}$.
\begin{align} x &= \val{loss_gain} \\ & \val{loss_gain} \end{align}
\begin{table}\caption{Of \val{loss_gain} nats}\begin{tabular}{r}\val{loss_gain}\\\end{tabular}\end{table}
\newpage Text. \newpage \MakeUppercase{Upper \val{loss_gain}} UNKNOWN
\end{document}
"""
FACTS = r"""
loss_gain: {from: "workspace/results/x.json#/gain", format: "+.3f"}
trial.runs: {from: "workspace/results/x.json#/runs"}
rate: {from: "workspace/results/x.json#/rate", format: ".1%"}
best: {from: "workspace/results/x.json#/best"}
many: {from: "workspace/results/x.json#/many", format: ",d"}
"""
BEST = r"m_i-x\undef{~}^50% & $b$ #1 <up> --| Ä"

pytestmark = pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not installed")


def compile_paper(folder: Path, unknown: str = "") -> subprocess.CompletedProcess[bytes]:
    run = make_run(folder)
    offer(run, {"workspace/results/x.json": RESULTS})
    book = facts_of(run, FACTS)
    assert book.problems == ()
    write_facts(book, folder)
    (folder / "paper.tex").write_text(PAPER.replace("UNKNOWN", unknown))
    for _ in range(2):
        argv = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-file-line-error", "paper.tex"]
        done = subprocess.run(argv, cwd=folder, capture_output=True, timeout=60, check=False)
    return done


RESULTS = '{"gain": -0.125, "runs": 12, "rate": 0.5, "many": 1000, "best": "BEST"}'.replace(
    "BEST", BEST.replace("\\", "\\\\")
)


def test_a_fact_prints_the_same_wherever_it_stands(tmp_path: Path) -> None:
    done = compile_paper(tmp_path)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-3000:]
    text = subprocess.run(["pdftotext", "-layout", "paper.pdf", "-"], cwd=tmp_path, capture_output=True).stdout.decode()
    # contents, heading, text, mathematics, twice display, caption, cell, running head, capitals
    assert text.count("−0.125") == 10
    assert text.count("0.125") == 10
    assert BEST in text and "at 8 bits, rate 50.0%." in text
    assert "Of 1,000 and n = 1,000." in text
    assert "UPPER −0.125" in text
    assert b"in math mode" not in done.stdout and b"Token not allowed" not in done.stdout


def test_bookmarks_have_the_text_of_a_fact(tmp_path: Path) -> None:
    from pypdf import PdfReader

    compile_paper(tmp_path)
    (bookmark,) = PdfReader(tmp_path / "paper.pdf").outline
    assert bookmark.title == "A gain of −0.125 nats in 12 runs"  # type: ignore[union-attr]


def test_an_unknown_key_stops_the_build_with_its_line(tmp_path: Path) -> None:
    done = compile_paper(tmp_path, r"\val{loss_gian}")
    assert done.returncode != 0
    log = done.stdout.decode(errors="replace")
    assert "paper.tex:13: Undefined control sequence" in log and r"\ThisFactIsUnknown" in log
