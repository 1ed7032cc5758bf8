"""The layouts of venues raise no false alarm: what a class prints by itself is expected. A typed number is found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from papers import CHECKOUT, Paper, new_paper

from flagstone import schemas

METHOD = r"""\section{Method}\label{sec:m}
We minimise $f(x) = \frac{1}{2} x_1^2 + x_2$ as in \cref{sec:m} and \cite{zhang2018mixup}.\footnote{A note.}
\begin{equation}\label{eq:a} y = 2 x + 1 \end{equation}
By \eqref{eq:a}.
\begin{enumerate} \item One. \item Two. \end{enumerate}
\begin{theorem} $x_3 > 0$. \end{theorem}
\subsection{Details}
Words with \lit{8}{the number of heads}.
"""


def audited(root: Path, venue: str, method: str = METHOD) -> Paper:
    paper = new_paper(root, venue)
    paper.write("sections/method.tex", method)
    return paper


@pytest.mark.parametrize("venue", ["ieee_conference", "acm_conference", "springer_lncs", "nature", "jmlr"])
def test_an_honest_paper_in_the_layout_of_a_venue_raises_no_alarm(tmp_path: Path, venue: str) -> None:
    paper = audited(tmp_path, venue)
    build = paper.build()
    assert [check.message for check in build.checks if check.rule == "paper-audit" and check.status != "passed"] == []
    assert "digit strings: 1 literal" in build.audit
    record = json.loads((paper.run.paper / "audit.json").read_text())
    assert schemas.problems(CHECKOUT / "schemas", "audit", record) == []
    # of thirteen small numbers one could hide with llncs: a number of its structure is expected twice
    assert record["report"]["chance"] < (0.08 if venue == "springer_lncs" else 0.05)


def test_items_that_a_class_numbers_in_brackets_raise_no_alarm(tmp_path: Path) -> None:
    items = "".join(f"\\item {word} it is.\n" for word in ("First", "Then", "Next", "Further") * 4)
    paper = audited(
        tmp_path, "acm_conference", f"\\section{{Method}}\n\\begin{{enumerate}}\n{items}\\end{{enumerate}}\n"
    )
    assert [
        check.message for check in paper.build().checks if check.rule == "paper-audit" and check.status != "passed"
    ] == []


def test_a_typed_number_in_a_built_paper_fails_its_audit_as_well_as_its_lint(tmp_path: Path) -> None:
    build = audited(tmp_path, "neutral", METHOD + "The gain is 3 or 99.1.\n").build()
    failed = [check.message for check in build.checks if check.rule == "paper-audit" and check.status == "failed"]
    assert any("99.1 is neither a fact" in message for message in failed)
    assert any(": 3 is neither a fact" in message for message in failed)
