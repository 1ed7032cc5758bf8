"""Every layout whose style is installed compiles, without bitmaps as fonts, and its numbers raise no alarm."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from papers import Paper, new_paper

from flagstone.paper.building import build
from flagstone.paper.building.typesetting import style_for
from flagstone.records import digest_file

INSTALLED = {
    "ieee_conference": "ieee",
    "ieee_journal": "ieee",
    "springer_lncs": "lncs",
    "elsevier": "elsevier",
    "aps": "aps",
    "nature": "nature",
    "jmlr": "jmlr",
    "acm_conference": "acm",
}
MUST_PASS = ("paper-build-log", "paper-pdf", "paper-audit")


def lines_of(paper: Paper) -> str:
    return (paper.run.paper / "main.tex").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("venue", INSTALLED)
def test_a_layout_of_an_installed_style_compiles(tmp_path: Path, venue: str) -> None:
    paper = new_paper(tmp_path, venue)
    order = paper.order()
    style = style_for(order.venue, order.opened.project.root)
    if style.missing:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{style.missing} is missing: make tex VENUE={venue}")
    build = paper.build()
    assert style.layout == INSTALLED[venue]
    assert {check.rule: check.message for check in build.failures if check.rule in MUST_PASS} == {}
    assert "Set in a preprint layout" not in lines_of(paper)


@pytest.mark.slow
@pytest.mark.parametrize(("venue", "columns"), [("neurips_2025", 1), ("icml_2026", 2)])
def test_a_venue_without_its_style_is_set_in_a_preprint_layout_that_says_so(
    tmp_path: Path, venue: str, columns: int
) -> None:
    paper = new_paper(tmp_path, venue)
    build = paper.build()
    assert {check.rule: check.message for check in build.failures if check.rule in MUST_PASS} == {}
    assert "Set in a preprint layout, not in the style of" in lines_of(paper)
    assert ("twocolumn" in lines_of(paper)) == (columns == 2)


def test_a_style_of_the_users_own_is_used_and_goes_into_the_record(tmp_path: Path) -> None:
    paper = new_paper(tmp_path, "neurips_2025")
    folder = tmp_path / "venues" / "neurips_2025"
    folder.mkdir(parents=True)
    (folder / "neurips_2025.sty").write_text("\\RequirePackage{natbib}\n")
    venue = paper.order().venue
    found = style_for(venue, tmp_path)
    assert (found.layout, found.package) == ("neurips", "neurips_2025")
    assert [path.name for path in found.files] == ["neurips_2025.sty"]
    assert style_for(venue, tmp_path / "elsewhere").missing == ("neurips_2025.sty",)


def first_page(pdf: Path | None) -> str:
    assert pdf is not None
    said = subprocess.run(("pdftotext", "-l", "1", pdf, "-"), capture_output=True, text=True, check=True).stdout
    return " ".join(said.split())


@pytest.mark.parametrize("venue", ["neurips_2025", "icml_2026"])
def test_page_one_says_what_is_not_as_it_should_be(tmp_path: Path, venue: str) -> None:
    paper = new_paper(tmp_path, venue)
    paper.write("sections/introduction.tex", "\\section{Introduction}\n\\cite{zhang2018mixup} and \\cite{gone_2020}.\n")
    page = first_page(paper.build(is_draft=True).pdf)
    assert f"Set in a preprint layout, not in the style of {paper.order().venue.name}." in page
    assert "Citations: checked against the records that come with the demo; no network was asked." in page
    assert "Draft: not verified: gone_2020." in page
    assert "Draft: not verified" not in first_page(paper.build().pdf)


def test_a_changed_style_of_the_users_own_makes_the_paper_anew_and_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paper, folder = new_paper(tmp_path, "neurips_2025"), tmp_path / "venues" / "neurips_2025"
    folder.mkdir(parents=True)
    style = folder / "neurips_2025.sty"
    text = "\\RequirePackage{natbib}\\AtBeginDocument{\\def\\abstractname{Style %s}}\n"
    style.write_text(text % "one")
    (folder / "references.bib").write_text("@misc{zhang2018mixup, title={A sample of the venue}}")
    monkeypatch.setattr(build, "style_for", lambda venue, _root: style_for(venue, tmp_path))

    def style_digest() -> str:
        return str(json.loads((paper.run.paper / "build.json").read_text())["style_files"][style.name])

    built = paper.build()
    assert "with venues/neurips_2025: neurips_2025.sty" in next(
        c.message for c in built.checks if c.rule == "paper-main"
    )
    page = first_page(built.pdf)
    assert "Style one" in page and "Set in a preprint layout" not in page
    assert "A sample of the venue" not in (paper.run.paper / "aux" / "main.bbl").read_text()
    assert style_digest() == digest_file(style)
    assert paper.build().made == ()
    style.write_text(text % "two")
    again = paper.build()
    assert again.made == ("paper",) and "Style two" in first_page(again.pdf)
    assert style_digest() == digest_file(style)
