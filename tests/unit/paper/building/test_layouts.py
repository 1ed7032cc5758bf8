"""Every layout whose style is installed compiles, without bitmaps as fonts, and its numbers raise no alarm."""

from __future__ import annotations

from pathlib import Path

import pytest
from papers import Paper, new_paper

from flagstone.paper.building.typesetting import style_for

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
        pytest.skip(f"{style.missing} is not installed: make tex VENUE={venue}")
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
