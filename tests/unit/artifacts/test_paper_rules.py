"""A paper and its release material: every rule, met and broken, once with a real LaTeX run."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from material import PDF, outcome, put, statuses, turn_of

from flagstone.artifacts.formats.latex import cited_keys, entry_keys, inputs, without_comments
from flagstone.layout import Run
from flagstone.records import digest_bytes

MAIN = r"""% flagstone venue: neurips_2025
\documentclass{article}
\begin{document}
\input{sections/intro}
% \input{sections/dropped}
\bibliographystyle{plain}
\bibliography{references}
\end{document}
"""
INTRO = "We follow \\cite{hartigan1969}. Cost is 5\\% of it.\n"
BIB = "@article{hartigan1969,\n  title={Using {Subsample} Values},\n  author={J. Hartigan},\n  year={1969}\n}\n"
LOG = f"This is pdfTeX\nOutput written on main.pdf (1 page, {len(PDF)} bytes).\n"
FILES = {
    "writing/main.tex": MAIN,
    "writing/sections/intro.tex": INTRO,
    "writing/references.bib": BIB,
    "artifacts/paper.pdf": PDF,
    "artifacts/build_log.txt": LOG,
}


@pytest.fixture
def paper(run: Run) -> Run:
    for path, content in FILES.items():
        put(run, path, content)
    return run


def without(run: Run, path: str) -> Run:
    (run.workspace / path).unlink()
    return run


def test_a_whole_paper_passes_but_for_what_is_not_built_yet(paper: Run) -> None:
    found = statuses(paper, "fresh-paper", venue="neurips_2025")
    assert {rule for rule, status in found.items() if status == "not checked"} == {"citation-verification"}
    assert {rule for rule, status in found.items() if status == "failed"} == set()
    assert {"paper-main", "paper-venue", "paper-sections", "paper-bibliography", "paper-citations"} <= set(found)
    assert {"paper-pdf", "paper-fresh", "paper-build-log"} <= set(found)


def test_what_is_not_built_yet_says_that_nothing_was_verified(paper: Run) -> None:
    put(paper, "artifacts/citation_verification.json", {"total": 10, "verified": 10})
    found = outcome(paper, "paper")["citation-verification"]
    assert found.status == "not checked" and "nothing was verified" in found.message


@pytest.mark.parametrize(
    "tex",
    ["", "words", MAIN.replace(r"\documentclass", r"%\documentclass"), MAIN.replace(r"\begin{document}", "")],
)
def test_main_tex_must_be_a_document(paper: Run, tex: str) -> None:
    put(paper, "writing/main.tex", tex)
    assert statuses(paper, "paper")["paper-main"] == "failed"


def test_a_missing_main_tex_is_told_once(paper: Run) -> None:
    found = outcome(without(paper, "writing/main.tex"), "paper")
    assert found["paper-main"].status == "failed" and "does not exist" in found["paper-main"].message
    assert "paper-sections" not in found


@pytest.mark.parametrize(
    ("tex", "status"),
    [
        (MAIN, "passed"),
        (MAIN.replace("% flagstone venue", "% venue"), "passed"),
        (MAIN.replace("neurips_2025", "acl_2026"), "failed"),
        (MAIN.replace("% flagstone venue: neurips_2025", "% the signature of NeurIPS 2025"), "failed"),
    ],
)
def test_the_venue_is_named_by_its_key_and_not_by_words_in_the_text(paper: Run, tex: str, status: str) -> None:
    put(paper, "writing/main.tex", tex)
    assert statuses(paper, "paper", venue="neurips_2025")["paper-venue"] == status


def test_the_venue_may_stand_in_a_record_of_its_own(paper: Run) -> None:
    put(paper, "writing/venue.json", {"venue": "nature"})
    assert statuses(paper, "paper", venue="nature")["paper-venue"] == "passed"
    assert statuses(paper, "paper", venue="neurips_2025")["paper-venue"] == "failed"


def test_sections_must_be_read_in_and_hold_text(paper: Run) -> None:
    put(paper, "writing/sections/intro.tex", "% nothing yet\n")
    assert statuses(paper, "paper")["paper-sections"] == "failed"
    put(paper, "writing/sections/intro.tex", INTRO)
    put(paper, "writing/main.tex", MAIN.replace(r"\input{sections/intro}", "Text."))
    assert statuses(paper, "paper")["paper-sections"] == "failed"
    put(paper, "writing/main.tex", MAIN.replace("sections/intro", "sections/gone"))
    assert "sections/gone.tex" in outcome(paper, "paper")["paper-sections"].message


@pytest.mark.parametrize("bib", ["", "no entries", "@article{x, title={open}", "@article{title={x}}"])
def test_a_bibliography_must_be_whole_and_hold_entries(paper: Run, bib: str) -> None:
    put(paper, "writing/references.bib", bib)
    found = outcome(paper, "paper")["paper-bibliography"]
    assert found.status == "failed" and "references.bib" in found.message


def test_a_bibliography_must_be_named_and_be_there(paper: Run) -> None:
    assert statuses(without(paper, "writing/references.bib"), "paper")["paper-bibliography"] == "failed"
    put(paper, "writing/references.bib", BIB)
    put(paper, "writing/main.tex", MAIN.replace(r"\bibliography{", r"%\bibliography{"))
    assert statuses(paper, "paper")["paper-bibliography"] == "failed"


def test_citations_must_be_there_and_be_known(paper: Run) -> None:
    put(paper, "writing/sections/intro.tex", "No citation.")
    assert statuses(paper, "paper")["paper-citations"] == "failed"
    put(paper, "writing/sections/intro.tex", r"\citep[see][p.~3]{hartigan1969, invented2024}")
    found = outcome(paper, "paper")["paper-citations"]
    assert found.status == "failed" and "invented2024" in found.message and "hartigan" not in found.message


@pytest.mark.parametrize("content", [b"", b"%PDF-1.4 a placeholder", b"words", PDF[:-8], b"%PDF-1.4\n%%EOF\n"])
def test_a_pdf_must_be_real(paper: Run, content: bytes) -> None:
    put(paper, "artifacts/paper.pdf", content)
    found = outcome(paper, "paper")["paper-pdf"]
    assert found.status == "failed" and "workspace/artifacts/paper.pdf" in found.message


def test_the_pdf_may_lie_beside_its_sources(paper: Run) -> None:
    without(paper, "artifacts/paper.pdf")
    assert statuses(paper, "paper")["paper-pdf"] == "failed"
    put(paper, "writing/main.pdf", PDF)
    assert statuses(paper, "paper")["paper-pdf"] == "passed"


def test_an_old_pdf_is_not_fresh(paper: Run) -> None:
    assert statuses(paper, "fresh-paper", turn=turn_of(paper))["paper-fresh"] == "failed"
    assert "paper-fresh" not in statuses(paper, "paper", turn=turn_of(paper))


@pytest.mark.parametrize(
    "log",
    [
        "",
        "This is pdfTeX\n",
        LOG + "! Undefined control sequence.\n",
        LOG + "./main.tex:7: LaTeX Error: File `x.sty' not found.\n",
        "Output written on main.pdf (9 pages, 123456 bytes).\n",
        "Output written on a/very/long/path/that/TeX/breaks/after/79/characters/main.pdf (9 pag\nes, 12 bytes).\n",
    ],
)
def test_a_build_log_must_be_whole_free_of_errors_and_about_this_pdf(paper: Run, log: str) -> None:
    put(paper, "artifacts/build_log.txt", log)
    assert statuses(paper, "paper")["paper-build-log"] == "failed"


def test_a_log_of_several_passes_is_judged_by_its_last(paper: Run) -> None:
    put(paper, "artifacts/build_log.txt", "Output written on main.pdf (1 page, 7 bytes).\n" + LOG)
    assert statuses(paper, "paper")["paper-build-log"] == "passed"
    put(paper, "artifacts/build_log.txt", "note: Writing `main.pdf` (17.5 KiB)\n")
    assert statuses(paper, "paper")["paper-build-log"] == "passed"


def test_latex_is_read_as_latex_reads_it() -> None:
    assert without_comments(r"5\% of it % note") == r"5\% of it "
    assert without_comments(r"end \\% note") == r"end \\"
    assert inputs(r"\input{a}\include{b/c.tex}\input d \subfile{../x}") == ["a.tex", "b/c.tex", "d.tex", "../x.tex"]
    assert cited_keys(r"\cite{a,b} \citet*[x][y]{c} \parencite{d} \nocite{*} \textcite{e}") == set("abcde")
    bib = "@string{x = {y}}\n@comment{@article{no,}}\n@book(b1, title={a (b) c})\n@misc{c2,x={\\}}}"
    assert list(entry_keys(bib)) == ["b1", "c2"]


def test_files_of_the_tex_installation_and_optional_ones_are_not_missed(paper: Run) -> None:
    extra = r"\input{glyphtounicode}\IfFileExists{venue/own}{\input{venue/own}}{}\newcommand{\t}[1]{\input{t/#1}}"
    put(paper, "writing/main.tex", MAIN + extra)
    assert statuses(paper, "paper")["paper-sections"] == "passed"


def test_sources_that_read_each_other_in_end(paper: Run) -> None:
    put(
        paper,
        "writing/sections/intro.tex",
        INTRO + r"\input{main}\input{sections/intro}\input{../../../../etc/hostname}",
    )
    found = outcome(paper, "paper")["paper-sections"]
    assert found.status == "failed" and "missing" in found.message


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="no LaTeX here")
def test_what_pdflatex_really_makes_passes(paper: Run, tmp_path: Path) -> None:
    writing = paper.workspace / "writing"
    text = MAIN.replace(r"\bibliographystyle{plain}", "").replace(r"\bibliography{", r"\IfFileExists{x}{\bibliography{")
    put(paper, "writing/main.tex", text.replace("references}", "references}}{}"))
    put(paper, "writing/sections/intro.tex", INTRO + r"\newpage Second page.")
    command = ["pdflatex", "-interaction=nonstopmode", "main.tex"]
    subprocess.run(command, cwd=writing, check=True, capture_output=True, timeout=300)
    shutil.copy(writing / "main.log", paper.workspace / "artifacts" / "build_log.txt")
    shutil.copy(writing / "main.pdf", paper.workspace / "artifacts" / "paper.pdf")
    found = outcome(paper, "fresh-paper")
    assert found["paper-pdf"].message == "workspace/artifacts/paper.pdf, 2 pages"
    assert found["paper-build-log"].status == found["paper-main"].status == "passed"
    put(paper, "artifacts/paper.pdf", PDF)
    assert statuses(paper, "paper")["paper-build-log"] == "failed"


READY = {
    "reviews/threats_to_validity.md": "One threat.",
    "artifacts/release_notes.md": "The first release.",
}


@pytest.fixture
def release(run: Run) -> Run:
    for path, content in READY.items():
        put(run, path, content)
    rows = [{"path": "workspace/notes/plan.md", "sha256": digest_bytes(b"the plan")}]
    put(run, "artifacts/artifact_manifest.json", {"artifacts": rows})
    return run


def test_release_material_passes_and_nothing_is_left_unchecked(release: Run) -> None:
    found = statuses(release, "fresh-readiness")
    assert set(found.values()) == {"passed"} and "readiness-fresh" in found


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("reviews/threats_to_validity.md", "threats-to-validity"),
        ("artifacts/artifact_manifest.json", "artifact-manifest"),
        ("artifacts/release_notes.md", "release-notes"),
    ],
)
def test_each_document_of_a_release_must_be_there_and_hold_something(release: Run, path: str, rule: str) -> None:
    put(release, path, " \n")
    found = outcome(release, "readiness")[rule]
    assert found.status == "failed" and path in found.message
    assert path in outcome(without(release, path), "readiness")[rule].message


def test_a_document_may_lie_in_the_other_room_under_its_other_name(release: Run) -> None:
    without(release, "artifacts/release_notes.md")
    put(release, "reviews/release_notes.md", "Notes.")
    assert statuses(release, "readiness")["release-notes"] == "passed"


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{"path": "workspace/gone.md"}],
        [{"path": "../../etc/hostname"}],
        [{"path": "/etc/hostname"}],
        [{"path": "workspace/notes/plan.md", "sha256": "0" * 64}],
        [{"path": "a\0b"}],
        ["workspace/notes/plan.md"],
    ],
)
def test_an_artifact_manifest_must_fit_the_files(release: Run, rows: list[object]) -> None:
    put(release, "artifacts/artifact_manifest.json", {"artifacts": rows})
    assert statuses(release, "readiness")["artifact-manifest"] == "failed"


def test_release_material_from_before_the_stage_is_not_fresh(release: Run) -> None:
    turn = turn_of(release)
    put(release, "reviews/threats_to_validity.md", "Another threat.")
    found = outcome(release, "fresh-readiness", turn=turn)["readiness-fresh"]
    assert found.status == "failed" and "release_notes.md" in found.message
    assert "threats" not in found.message
    assert "readiness-fresh" not in statuses(release, "readiness", turn=turn)
