"""Ways to print a number that no one measured, each built with real pdflatex: the audit has to fail."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import built_papers as papers
import pytest

from flagstone.paper.auditing import AuditReport, ExpectedDigits, audit_pdf

FACT = ExpectedDigits(facts=Counter(["0.93"]))
TIKZ = "\\usepackage{tikz}"
HYPER = "\\usepackage{hyperref}"
TYPED = {
    "plain": "99.1",
    "white": "{\\color{white}99.1}",
    "two points high": "{\\fontsize{2}{2}\\selectfont 99.1}",
    "invisible": "\\pdfliteral direct{3 Tr}99.1\\pdfliteral direct{0 Tr}",
    "drawn": "\\begin{tikzpicture}\\node{99.1};\\end{tikzpicture}",
    "rotated": "\\rotatebox{37}{99.1}",
    "upside down": "\\rotatebox{180}{99.1}",
    "mirrored": "\\reflectbox{99.1}",
    "verbatim": "\\verb|99.1|",
    "heading": "\\section*{A gain of 99.1}",
    "codes of characters": "\\char57\\char57.\\char49",
    "computed": "\\number\\numexpr 90+9\\relax.1",
    "braces": "99{.}1",
    "mathematics": "$99{.}1$",
    "old style": "\\oldstylenums{99.1}",
    "raised": "\\textsuperscript{99.1}",
    "spaced": "9\\,9.1",
    "footnote": "word\\footnote{It was 99.1 before.}",
    "margin": "\\marginpar{99.1}",
    "table": "\\begin{tabular}{c}99.1\\end{tabular}",
    "roman by its letters": "\\romannumeral 0 99.1",
}


def audited(folder: Path, body: str, preamble: str = "", expected: ExpectedDigits = FACT) -> AuditReport:
    return audit_pdf(papers.build(folder, f"The gain is 0.93. {body}", preamble), expected)


@pytest.mark.parametrize("way", TYPED)
def test_a_typed_number_is_found_however_it_is_set(tmp_path: Path, way: str) -> None:
    report = audited(tmp_path, TYPED[way], f"\\usepackage{{xcolor}}{TIKZ}")
    digits = Counter("".join(stray.text for stray in report.strays))
    assert digits["9"] >= 2 and digits["1"] >= 1, (report.strays, report.faults)
    assert report.checks[0].status == "failed"


def test_a_number_off_the_page_is_found(tmp_path: Path) -> None:
    report = audited(tmp_path, "\\hbox to 0pt{\\hskip-9in 99.1\\hss}")
    assert "the text layer differs: pypdf alone reads 199" in report.faults[0]


def test_a_text_that_reads_as_another_one_is_found(tmp_path: Path) -> None:
    span = "\\pdfliteral direct{/Span <</ActualText (0.19)>> BDC}0.91\\pdfliteral direct{EMC}"
    expected = ExpectedDigits(facts=Counter(["0.93", "0.19"]))
    report = audited(tmp_path, span, expected=expected)
    assert any("/ActualText" in fault for fault in report.faults)


def test_a_text_that_reads_as_nothing_is_found(tmp_path: Path) -> None:
    span = "\\pdfliteral direct{/Span <</ActualText (none)>> BDC}99.1\\pdfliteral direct{EMC}"
    assert any("pypdf alone reads 199" in fault for fault in audited(tmp_path, span).faults)


def test_a_disguised_name_of_the_other_reading_is_found(tmp_path: Path) -> None:
    span = "\\catcode`\\#=12 \\pdfliteral direct{/Span <</Actual#54ext (none)>> BDC}1\\pdfliteral direct{EMC}"
    assert any("/ActualText" in fault for fault in audited(tmp_path, span).faults)


@pytest.mark.parametrize("encoding", ["OT1", "T1"])
def test_a_changed_glyph_map_is_found(tmp_path: Path, encoding: str) -> None:
    preamble = f"\\usepackage[{encoding}]{{fontenc}}\\usepackage{{mathptmx}}"
    glyphs = "\\pdfgentounicode=1\\pdfglyphtounicode{nine}{0061}\\pdfglyphtounicode{one}{0062}"
    report = audited(tmp_path, "It is 99.1.", preamble + glyphs)
    assert any("the glyph nine reads as 'a'" in fault for fault in report.faults)


def test_a_changed_glyph_map_of_computer_modern_is_found(tmp_path: Path) -> None:
    report = audited(tmp_path, "It is 99.1.", "\\pdfgentounicode=1\\pdfglyphtounicode{nine}{0061}")
    assert any("the glyph nine reads as 'a'" in fault for fault in report.faults)


def test_a_letter_that_reads_as_a_digit_is_found(tmp_path: Path) -> None:
    report = audited(tmp_path, "x", "\\pdfgentounicode=1\\pdfglyphtounicode{x}{0039}")
    assert any("the glyph x reads as '9'" in fault for fault in report.faults)


def test_an_honest_glyph_map_is_fine(tmp_path: Path) -> None:
    preamble = "\\input{glyphtounicode}\\pdfgentounicode=1"
    assert audited(tmp_path, "One half, ff, fi.", preamble).has_passed


def test_a_type_3_font_is_refused(tmp_path: Path) -> None:
    report = audited(tmp_path, "é", "\\usepackage[T1]{fontenc}\\pdfmapfile{}")
    assert any("a Type 3 font can draw any digit" in fault for fault in report.faults)


def test_a_note_with_a_number_is_refused(tmp_path: Path) -> None:
    note = "\\pdfannot width 1cm height 1cm {/Subtype /Text /Contents (It was 99.1)}"
    (check,) = audited(tmp_path, note).checks
    assert "an annotation or form field holds a number, “It was 99.1”" in check.message


def test_a_form_field_with_a_number_is_refused(tmp_path: Path) -> None:
    field = "\\begin{Form}\\TextField[name=a,value={99.1}]{Gain}\\end{Form}"
    assert any("form field holds a number, “99.1”" in fault for fault in audited(tmp_path, field, HYPER).faults)


def test_a_program_in_the_file_is_refused(tmp_path: Path) -> None:
    script = "\\pdfcatalog{/OpenAction << /S /JavaScript /JS (app.beep) >>}"
    assert any("an action: JavaScript" in fault for fault in audited(tmp_path, script).faults)


def test_an_attached_file_is_refused(tmp_path: Path) -> None:
    report = audited(tmp_path, "", "\\usepackage{embedfile}\\embedfile{paper.tex}")
    assert any("the PDF holds another file" in fault for fault in report.faults)


def test_a_number_in_a_bookmark_alone_is_refused(tmp_path: Path) -> None:
    report = audit_pdf(papers.build(tmp_path, "Text 0.93.\\pdfbookmark{Gain 99.1}{a}", HYPER, passes=2), FACT)
    assert any("99.1 stands in the bookmark" in fault for fault in report.faults)


def test_a_number_in_the_title_of_the_file_alone_is_refused(tmp_path: Path) -> None:
    report = audited(tmp_path, "", f"{HYPER}\\hypersetup{{pdftitle={{Gain 99.1}}}}")
    assert any("99.1 stands in the PDF's Title" in fault for fault in report.faults)


def test_a_negative_zero_is_named(tmp_path: Path) -> None:
    (check,) = audited(tmp_path, "It is $-$0.000.", expected=ExpectedDigits(facts=Counter(["0.93", "0.000"]))).checks
    assert "a negative zero" in check.message


def test_a_minus_sign_before_a_fact_is_a_number_of_its_own(tmp_path: Path) -> None:
    report = audited(tmp_path, "It is $-0.93$.", expected=ExpectedDigits(facts=Counter(["0.93", "0.93"])))
    assert [stray.text for stray in report.strays] == ["-0.93"]


def test_a_fact_that_is_typed_once_more_is_found(tmp_path: Path) -> None:
    report = audited(tmp_path, "Again 0.93.")
    assert [stray.text for stray in report.strays] == ["0.93"]


@pytest.mark.parametrize(
    "content", [b"", b"%PDF-1.5\n", b"not a PDF", b"%PDF-1.7\n1 0 obj<</Type/Catalog>>\ntrailer<</Root 1 0 R>>"]
)
def test_a_broken_file_fails_with_its_name(tmp_path: Path, content: bytes) -> None:
    pdf = tmp_path / "paper.pdf"
    pdf.write_bytes(content)
    (check,) = audit_pdf(pdf, FACT).checks
    assert check.status == "failed" and "paper.pdf: " in check.message


def test_a_missing_file_fails_with_its_name(tmp_path: Path) -> None:
    (check,) = audit_pdf(tmp_path / "paper.pdf", FACT).checks
    assert check.status == "failed" and "paper.pdf: " in check.message


def test_two_results_that_touch_are_no_third_one(tmp_path: Path) -> None:
    report = audited(tmp_path, "It is 0.9312.", expected=ExpectedDigits(facts=Counter(["0.93", "0.93", "12"])))
    assert [stray.text for stray in report.strays] == ["0.9312"]


def test_a_small_number_may_touch_a_result_only_if_it_is_raised(tmp_path: Path) -> None:
    expected = ExpectedDigits(facts=Counter(["0.93", "0.93"]), formulas=Counter(["2"]))
    assert audited(tmp_path / "raised", "It is $0.93^2$.", expected=expected).has_passed
    report = audited(tmp_path / "beside", "It is 0.93$2$.", expected=expected)
    assert [stray.text for stray in report.strays] == ["0.932"]


def test_a_figure_with_other_digits_than_its_job_made_is_found(tmp_path: Path) -> None:
    made = papers.build(tmp_path / "made", "Loss 1.5, 2.5.", name="loss")
    paper = "\\includegraphics[width=3cm]{%s}"
    expected = ExpectedDigits(facts=Counter(["0.93"]), figures=(made,))
    assert audited(tmp_path / "honest", paper % made, expected=expected).has_passed
    other = papers.build(tmp_path / "other", "Loss 0.5, 2.5.", name="loss")
    report = audited(tmp_path / "changed", paper % other, expected=expected)
    assert [stray.text for stray in report.strays] == ["0.5", "2.5"]
    assert any("a picture is included that no figure job made" in fault for fault in report.faults)


def test_the_digits_of_a_bitmap_are_named_as_unread(tmp_path: Path) -> None:
    from PIL import Image

    Image.new("L", (20, 20)).save(tmp_path / "dots.png")
    report = audited(tmp_path, "\\includegraphics{dots.png}")
    assert report.has_passed
    assert "the digits inside 1 bitmap are not read (page 1)" in report.checks[0].message


def test_a_paper_with_a_password_cannot_be_audited(tmp_path: Path) -> None:
    from pypdf import PdfWriter

    writer = PdfWriter(clone_from=papers.build(tmp_path, "The gain is 0.93."))
    writer.encrypt("secret")
    writer.write(tmp_path / "locked.pdf")
    (check,) = audit_pdf(tmp_path / "locked.pdf", FACT).checks
    assert check.status == "failed" and "locked.pdf: it is encrypted" in check.message


def test_a_paper_of_3000_pages_is_not_read(tmp_path: Path) -> None:
    from pypdf import PdfReader, PdfWriter

    page, writer = PdfReader(papers.build(tmp_path, "The gain is 0.93.")).pages[0], PdfWriter()
    for _ in range(3000):
        writer.add_page(page)
    writer.write(tmp_path / "long.pdf")
    (check,) = audit_pdf(tmp_path / "long.pdf", FACT).checks
    assert "it has 3000 pages; at most 500 are audited" in check.message


def test_a_stream_that_unpacks_without_end_is_bounded(tmp_path: Path) -> None:
    import zlib

    pdf = papers.build(tmp_path, "The gain is 0.93.", "\\pdfcompresslevel=0\\pdfobjcompresslevel=0")
    bomb = zlib.compress(b"0" * 300_000_000, 9)
    head, _, tail = pdf.read_bytes().partition(b"stream\n")
    end = tail.index(b"endstream")
    begin = head.rindex(b"<<")
    changed = (
        head[:begin] + b"<</Filter/FlateDecode/Length %d>>\n" % len(bomb) + b"stream\n" + bomb + b"\n" + tail[end:]
    )
    pdf.write_bytes(changed)
    assert audit_pdf(pdf, FACT).checks[0].status == "failed"


def test_without_poppler_nothing_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pdf = papers.build(tmp_path, "The gain is 0.93.")
    monkeypatch.setenv("PATH", str(tmp_path))
    (check,) = audit_pdf(pdf, FACT).checks
    assert check.status == "failed"
    assert "cannot start pdftotext" in check.message and "flagstone doctor" in check.message
