"""The audit of a paper of 30 pages with ten figures, against reading its text once with each of the two readers."""

from __future__ import annotations

import resource
import subprocess
import tempfile
from collections import Counter
from pathlib import Path
from random import Random

from flagstone.paper.auditing import ExpectedDigits, audit_pdf
from measured.rounds import promise, seconds, show, take_turns

PAGES, FIGURES = 30, 10
SECONDS = 5.0
MEMORY_MB = 300.0
HEAD = r"\documentclass[twocolumn]{article}\usepackage{amsmath,graphicx}\usepackage{hyperref}\begin{document}" + "\n"
WORDS = ("the", "loss", "of", "a", "model", "after", "some", "steps", "of", "training", "with", "a", "rate", "that")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="flagstone-bench-") as name:
        root = Path(name)
        figures = [make_figure(root / f"figure{number}.pdf", number) for number in range(FIGURES)]
        pdf, numbers = make_paper(root, figures)
        expected = ExpectedDigits(facts=numbers, figures=tuple(figures))
        report = audit_pdf(pdf, expected)
        assert report.pages >= PAGES, report.pages
        assert [check.status for check in report.checks] == ["passed"], report.checks[:3]
        print(f"{report.pages} pages, {report.one_line}")
        turns = {
            "reading the text with both": lambda: seconds(lambda: read_text(pdf)),
            "the audit": lambda: seconds(lambda: audit_pdf(pdf, expected)),
        }
        found = take_turns(turns, 3)
        show(found, "reading the text with both")
        promise("CPU seconds of an audit", sorted(each.cpu_s for each in found["the audit"])[1], SECONDS, " s")
        promise("peak memory", peak_mb(), MEMORY_MB, " MB")


def make_figure(path: Path, number: int) -> Path:
    """A curve with axes."""
    import matplotlib

    matplotlib.use("pdf")
    import matplotlib.pyplot as plt

    with plt.rc_context({"pdf.fonttype": 42}):
        figure, axes = plt.subplots(figsize=(3, 2))
        axes.plot([step * number for step in range(50)])
        axes.set_title("A curve")
        figure.savefig(path)
        plt.close(figure)
    return path


def make_paper(root: Path, figures: list[Path]) -> tuple[Path, Counter[str]]:
    """Two columns of words, numbers and formulas; and how often each number is printed."""
    random, numbers, body = Random(1), Counter[str](), []
    for page in range(PAGES):
        if page % 3 == 1 and page // 3 < len(figures):
            body.append(
                f"\\begin{{figure}}\\includegraphics[width=\\columnwidth]{{{figures[page // 3].name}}}\\end{{figure}}"
            )
        for _ in range(13):
            number = f"{random.random():.3f}"
            numbers[number] += 3
            words = " ".join(random.choices(WORDS, k=40))
            body.append(f"It is {number} where {words}, so $x = {number}$ and {words} and {number}.\\par")
    (root / "paper.tex").write_text(HEAD + "\n".join(body) + "\n\\end{document}\n")
    subprocess.run(["pdflatex", "-interaction=batchmode", "paper"], cwd=root, check=True, capture_output=True)
    return root / "paper.pdf", numbers


def read_text(pdf: Path) -> None:
    """What any audit by two readers has to do."""
    subprocess.run(["pdftotext", str(pdf), "-"], check=True, capture_output=True)
    from pypdf import PdfReader

    for page in PdfReader(pdf).pages:
        page.extract_text()


def peak_mb() -> float:
    """The most that this process or one of its children has used."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return max(usage.ru_maxrss for usage in usages) * 1024 / 1_000_000


if __name__ == "__main__":
    main()
