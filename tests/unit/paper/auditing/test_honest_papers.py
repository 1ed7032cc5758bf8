"""No false alarm on honest papers of several forms, and a typed number in each of them is found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import written_papers
from built_papers import compile_tex
from written_papers import WrittenPaper

from flagstone.paper.auditing.readers import read_pdfs

BIBLIOGRAPHY = r"""
@article{kingma, author={Kingma, Diederik and Ba, Jimmy}, title={Adam: A method, 2nd edition}, journal={Optim. J.},
  year={2015}, volume={12}, number={3}, pages={101--119}, note={doi 10.1016/S0140-6736(97)11096-0}}
@inproceedings{vaswani, author={Vaswani, Ashish}, title={Attention}, booktitle={Proc. of NeurIPS}, year={2017},
  pages={5998--6008}}
@misc{brown, author={Brown, Tom}, title={Few-shot learners}, howpublished={arXiv preprint 2005.14165}, year={2020}}
"""
FACTS = {
    "gain": "0.93",
    "runs": "12",
    "loss": "−0.120",
    "many": "10\u2009000",
    "rate": "1.2e−05",
    "big": "1,234",
    "share": "41.6",
}
TEXT = r"""
\section{Introduction}\label{sec:intro}
The gain is \val{gain}\footnote{Over \val{runs} runs, see \cref{sec:method}.} of $10^{3}$ steps, and the loss moves by
\val{loss} after \val{many} steps at a rate of \val{rate}; see \cite{kingma,vaswani} and \cite{brown}.
We use \lit{8}{heads of the model} heads and \val{big} samples. A share of \val{share}\% is kept.
\begin{enumerate}
\item The first. \item The second. \item The third, as in \ref{sec:intro}.
\end{enumerate}
\section{Method with \val{gain} in its heading}\label{sec:method}
Let $x_1, x_2 \in \mathbb{R}^2$ with $f(x) = x_{t-1}^2 + \frac{1}{2} x_2$ and $a_{12} = 3$.
\begin{equation}\label{eq:one} y = 2 x + 1 \end{equation}
\begin{align} a &= 1 - b \\ b &= \sqrt[3]{2} \notag \\ c &= 10^{-3} \end{align}
By \eqref{eq:one} and \val{gain}\footnote{Again.}, the end of section~\ref{sec:method}.
\subsection{Details}
\paragraph{A paragraph} with $n \le 12$ and \val{loss}.
\section{Results}
\subsection{More}
Nothing but \val{gain} and \val{gain}.
"""
MATHEMATICS = (
    r"""
\section{Preliminaries}\label{sec:pre}
\begin{theorem}\label{thm:main} For $n \ge 2$, $p = 1$: $\sum_{i=1}^{n} i^2 = \frac{1}{6} n (n+1)(2n+1)$. \end{theorem}
\begin{proof} By \cref{thm:main}, $\binom{n}{2} + 1 = 3$. \end{proof}
\begin{lemma} $\int_0^1 x^2 \, dx = \frac{1}{3}$ and $\hat{\theta}_{10} \in \mathbb{R}^{12}$. \end{lemma}
\begin{theorem} $A = \begin{pmatrix} 1 & 0 \\ 0 & 1 \end{pmatrix}$, $\|x\|_2^2 = x_1^2 + x_2^2$, $2^{-n}$, $[0, 1]$.
\end{theorem}
\begin{equation} e^{-2 \pi i k / 4} = \left( \tfrac{1}{2} + 3 x_{1,2} \right)^{2} \end{equation}
\begin{align} a_1 &= 2 b_1 \\ a_2 &= 2 b_2 + 1 \\ a_3 &= \max(0, 1 - \val{gain}) \end{align}
\begin{gather} \sigma_0 = 1, \quad \sigma_1 = 1/2 \end{gather}
With $\alpha = \val{gain}$ and $\beta_1 = \val{loss}$ we have $\val{gain}^2 < 1$, $x^{(3)}$, $10^{-\val{runs}}$.
"""
    + "\\newpage\nWord $n=5$ word.\n" * 3
)


IEEE = "\\documentclass[conference]{IEEEtran}"
LNCS = "\\title{A small study}\\author{Nobody}\\institute{None}\\maketitle\n"
PLAIN = WrittenPaper(TEXT, FACTS, bibliography=BIBLIOGRAPHY)
PAPERS = {
    "one column": PLAIN,
    "two columns": replace(
        PLAIN,
        document_class="\\documentclass[twocolumn,10pt]{article}",
        front="\\title{Two}\\author{N}\\date{}\\maketitle\\tableofcontents\n",
    ),
    "authors and years": replace(PLAIN, preamble="\\usepackage{natbib}"),
    "numbers of natbib": replace(PLAIN, preamble="\\usepackage[numbers,sort&compress]{natbib}"),
    "raised citations": replace(PLAIN, preamble="\\usepackage[super]{natbib}"),
    "running heads": replace(PLAIN, body=TEXT + "\\newpage Words.\\newpage More.", preamble="\\pagestyle{headings}"),
    "mathematics": replace(PLAIN, body=MATHEMATICS, bibliography=""),
    "IEEE": replace(PLAIN, body=TEXT + MATHEMATICS, document_class=IEEE),
    "LNCS": replace(PLAIN, document_class="\\documentclass{llncs}", front=LNCS),
}


@pytest.mark.parametrize("form", PAPERS)
def test_an_honest_paper_raises_no_alarm(tmp_path: Path, form: str) -> None:
    paper = PAPERS[form]
    written_papers.build(tmp_path, paper)
    report = written_papers.audit(tmp_path, paper)
    assert "\n".join(check.message for check in report.checks if check.status == "failed") == ""
    assert report.chance < 0.15


# the papers have most of these as facts, in formulas or as structure too
TYPED = [
    "The gain is 0.93 again.",
    "We use 3 of them.",
    "We use 1.",
    "It has 12 layers.",
    "A share of 99.1\\%.",
    "Of 0.7 in all.",
    "Of 2 in \\emph{all}.",
]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Papers that are built once."""
    found = {form: tmp_path_factory.mktemp("paper") for form in ("one column", "two columns", "mathematics")}
    for form, folder in found.items():
        written_papers.build(folder, PAPERS[form])
    return found


@pytest.mark.parametrize("typed", TYPED)
@pytest.mark.parametrize("form", ["one column", "two columns", "mathematics"])
def test_a_number_typed_into_an_honest_paper_is_found(folders: dict[str, Path], form: str, typed: str) -> None:
    """The parsed source does not have it, as if the lint had let it pass."""
    paper, section = PAPERS[form], folders[form] / "sections" / "text.tex"
    section.write_text(f"{paper.body}\n{typed}\n")
    compile_tex(folders[form], "main")
    section.write_text(paper.body)
    assert written_papers.audit(folders[form], paper).checks[0].status == "failed"


def test_a_page_number_that_is_read_between_two_columns_is_one(tmp_path: Path) -> None:
    words = " ".join(f"Word by word a line grows, and $x_{{{number % 9}}}$ too." for number in range(600))
    paper = replace(PAPERS["two columns"], body=words, bibliography="")
    written_papers.build(tmp_path, paper)
    report = written_papers.audit(tmp_path, paper)
    assert report.pages >= 4
    assert [check.message for check in report.checks if check.status == "failed"] == []
    assert report.chance == 0


def test_a_figure_whose_labels_reach_over_its_edge_raises_no_alarm(tmp_path: Path) -> None:
    """Poppler leaves out what is off the page of the figure, and reads it on the page of the paper."""
    figure = compile_figure(tmp_path / "figures", "\\noindent\\hskip-9.5bp 0.050 steps")
    assert "pypdf alone reads 0" in read_pdfs([figure])[0].differences[0]
    paper = replace(PAPERS["mathematics"], body="\\includegraphics{figures/axis.pdf}", figures=(figure,))
    written_papers.build(tmp_path, paper)
    assert [check.message for check in written_papers.audit(tmp_path, paper).checks if check.status == "failed"] == []


def compile_figure(folder: Path, body: str) -> Path:
    folder.mkdir()
    size = "\\pdfpagewidth=80bp\\pdfpageheight=40bp\\hoffset=-1in\\voffset=-1in\\textwidth=80bp\\pagestyle{empty}"
    head = f"\\documentclass{{article}}\\parindent0pt\\oddsidemargin0pt\\topmargin0pt\\headheight0pt\\headsep0pt{size}"
    (folder / "axis.tex").write_text(f"{head}\\begin{{document}}{body}\\end{{document}}\n")
    return compile_tex(folder, "axis")
