"""What the source of a paper may hold, and what is said of the rest."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from flagstone.errors import FlagstoneError
from flagstone.paper.facts import Fact, FactBook
from flagstone.paper.linting import LintRules, PaperSource, lint_checks, lint_rules, read_sources

ROOT = Path(__file__).resolve().parents[4]
BOOK = FactBook(
    {
        "gain": Fact("gain", 0.31, "0.310", unit="nats"),
        "share": Fact("share", 12.0, "12.0", unit="per cent"),
        "runs": Fact("runs", 8, "8"),
    }
)


@pytest.fixture(scope="session")
def rules() -> LintRules:
    return lint_rules(ROOT / "config", ROOT / "schemas")


@pytest.fixture
def writing(tmp_path: Path) -> Path:
    (tmp_path / "sections").mkdir()
    return tmp_path


def source_of(writing: Path, rules: LintRules, text: str) -> PaperSource:
    (writing / "sections" / "results.tex").write_text(text, encoding="utf-8")
    return read_sources(writing, rules)


def faults(writing: Path, rules: LintRules, text: str = "") -> list[str]:
    if text:
        (writing / "sections" / "results.tex").write_text(text, encoding="utf-8")
    checks = lint_checks(read_sources(writing, rules), BOOK, rules)
    assert {check.rule for check in checks} == {"paper-lint"}
    return [check.message for check in checks if check.status == "failed"]


def test_a_fact_may_be_used_and_a_typed_number_may_not(writing: Path, rules: LintRules) -> None:
    assert faults(writing, rules, "\\section{Results}\nIt saves \\val{gain} points.\n") == []
    assert faults(writing, rules, "\\section{Results}\nIt saves 0.310 points.\n") == [
        "sections/results.tex:2: “0.310” is typed; write \\val{…}, or \\lit{…}{why} if it is a constant"
    ]


PROSE = r"""
It saves \val{gain} points over \val{runs} seeds.
See Section~\ref{sec:a}, Figures~\ref{fig:a} and~\ref{fig:b}, and (\ref{eq:x}), \eqref{eq:x} or \cref{a,b}.
(Table~\ref{tab:a}, Figure~\ref{fig:b}, right) and Theorem~\ref{thm:a}--\ref{thm:b}
$x_1^2 + 3y = 12$
$\mathcal{L}(\theta) = \frac{1}{n}\sum_{i=1}^{n} \ell_i$
$[0,1]$ and $(0, 1)$ and $\{0,1\}$ and $[-1,1]$ and $x\in\{0,1,2\}$
$O(n^2)$ and $\log 2$ and $\|x\|_2$ and $x_{100}$ and H$_2$O
$\lambda x+(1-\lambda)x'$
$i=1,\dots,n$ and $p<\val{share}$ and $\val{gain}\pm\val{share}$ and $n=\val{runs}$
from \val{gain} to \val{share}, \val{gain}--\val{share}, [\val{gain}, \val{share}], top-\val{runs} accuracy
\val{gain}. Then \val{gain}, \val{runs}
the \val{runs}-fold split, \val{share}\,\% and \val{share} per cent
We ask whether mixup improves accuracy or which trick is best. Does it lower the error?
If mixup improves accuracy, we keep it.
A tuned trick may do better. A lower bound on the error, to the best of our knowledge; higher is better.
Saved: plain minus trick, positive if the trick is better. To improve the text we cut it.
The bound lies below the smallest effect of interest. Higher learning rates were not tried.
The arms stand from smallest to largest.
We use half precision in one of the arms. On the one hand, this is a point; two may differ.
\lit{8}{the layout of the digits is fixed} and \lit{CIFAR-10}{the name of the data set}
\begin{tabular}{ll}a & b \\ \val{gain} & c \\\end{tabular}
\begin{figure}[t]\centering\includegraphics[width=0.5\linewidth]{../figures/curves.pdf}\caption{A.}\label{fig:a_1}\end{figure}
\begin{enumerate}\item a \item b\end{enumerate}
\citep[see][]{zhang2017understanding} and \citet{a2019,b2020}
\section*{Statements}
\paragraph{Data.} Text.
% a comment with 97 that improves nothing
Müller, Gödel, na\"ive, \'etude, {\L}ukasiewicz, ``quoted'' --- text -- more~\ldots
$\alpha = \val{share}$, $\hat{y}_{t+1}$ and $\mathbb{R}^{d}$, $\mathbb{E}_{x\sim p}[f(x)]$
\begin{equation}\label{eq:a} y = f(x) \end{equation}
\begin{align} a &= b \\ c &= d \nonumber \end{align}
\claim{a}{Mixup significantly improves accuracy by \val{gain} nats.}
\url{https://example.org/v2/1234} and \href{https://doi.org/10.1000/182}{the record}
\begin{theorem}[Main] Let $x\ge 0$. Then $f(x)\le 2$. \end{theorem}
\texttt{train.py}, e.g.\ this\@ and\
that; a third network, not at all, in the worst case
\input{tables/comparison}
"""


@pytest.mark.parametrize("text", PROSE.strip().split("\n"))
def test_honest_text_raises_no_alarm(writing: Path, rules: LintRules, text: str) -> None:
    assert faults(writing, rules, text) == []


TYPED = r"""
We get 99.1 here.
4{.}2
$4{.}2$
$4\text{.}2$
$9\,7$
$9 7$
$9{}7$
$9$.$7$
$1$$2$
$97$
$12$
$3\times10^{-4}$
$x=0.5$
$x=97$
$x^{97}$
$x=12\%$
$8\,\mathrm{seeds}$
$\mathrm{lr}=3$
$x=9\cdot7$
$x_{0.97}$
$_{97}$
accuracy$_{97}$
\section{The 97 way}
\caption{97}
\footnote{97}
\item[97]
\citep[p. 97]{a}
\textbf{97}
\emph 9
\enquote{97}
\href{https://a.b}{97}
$\operatorname{97}$
$\mathrm{97}x$
a\textsuperscript{97}
\'9
$\frac97$
\begin{equation}97\end{equation}
\begin{equation}x=0.97\end{equation}
\begin{align}a &= 1 \\ [97pt] b\end{align}
\begin{pmatrix}97\end{pmatrix}
"""


@pytest.mark.parametrize("text", TYPED.strip().split("\n"))
def test_a_typed_number_is_found_however_it_is_written(writing: Path, rules: LintRules, text: str) -> None:
    assert any("write \\val{…}" in fault for fault in faults(writing, rules, text))


WORDS = r"""
two seeds
in two of the runs
four cheap tricks
half the error
double the speed
twice as much
nine out of ten
one label in five
thirty per cent
two percentage points
five-fold cross-validation
tenfold
an order of magnitude
ninety seeds
XCVII per cent
a nine point seven gain
zero point three
three fifths
a third of the runs
tw\-o seeds
t{}wo seeds
tw\/o seeds
O.l per cent
"""


@pytest.mark.parametrize("text", WORDS.strip().split("\n"))
def test_a_number_in_words_is_a_number(writing: Path, rules: LintRules, text: str) -> None:
    for written in (f"It is {text}.", f"\\section{{About {text}}}"):
        assert any("number" in fault for fault in faults(writing, rules, written))


@pytest.mark.parametrize(
    "letters", ["٩٧", "９７", "⁹⁷", "①", "𝟗𝟕", "½", "Ⅻ", "四", "ʒ", "З", "a\u202eb", "a\u200bb", "\x0b"]
)
def test_letters_that_print_as_numbers_or_hide_some_are_refused(writing: Path, rules: LintRules, letters: str) -> None:
    assert any("cannot stand in a paper" in fault for fault in faults(writing, rules, f"{letters} seeds"))


JOINED = r"""
\val{gain}5
$\val{gain}5$
\val{gain}{5}
\val{gain}.\val{runs}
\val{gain}\val{runs}
$\val{gain} \val{runs}$
\val{gain}\,\val{runs}
\val{gain}.\lit{5}{it is the last digit}
Section~\ref{a}.\ref{b}
\val{gain}\textsuperscript{\val{runs}}
-\val{gain}
$-\val{gain}$
-{}\textbf{\val{gain}}
is --\val{gain}
minus \val{gain}
\val{gain}k
\val{gain}\,M
\val{gain}e\val{runs}
$\val{gain}\times10^{3}$
$x=3\times10^{-4}$
$a^{.}$
\val{gain}\,\%
\val{gain} per cent
"""


@pytest.mark.parametrize("text", JOINED.strip().split("\n"))
def test_nothing_beside_a_fact_makes_another_number_of_it(writing: Path, rules: LintRules, text: str) -> None:
    assert faults(writing, rules, text)


FORBIDDEN = r"""
\char57\char55
\number\value{x}
\csname val\endcsname
\def\x{x}
\newcommand{\x}{x}
\verb|x|
\pdfglyphtounicode{nine}{0061}
\pdfliteral{/Span <</ActualText (x)>> BDC}
\catcode`\%
\write18{ls}
\special{x}
\uppercase{x}
\romannumeral x
\thepage
\arabic{section}
\setcounter{page}{x}
\today
\usepackage{x}
\endinput
\iffalse x\fi
\let\x=\y
\makeatletter
\phantom{x}
\textcolor{white}{x}
\rule{x}{y}
\scalebox{x}{x}
\begin{verbatim}x\end{verbatim}
\begin{tikzpicture}x\end{tikzpicture}
\begin{comment}x\end{comment}
\begin{filecontents}{x}x\end{filecontents}
"""


@pytest.mark.parametrize("text", FORBIDDEN.strip().split("\n"))
def test_a_macro_that_nobody_allowed_is_refused_with_its_line(writing: Path, rules: LintRules, text: str) -> None:
    fault = faults(writing, rules, f"First.\n{text}")[0]
    assert fault.startswith("sections/results.tex:2: a paper cannot hold ") and "paper.macros" in fault


FORMS = r"""
\input{/etc/passwd}
\input{sections/x}
\input{tables/../../x}
\input x
\vspace{-2cm}
\hspace*{-1em}
x\\[-2pt]
\vspace{200cm}
\vspace{99cm}
\hspace{20em}
\begin{tabular}{l@{97}}a\end{tabular}
\begin{tabular}{>{\val{gain}}l}a\end{tabular}
\begin{table}[x9]x\end{table}
\includegraphics[trim=a]{a}
\includegraphics[angle=a]{a}
\includegraphics{/etc/x}
\url{97}
\url{javascript:x}
\label{a\val{gain}}
\lit{97}{}
\lit{97}{because}
\lit{\val{gain}}{because it is so}
\lit{97}{because $x$ is so}
\val gain
\label a
\val
\val{nope}
"""


@pytest.mark.parametrize("text", FORMS.strip().split("\n"))
def test_what_follows_a_macro_has_the_form_of_it(writing: Path, rules: LintRules, text: str) -> None:
    assert faults(writing, rules, text)


@pytest.mark.parametrize("text", ["{a", "a}", "$a", "\\begin{itemize}", "\\end{itemize}", "\\(a\\]", "a_b", "\\val{"])
def test_what_cannot_be_parsed_is_a_fault_and_the_rest_is_checked_as_well(
    writing: Path, rules: LintRules, text: str
) -> None:
    found = faults(writing, rules, f"It is 97.\n{text}")
    assert len(found) >= 2 and found[0].startswith("sections/results.tex:1: “97” is typed")


def test_deep_nesting_is_a_fault_and_no_crash(writing: Path, rules: LintRules) -> None:
    assert "nested too deeply" in faults(writing, rules, "{" * 5000 + "}" * 5000)[0]


@pytest.mark.parametrize(
    "text",
    [
        "Mixup significantly helps.",
        "It outperforms all others.",
        "This is state of the art.",
        "This is the state-of-the-art.",
        "Mixup improves accuracy.",
        "Its accuracy is higher.",
        "As we asked, mixup improves accuracy.",
        "Mixup may outperform all others.",
        "It has no effect.",
        "It out\\-performs all others.",
        "It signif{}icantly helps.",
        "It is state of\nthe art.",
        "It is not only good, but significantly better.",
    ],
)
def test_strong_words_and_comparisons_stand_in_a_claim(writing: Path, rules: LintRules, text: str) -> None:
    assert "claims something; put the sentence into \\claim{id}" in faults(writing, rules, text)[0]
    assert faults(writing, rules, f"\\claim{{a}}{{{text}}}") == []
    assert "say it in the text below" in faults(writing, rules, f"\\section{{{text}}}")[0]


def test_no_fact_and_no_literal_prints_a_claim(writing: Path, rules: LintRules) -> None:
    """A fact may be a name; a sentence in it would be read by nobody."""
    (writing / "sections" / "results.tex").write_text("It \\val{words} \\lit{beats all}{it is so, we say}.")
    book = FactBook({"words": Fact("words", "significantly improves", "significantly improves")})
    found = [check.message for check in lint_checks(read_sources(writing, rules), book, rules)]
    assert "words prints “significantly”, which claims something" in found[0]
    assert "beats all prints “beats”" in found[1]


def test_claims_stand_neither_in_claims_nor_in_headings(writing: Path, rules: LintRules) -> None:
    assert "stands inside the claim a" in faults(writing, rules, "\\claim{a}{b \\claim{c}{d}}")[0]
    assert "stands in a heading" in faults(writing, rules, "\\section{\\claim{a}{x}}")[0]


@pytest.mark.parametrize("cell", ["9", "$9$", "\\lit{9}{a constant of life}", "\\textbf{9}"])
def test_a_table_that_is_typed_has_no_digit(writing: Path, rules: LintRules, cell: str) -> None:
    found = faults(writing, rules, f"\\begin{{tabular}}{{l}}{cell}\\end{{tabular}}")
    assert "a table that is typed has the number 9; describe it in tables.yaml" in found[0]


def test_a_ref_follows_the_name_of_what_it_refers_to(writing: Path, rules: LintRules) -> None:
    assert "follows the name" in faults(writing, rules, "It is \\ref{sec:a} times as good.")[0]


def test_a_paper_has_at_most_twenty_literals_and_the_same_one_counts_once(writing: Path, rules: LintRules) -> None:
    names = [f"\\lit{{X-{number}}}{{the name of a data set}}" for number in range(20)]
    assert faults(writing, rules, " ".join(names * 2)) == []
    one_more = " ".join([*names, "\n\\lit{GPT-2}{the name of a model}"])
    assert ":2: this is one of 21 literals; a paper has at most 20" in faults(writing, rules, one_more)[0]


def test_a_literal_is_no_result(writing: Path, rules: LintRules) -> None:
    assert "is the fact gain" in faults(writing, rules, "It saves \\lit{0.310}{it was always so} nats.")[0]


@pytest.mark.parametrize("name", ["neurips.sty", "x.cls", "x.bst", "x.txt", "figure.pdf", "more/x.tex", "x.TEX"])
def test_only_latex_files_stand_among_the_sections(writing: Path, rules: LintRules, name: str) -> None:
    path = writing / "sections" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("Words.", encoding="utf-8")
    assert "only .tex files stand in sections/" in faults(writing, rules)[0]


def test_a_file_that_is_no_plain_text_is_refused(writing: Path, rules: LintRules) -> None:
    path = writing / "sections" / "results.tex"
    for content, why in (
        (b"\xff\xfe9\x00", "not UTF-8"),
        (b"a" * 500_000, "larger than"),
        (b"a\x00b", "NUL"),
        (b"a\xffb", "UTF-8"),
    ):
        path.write_bytes(content)
        assert why in faults(writing, rules)[0]
    path.unlink()
    path.symlink_to("/etc/hostname")
    assert "of no use" in faults(writing, rules)[0]
    path.unlink()
    os.mkfifo(path)
    assert "not a plain file" in faults(writing, rules)[0]


def test_a_character_that_is_written_as_its_code_is_refused_also_in_a_comment(writing: Path, rules: LintRules) -> None:
    assert "^^ is a way to write another character" in faults(writing, rules, "a % ^^M 97")[0]
    assert faults(writing, rules, "a\rb")


def test_a_lone_file_of_the_abstract_is_checked_as_the_abstract(writing: Path, rules: LintRules) -> None:
    (writing / "abstract.tex").write_text("It is \\val{gain}, or 97.", encoding="utf-8")
    source = read_sources(writing, rules)
    assert [(use.key, use.place.section, use.place.within) for use in source.uses] == [("gain", "abstract", "abstract")]
    assert faults(writing, rules)[0].startswith("abstract.tex:1: “97” is typed")


def test_a_title_claims_nothing_and_has_plain_letters(writing: Path, rules: LintRules) -> None:
    (writing / "paper.yaml").write_text(
        "title: One in ٩, which outperforms all\nsections: [results]\n", encoding="utf-8"
    )
    assert [fault.partition(";")[0] for fault in faults(writing, rules)] == [
        "paper.yaml:1: “٩” (arabic-indic digit nine) cannot stand in a paper",
        "paper.yaml:1: “outperforms” claims something",
    ]


def test_a_person_may_allow_another_macro_and_what_it_prints_is_checked(writing: Path) -> None:
    added = lint_rules(ROOT / "config", ROOT / "schemas", {"textgreek": "{text}"})
    assert faults(writing, added, "\\textgreek{beta}") == []
    assert "“97” is typed" in faults(writing, added, "\\textgreek{97}")[0]
    with pytest.raises(FlagstoneError, match="does not say what follows a macro"):
        lint_rules(ROOT / "config", ROOT / "schemas", {"textgreek": "{nonsense}"})


def test_all_faults_are_said_at_once_and_bounded(writing: Path, rules: LintRules) -> None:
    found = faults(writing, rules, "\n".join(f"It is {number}." for number in range(100, 200)))
    assert len(found) == 41 and found[-1] == "and 60 more; correct these first"


USES = r"""\section{Results with \val{gain}}
\label{sec:results}
It saves \val{gain}~\citep[see][]{one,two}. \claim{best}{It beats all by \val{gain} \citep{three}.}

\begin{figure}[t]
  \includegraphics{../figures/a.pdf}
  \caption{Over \val{runs} seeds.}
\end{figure}
A note\footnote{Here $x_1$.} and \lit{CIFAR-10}{the name of the data set}.
\begin{enumerate}\item a \item b \item c \begin{enumerate}\item d\end{enumerate}\end{enumerate}
\begin{align}a &= b \\ c &= d \nonumber \\ e &= f\end{align}
"""


def test_every_use_is_known_with_its_place(writing: Path, rules: LintRules) -> None:
    source = source_of(writing, rules, USES)
    assert [(use.key, use.place.line, use.place.within, use.place.claim) for use in source.uses] == [
        ("gain", 1, "heading", ""),
        ("gain", 3, "text", ""),
        ("gain", 3, "text", "best"),
        ("runs", 7, "caption", ""),
    ]
    assert {use.place.section for use in source.uses[1:]} == {"Results with \ue000"}
    assert [(cite.key, cite.place.line) for cite in source.citations] == [("one", 3), ("two", 3), ("three", 3)]
    assert source.citations[2].sentence.startswith("It beats all by")
    assert [(use.id, use.facts, use.cites) for use in source.claims] == [("best", ("gain",), ("three",))]
    assert [figure.path for figure in source.figures] == ["../figures/a.pdf"]
    assert [(use.printed, use.reason) for use in source.literals] == [("CIFAR-10", "the name of the data set")]
    assert (source.items, source.labels) == ((3,), ("sec:results",))
    assert source.numbered == {"footnote": 1, "equation": 2}


def test_a_paper_of_thirty_pages_is_read_without_looking_for_each_macro_in_all_of_it(
    writing: Path, rules: LintRules
) -> None:
    """Processor time, which other work on the machine does not change much."""
    page = "\n".join(line for line in PROSE.strip().split("\n") if "lit{" not in line)
    assert len(page) * 60 > 120_000  # characters: thirty full pages have fewer
    (writing / "sections" / "results.tex").write_text("\n\n".join([page] * 30), encoding="utf-8")
    (writing / "sections" / "method.tex").write_text("\n\n".join([page] * 30), encoding="utf-8")
    started = time.process_time()
    assert faults(writing, rules) == []
    assert (
        time.process_time() - started < 30
    )  # about 0.5 on a quiet machine; minutes if each macro is looked for in the whole text


HIDDEN_NUMBERS = (
    r"It is $a=9\overset{}{7}$ here.",
    r"It is $a=9\overset{.}{7}$ here.",
    r"It is $\begin{array}{r@{}l}a=9&7\end{array}$ here.",
    r"\begin{align*} a = 9 & 7 \end{align*}",
    r"\begin{tabular}{r@{}l}- & \val{gain}\end{tabular}",
    r"The error is $e=3$ per cent.",
    r"It saves $-$\,\val{gain} points.",
    r"It saves $ -$ \val{gain} points.",
    r"It saves -~\val{gain} points.",
    r"It saves \textendash\val{gain} points.",
    r"It saves $^-$\val{gain} points.",
    r"It saves $\frac{~}{~}\val{gain}$ points.",
    r"It saves \lit{-}{this is a reason in words} \val{gain} points.",
    r"It saves \lit{minus}{this is a reason in words} \val{gain} points.",
    r"The error is l\val{gain}\%.",
    r"The error is \val{runs}O\%.",
    r"The error falls to~\ref{sec:a} here.",
    r"The error of Section~\ref{sec:a}\% is low.",
    r"The error is \eqref{eq:x}\%.",
    r"It reaches \url{mailto:97.3}.",
    r"The error is \textsc{xcvii}\%.",
    "Mixup cuts the error by a third.",
    "Mixup cuts the error by a factor of ten.",
    "Mixup wins on every seed.",
    "Mixup has the smallest effect on the error.",
    "Look-ahead leads by a wide margin.",
    "Mixup makes fewer errors.",
    "Averaging has an advantage over plain training.",
    "There is no question that mixup significantly outperforms plain training.",
    "Mixup significantly outperforms plain training, does it not?",
    "Mixup out-performs plain training.",
)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("paper.yaml", "title: Halving the error with mixup\n"),
        ("paper.yaml", "title: Mixup\nkeywords: [ninety per cent fewer errors]\n"),
        ("tables.yaml", "a: {columns: [{head: significantly better}], cells: [[a]]}\n"),
        ("tables.yaml", "a: {columns: [{head: verdict}], cells: [[SUPPORTED]]}\n"),
        ("tables.yaml", "a: {columns: [{head: error}], cells: [[XCVII %]]}\n"),
        ("sections/results.tex", "The verdict is SUPPORTED.\n"),
        ("sections/results.tex", "The verdict is \\lit{SUPPORTED}{this is a reason in words}.\n"),
    ],
)
def test_a_number_or_a_claim_beside_the_sections_is_seen(writing: Path, rules: LintRules, name: str, text: str) -> None:
    (writing / name).write_text(text, encoding="utf-8")
    assert faults(writing, rules)


def test_heads_of_tables_may_name_a_unit(writing: Path, rules: LintRules) -> None:
    table = "a: {columns: [{head: 'weights, millions'}, {head: 'F1'}, {column: x}], cells: [[mixup, {val: gain}], 3]}\n"
    (writing / "tables.yaml").write_text(table, encoding="utf-8")
    assert faults(writing, rules) == []


@pytest.mark.parametrize("text", HIDDEN_NUMBERS)
def test_a_number_or_a_claim_in_disguise_is_seen(writing: Path, rules: LintRules, text: str) -> None:
    assert faults(writing, rules, text + "\n")


@pytest.mark.parametrize(
    "text",
    [
        r"\begin{tabular}{@{}lr@{}}a & \val{gain} \\ b & \val{runs}\end{tabular}",
        r"\begin{align*} a &= 9 \\ b &= 7 \end{align*}",
        r"$\begin{pmatrix} 1 & 0 \\ 0 & x\end{pmatrix}$ and $a - \val{gain}$ and $x^{-1}\val{gain}$",
        r"the seeds -- \val{runs} of them -- and $a \overset{def}{=} b$ and plain--\val{gain}",
        "Does mixup beat plain training, or is it worse? A third trick is look-ahead.",
    ],
)
def test_what_only_looks_like_a_disguise_passes(writing: Path, rules: LintRules, text: str) -> None:
    assert faults(writing, rules, text + "\n") == []


def test_what_is_printed_is_what_is_read_also_if_the_file_changes_meanwhile(writing: Path, rules: LintRules) -> None:
    for now in ("It saves \\val{gain} points.\n", None):
        path = writing / "sections" / "results.tex"
        path.write_text(now) if now else path.unlink()
        source = read_sources(writing, rules, {"sections/results.tex": b"It saves 9.1 points.\n"})
        assert ["9.1" in str(fault) for fault in lint_checks(source, BOOK, rules)] == [True]
