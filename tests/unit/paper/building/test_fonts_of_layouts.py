"""No layout needs a font that is made of bitmaps: a program cannot read those for certain."""

from __future__ import annotations

from pathlib import Path

import pytest
from papers import new_paper

TEXT = r"""\section{Method}
\claim{a}{Jastrzębski and Öztürk count $x$.} Şafak.
\texttt{train.py} \textsf{sans} \textsc{Caps} \textit{it} \textbf{bf} \url{https://example.org/a} \emph{\texttt{a}}
\textbf{\texttt{b}} $\mathsf{x} \mathcal{L} \mathbb{R} \alpha \sum \mathbf{x}$ \LaTeX
"""


@pytest.mark.parametrize(
    "venue",
    ["neutral", "elsevier", "jmlr", "ieee_conference", "springer_lncs", "acm_conference", "nature", "neurips_2025"],
)
def test_a_layout_sets_claims_and_the_letters_of_every_name_in_outlines(tmp_path: Path, venue: str) -> None:
    paper = new_paper(tmp_path, venue)
    paper.write("sections/method.tex", TEXT)
    found = paper.failures()
    assert "Type 3" not in found.get("paper-pdf", "") + found.get("paper-audit", "")
    assert "paper-build-log" not in found
