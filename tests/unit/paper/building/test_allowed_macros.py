"""Whatever the lint allows, the layouts can typeset."""

from __future__ import annotations

from pathlib import Path

import pytest
from papers import CHECKOUT, new_paper

from flagstone.paper.linting import LintRules, lint_rules

ARGUMENTS = {
    "text": "word",
    "heading": "A heading",
    "caption": "A caption",
    "math": "x",
    "length": "3mm",
    "name": "sec:all",
    "names": "zhang2018mixup",
    "columns": "l",
    "cells": "1",
    "place": "",
    "link": "https://example.org/x",
}
APART = {
    "val",
    "lit",
    "claim",
    "input",
    "includegraphics",
    "appendix",
    "left",
    "right",
    "caption",
    "label",
    "cref",
    "Cref",
}
IN_TABLES = {"toprule", "midrule", "bottomrule", "hline", "cmidrule", "multicolumn"}
ALGORITHM = {
    "State",
    "For",
    "EndFor",
    "While",
    "EndWhile",
    "If",
    "ElsIf",
    "Else",
    "EndIf",
    "Return",
    "Require",
    "Ensure",
}
IN_MATH = {"limits", "nonumber", "notag", "big", "Big", "bigl", "bigr", "Bigl", "Bigr"}
WHOLE = r"""
\begin{table}[t]\caption{A table}\begin{tabular}{l}\toprule word\\\midrule\multicolumn{1}{l}{word}\\\cmidrule{1-1}
\hline word\\\bottomrule\end{tabular}\end{table}
\begin{algorithm}[t]\caption{An algorithm}\begin{algorithmic}\Require word
\Ensure word \State word \For{word} \State word
\EndFor \While{word} \State word \EndWhile \If{word} \State word \ElsIf{word} \State word \Else \State word \EndIf
\State \Return word \Comment{word}\end{algorithmic}\end{algorithm}
\begin{equation}\sum\limits_x \bigl(\Bigl(\big(\Big(x\Big)\big)\Bigr)\bigr) \left(\frac{x}{y}\right)\notag\end{equation}
\begin{align}x &= y \nonumber\end{align}
See \cref{sec:all} and \Cref{sec:all}. § ° ± · × ÷ – — ‘word’ “word” „word… − ≤ ≥ ≈ € Łukasz Dvořák Gödel
"""


def uses_of(rules: LintRules) -> str:
    """A section that uses every macro and environment of the rules once."""
    lines = ["\\section{All}\\label{sec:all}"]
    for name, slots in rules.macros.items():
        if name in APART | IN_TABLES | ALGORITHM | IN_MATH | {"Comment"}:
            continue
        call = f"\\{name}" + "".join(f"{{{ARGUMENTS[slot.kind]}}}" for slot in slots if slot.bracket == "{")
        is_math = name in rules.signs and not name.isalpha() and name in ",:;!>|"
        is_math = is_math or any(slot.kind == "math" for slot in slots) or is_symbol(name, rules)
        lines.append(f"${call}$" if is_math else f"word{call} word" if name not in ("item",) else "")
    for name, rule in rules.environments.items():
        if name in ("abstract", "table", "table*", "tabular", "tabular*", "algorithm", "algorithmic"):
            continue
        call = "".join(f"{{{ARGUMENTS[slot.kind]}}}" for slot in rule.slots if slot.bracket == "{")
        inner = "x" if rule.holds == "math" else "\\item word" if name in LISTS else "word"
        body = f"\\begin{{{name}}}{call}{inner}\\end{{{name}}}"
        outer = "\\begin{equation}%s\\end{equation}" if name == "split" else "$%s$" if name in INNER else "%s"
        lines.append(outer % body)
    return "\n\n".join(lines) + WHOLE


LISTS = ("itemize", "enumerate", "description")
INNER = ("aligned", "gathered", "split", "cases", "array", "matrix", "pmatrix", "bmatrix", "vmatrix")
TEXT_SIGNS = (
    "ldots",
    "textellipsis",
    "LaTeX",
    "TeX",
    "S",
    "aa",
    "AA",
    "ae",
    "AE",
    "oe",
    "OE",
    "o",
    "O",
    "l",
    "L",
    "ss",
    "i",
    "j",
)


def is_symbol(name: str, rules: LintRules) -> bool:
    is_text = (
        name.startswith("text") or name in TEXT_SIGNS or not name.isalpha() or name in ("dots", "quad", "thinspace")
    )
    return (name in rules.signs and not is_text) or name in ("displaystyle", "textstyle", "text")


@pytest.mark.parametrize("venue", ["neutral"])
def test_every_macro_and_environment_that_the_lint_allows_can_be_typeset(tmp_path: Path, venue: str) -> None:
    rules = lint_rules(CHECKOUT / "config", CHECKOUT / "schemas")
    paper = new_paper(tmp_path, venue)
    paper.write("sections/method.tex", uses_of(rules))
    assert {rule: message for rule, message in paper.failures().items() if rule == "paper-build-log"} == {}
