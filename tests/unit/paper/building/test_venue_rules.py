"""A paper keeps to the rules of its venue: pages, words, headings, and for an anonymous venue no name of anybody."""

from __future__ import annotations

import io
import subprocess
from dataclasses import replace
from pathlib import Path

import pypdf
import pytest
from papers import Paper, new_paper

from flagstone.paper.building import pdf_checks
from flagstone.paper.building.typesetting import Printed, Venue, WrittenText, giveaways, limit_problems, read_pdf
from flagstone.paper.building.typesetting.printed import fonts_in

VENUE = Venue(
    key="v", name="Venue", kind="conference", columns=1, page_limit=2, references_in_limit=False, abstract_words=4,
    bibliography_style="plain", required_sections=("Method", "Limitations"), statements=("Ethics Statement",),
    anonymous=True, layout="preprint",
)  # fmt: skip
TEXT = WrittenText(
    "One two three four.",
    "\\section{Methods}\nWords.\n\\section{Limitations}\nWords.\n",
    "\\section{Ethics statement}\nWords.\n",
)
LABEL = "\\newlabel{flagstone:%s}{{\\mbox {III}}{%d}{}{section.3}{}}\n"


def aux(text: int, references: int) -> str:
    return LABEL % ("text", text) + LABEL % ("references", references)


def problems(venue: Venue = VENUE, text: WrittenText = TEXT, of_aux: str = aux(2, 3)) -> str:
    return "; ".join(limit_problems(venue, text, of_aux))


def test_a_paper_within_its_limits_is_fine() -> None:
    assert problems() == ""


def test_the_page_limit_holds_without_the_references_or_with_them() -> None:
    assert "the text ends on page 3, and Venue allows 2" in problems(of_aux=aux(3, 3))
    with_references = replace(VENUE, references_in_limit=True)
    assert "text and references end on page 3, and Venue allows 2" in problems(with_references)
    assert problems(with_references, of_aux=aux(2, 2)) == ""


def test_a_label_that_the_agent_wrote_as_well_does_not_end_the_paper_earlier() -> None:
    assert "page 5" in problems(of_aux=LABEL % ("text", 1) + aux(5, 6))


def test_a_page_that_nobody_knows_is_no_page_within_the_limit() -> None:
    assert "cannot be checked" in problems(of_aux="\\relax")
    assert problems(replace(VENUE, page_limit=None), of_aux="") == ""


def test_the_words_of_the_abstract_are_those_that_it_prints() -> None:
    words = "\\claim{loss_gain}{It gains \\val{loss_gain} \\lit{eight}{a word of the title}.} % a remark"
    assert problems(text=replace(TEXT, abstract=words)) == ""
    assert "it has 5 words, and Venue allows 4" in problems(text=replace(TEXT, abstract="One two three four five."))


def test_a_section_or_statement_that_is_missing_is_named() -> None:
    found = problems(text=WrittenText("One.", "\\section{Method}\nWords.\n% \\section{Limitations}\n"))
    assert "sections that Venue asks for" in found and "Limitations" in found
    assert "statements that Venue asks for" in found and "Ethics Statement" in found
    assert "Method;" not in found


def test_a_heading_without_a_word_below_it_is_no_section() -> None:
    empty = "\\section{Method}\n\\subsection{Data}\nWords.\n\\section{Limitations}\\label{sec:limits}\n\n"
    assert "Limitations" in problems(text=replace(TEXT, before_references=empty.replace("\\label{sec:limits}", "")))
    assert problems(text=replace(TEXT, before_references=empty + "Words.")) == ""


def test_no_required_section_escapes_the_page_limit_behind_the_references() -> None:
    moved = WrittenText(
        "One.", "\\section{Method}\nWords.\n", "\\section{Limitations}\nW.\n\\section{Ethics Statement}\nW."
    )
    assert "Limitations" in problems(text=moved)
    assert problems(replace(VENUE, references_in_limit=True), moved, aux(1, 2)) == ""


def test_a_paper_that_is_too_long_fails_the_rule_of_its_venue(tmp_path: Path) -> None:
    paper = new_paper(tmp_path, "icml_2026")
    paper.write("sections/method.tex", "\\section{Method}\n" + "Words and more words. \\clearpage\n" * 9)
    found = paper.failures()["paper-venue"]
    assert "the text ends on page" in found and "ICML 2026 allows 8" in found
    assert "statements that ICML 2026 asks for" in found


@pytest.fixture
def anonymous(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paper:
    """An anonymous paper that breaks no rule of its venue, whose person is known to git and to this machine."""
    identity = pdf_checks.GitIdentity(("Maria Lindqvist",), ("github.com/mlindq/flagship",))
    monkeypatch.setattr(pdf_checks, "git_identity", lambda _folder: identity)
    monkeypatch.setattr(pdf_checks, "login_name", lambda _uid: "mlindq")
    paper = new_paper(tmp_path, "icml_2026")
    paper.write("sections/conclusion.tex", "\\section{Conclusion}\nWords.\n\\section{Impact Statement}\nWords.\n")
    return paper


def test_an_anonymous_paper_without_a_name_is_fine(anonymous: Paper) -> None:
    anonymous.describe(authors=["Anna Bergström"])
    anonymous.run.brief.write_text("A study by Anna Bergström.")
    assert "paper-venue" not in anonymous.failures()
    assert "Anonymous Authors" in (anonymous.run.paper / "main.tex").read_text()


def test_names_addresses_and_paths_give_authors_away_wherever_they_stand(anonymous: Paper) -> None:
    anonymous.describe(authors=["Anna Bergström"], title="A paper from the lab of Maria Lindqvist")
    anonymous.run.brief.write_text("A study by Anna Bergström.")
    folder = str(anonymous.run.root).replace("_", "\\_")
    text = (
        f"\\section{{Method}}\n\\subsection{{Words of Anna Bergström}}\nWrite to "
        "maria@example.org. Files of mlindq lie in "
        f"\\texttt{{{folder}}}.\n"
        "See github.com/mlindq/flagship and \\href{https://example.org/lab}{here}.\n"
    )
    anonymous.write("sections/method.tex", text)
    found = anonymous.failures()["paper-venue"]
    for each in (
        "the name Maria Lindqvist in the text",
        "the name Maria Lindqvist in the metadata",
        "the name Anna Bergström in the text",
        "the name Anna Bergström in a bookmark",
        "the name mlindq in the text",
        "the path github.com/mlindq/flagship in the text",
        f"the path {anonymous.run.root} in the text",
        "the address maria@example.org in the text",
        "the address https://example.org/lab in a link",
    ):
        assert each in found, found


PLAIN = Printed(1, "", (), (), (), ())


def test_a_name_is_found_where_a_line_ends_in_the_middle_of_it() -> None:
    for text in ("by Maria\nLindqvist", "by Maria Lind-\nqvist", "by MARIA LINDQVIST"):
        assert list(giveaways(replace(PLAIN, text=text), ["Maria Lindqvist"], [])) != []
    assert list(giveaways(replace(PLAIN, text="in /srv/maria/\nruns/t"), [], ["/srv/maria/runs"])) != []
    assert list(giveaways(replace(PLAIN, text="Marian Lindqvists"), ["Maria Lindqvist"], ["/srv"])) == []


def test_a_work_of_the_authors_may_be_cited_like_any_other() -> None:
    printed = replace(PLAIN, text="as shown before.\nReferences\n[1] Maria Lindqvist. A work.")
    assert list(giveaways(printed, ["Maria Lindqvist"], [], "Maria~Lindqvist. A work.")) == []
    twice = replace(printed, text=f"Maria Lindqvist\n{printed.text}")
    assert list(giveaways(twice, ["Maria Lindqvist"], [], "Maria~Lindqvist. A work.")) != []


def test_metadata_is_read_in_both_of_its_forms(tmp_path: Path) -> None:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(72, 72)
    writer.add_metadata({"/Creator": "the tool of Maria Lindqvist"})
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<a:A xmlns:a="http://www.aiim.org/pdfa/ns/schema#"><a:namespaceURI>http://ns.adobe.com/pdf/1.3/</a:namespaceURI></a:A>'
        "<dc:creator>Anna Berg</dc:creator></rdf:RDF></x:xmpmeta>"
    )
    writer.xmp_metadata = packet.encode()
    target = tmp_path / "a.pdf"
    writer.write(target)
    found = list(giveaways(read_pdf(target), ["Maria Lindqvist", "Anna Berg"], []))
    assert found == ["the name Maria Lindqvist in the metadata", "the name Anna Berg in the metadata"]


def test_what_git_knows_of_a_person_is_looked_for(tmp_path: Path) -> None:
    for words in (
        ["init", "-q"],
        ["config", "user.name", "Maria Lindqvist"],
        ["config", "user.email", "maria@example.org"],
        ["remote", "add", "origin", "git@github.com:mlindq/flagship.git"],
        ["remote", "add", "other", "https://token@git.example.org/mlindq/other.git"],
    ):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    found = pdf_checks.git_identity(tmp_path)
    assert {"Maria Lindqvist", "maria@example.org"} <= {*found.names}
    assert found.remotes == ("github.com/mlindq/flagship", "git.example.org/mlindq/other")


def figure(folder: Path, **settings: object) -> bytes:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"pdf.compression": 0, **settings}):
        drawn, content = Figure(figsize=(3, 2)), io.BytesIO()
        drawn.subplots().set_xlabel("seed of the run")
        drawn.savefig(content, format="pdf")
    return content.getvalue()


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"pdf.fonttype": 3}, "Type 3 fonts are in it ("),
        ({"pdf.use14corefonts": True}, "embed every font, in figures too: Helvetica"),
        ({"pdf.fonttype": 42}, ""),
    ],
)
def test_a_font_that_venues_refuse_fails_the_pdf(tmp_path: Path, settings: dict[str, object], problem: str) -> None:
    target = tmp_path / "figure.pdf"
    target.write_bytes(figure(tmp_path, **settings))
    found = pdf_checks.pdf_check(target)
    assert (found.rule, found.status) == ("paper-pdf", "failed" if problem else "passed")
    assert problem in found.message


def test_a_long_name_of_a_font_hides_neither_its_kind_nor_that_it_is_missing() -> None:
    table = """name                                 type              encoding         emb sub uni object ID
------------------------------------ ----------------- ---------------- --- --- --- ---------
AVeryLongNameOfAFontThatGoesOnAndOnAndOn-Regular Type 3            Custom           yes no  no      12  0
AnotherVeryLongNameOfAFontThatIsNotThere-Regular CID TrueType      Identity-H       no  no  yes     13  0
[none]                               Type 1C (OT)      WinAnsi          yes yes no      14  0
what nobody can read
"""
    rows = [(kind, embedded) for _, kind, embedded in fonts_in(table)]
    assert rows == [("Type 3", True), ("CID TrueType", False), ("Type 1C", True), ("", False)]
