"""The paper of a campaign has the tables that Flagstone makes of its trial, in the section Results."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_runs import make_trial
from papers import CHECKOUT

from flagstone.layout import Run
from flagstone.paper.building.appendix import campaign_check, campaign_tables
from flagstone.paper.facts import Tables
from flagstone.paper.linting import PaperSource, lint_rules, read_sources

TABLES = ("campaign-variance", "campaign-seeds", "campaign-effects", "campaign-times")
RESULTS = "\\section{Results}\nWe found this.\n" + "".join(f"\\input{{tables/{name}}}\n" for name in TABLES)
SECTIONS = {
    "related": "\\section{Related work}\nOthers did that.\n",
    "results": RESULTS,
    "discussion": "\\section{Discussion}\nIt may be wrong.\n",
}


def source_of(folder: Path, **changes: str) -> PaperSource:
    sections = {**SECTIONS, **changes}
    (folder / "sections").mkdir(parents=True)
    (folder / "abstract.tex").write_text("We ask.\n")
    (folder / "paper.yaml").write_text(f"title: A paper\nsections: [{', '.join(sections)}]\n")
    for name, text in sections.items():
        (folder / "sections" / f"{name}.tex").write_text(text)
    return read_sources(folder, lint_rules(CHECKOUT / "config", CHECKOUT / "schemas", ()))


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    run = Run(tmp_path / "run")
    pair = {"slot": "b1", "seed": 987654, "control": 0.5, "treated": 0.4, "improvement": 0.1, "status": "ok"}
    confirmation = {"n": 4, "mean": 0.1, "ci_low": 0.02, "ci_high": 0.18, "p": 0.01, "d": 1.5, "g": 1.25}
    treated = {"arm": "treated", "title": "A trick", "outcome": "SUPPORTED"}
    dropped = {"arm": "idea2", "title": "Never ran", "outcome": "FAILED CHECK"}
    ideas = [{**treated, "confirmation": {**confirmation, "pairs": [pair]}}, dropped]
    make_trial(run, ideas=ideas)
    return campaign_tables(run, Tables())


def test_the_four_tables_are_made_from_the_ledger(tables: Tables) -> None:
    assert tuple(tables.tex) == TABLES
    variance, seeds, effects, times = (tables.tex[name] for name in TABLES)
    assert "42 & ok" in variance and "mean & n = 2" in variance and "sd & n = 2" in variance
    assert "987654 & 0.5 & 0.4 & 0.1 & confirmation" in seeds
    assert "A trick & supported & 4 & 0.1 & 0.02 to 0.18 & 1.5 & 1.25 & confirmation" in effects
    assert "Never ran & failed check & 0" in effects
    assert "control & 3 & 0 & 2.50 & 0.00" in times
    assert "987654" in tables.printed["campaign-seeds"]


def test_a_paper_that_places_them_in_results_passes(tmp_path: Path) -> None:
    assert campaign_check(source_of(tmp_path)).status == "passed"


@pytest.mark.parametrize("name", TABLES)
def test_a_missing_table_is_named(tmp_path: Path, name: str) -> None:
    found = campaign_check(source_of(tmp_path, results=RESULTS.replace(f"\\input{{tables/{name}}}\n", "")))
    assert found.status == "failed" and f"tables/{name}}} into the section Results" in found.message


def test_a_table_in_another_section_is_not_in_results(tmp_path: Path) -> None:
    moved = {"results": "\\section{Results}\nSee below.\n", "more": RESULTS.replace("Results", "Details")}
    assert "campaign-effects" in campaign_check(source_of(tmp_path, **moved)).message


@pytest.mark.parametrize(("name", "title"), [("related", "Related Work"), ("discussion", "Discussion")])
def test_a_section_that_is_missing_or_empty_is_named(tmp_path: Path, name: str, title: str) -> None:
    for number, text in enumerate(("", f"\\section{{{title}}}\n")):
        found = campaign_check(source_of(tmp_path / str(number), **{name: text}))
        assert found.status == "failed" and f"write the section {title}" in found.message
