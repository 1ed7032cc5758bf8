"""The tables of a campaign, made from the ledger of its trial, and what its paper may not leave out of Results."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from flagstone.artifacts.rules import RuleCheck, failed_check, passed_check
from flagstone.layout import Run
from flagstone.paper.building.appendix.entries import NOTHING, interval_text, number_text
from flagstone.paper.building.appendix.long_tables import plain
from flagstone.paper.building.appendix.trials import LedgerRun, TrialHistory, TrialsOfRun, ended_ideas
from flagstone.paper.facts import TableCell, Tables, tabular
from flagstone.paper.linting import PaperSource
from flagstone.plans import CONTROL
from flagstone.statistics import deviation, mean
from flagstone.text import list_text

RULE = "paper-campaign"
RESULTS = "results"
WANTED = {"related work": "Related Work", "discussion": "Discussion"}
MOST_ROWS = 60
CampaignRows = list[tuple[str, ...]]


def campaign_tables(run: Run, tables: Tables) -> Tables:
    """The tables of a paper with those of its campaign, which the agent places and does not write."""
    start = campaign_trial(run)
    made = {name: make(start) for name, make in TABLES.items()} if start else {}
    grids = {name: [[cell_of(cell) for cell in row] for row in rows[1:]] for name, rows in made.items()}
    tex = {name: tabular(list(rows[0]), grids[name]) for name, rows in made.items()}
    printed = {
        name: tuple(plain(cell) for row in rows for cell in row if re.search(r"\d", cell))
        for name, rows in made.items()
    }
    return replace(tables, tex={**tables.tex, **tex}, printed={**tables.printed, **printed})


def campaign_trial(run: Run) -> TrialHistory | None:
    """The one trial of a campaign."""
    return next((TrialHistory(plan, plan.folder.root) for plan in TrialsOfRun(run).plans), None)


def cell_of(text: str) -> TableCell:
    return TableCell(plain(text), is_number=bool(re.match(r"[−\d]", text)))


def variance_rows(start: TrialHistory) -> CampaignRows:
    """The baseline seed by seed, then its mean and its standard deviation."""
    runs = [run for run in runs_of(start, CONTROL, "a") if "r" not in run.slot]
    rows: CampaignRows = [("seed", "status", start.metric, "seconds")]
    rows += [(start.seed(run.slot), run.status, number_text(run.value), f"{run.wall_s:.2f}") for run in runs]
    values = [run.value for run in runs if run.value is not None]
    if len(values) > 1:
        rows.append(("mean", f"n = {len(values)}", number_text(mean(values)), NOTHING))
        rows.append(("sd", f"n = {len(values)}", number_text(deviation(values)), NOTHING))
    return rows


def seed_rows(start: TrialHistory) -> CampaignRows:
    """Both arms on each seed: of the confirmation, and of the ideas that were only screened."""
    rows: CampaignRows = [("idea", "seed", "control", "treated", "improvement", "what")]
    control = {run.slot: run for run in runs_of(start, CONTROL)}
    for idea in ended_ideas(start):
        arm = str(idea.get("arm"))
        pairs = (idea.get("confirmation") or {}).get("pairs") or ()
        rows += [pair_row(arm, pair) for pair in pairs]
        if not pairs:
            rows += [screen_row(start, control.get(run.slot), run) for run in runs_of(start, arm, "a")]
    return rows[: MOST_ROWS + 1]


def pair_row(arm: str, pair: Mapping[str, Any]) -> tuple[str, ...]:
    seed = pair.get("seed")
    values = (number_text(pair.get(name)) for name in ("control", "treated", "improvement"))
    return arm, NOTHING if seed is None else str(seed), *values, "confirmation"


def screen_row(start: TrialHistory, control: LedgerRun | None, run: LedgerRun) -> tuple[str, ...]:
    values = (number_text(control.value if control else None), number_text(run.value))
    return run.arm, start.seed(run.slot), *values, NOTHING, "screening"


def effect_rows(start: TrialHistory) -> CampaignRows:
    """The effect of every idea, with its interval and its size as far as they are defined."""
    rows: CampaignRows = [("idea", "outcome", "n", "improvement", "interval", "d", "g", "what")]
    for idea in ended_ideas(start):
        found, few = idea.get("confirmation"), idea.get("compare") or idea.get("screen")
        numbers: Mapping[str, Any] = found or few or {}
        sizes = (number_text(numbers.get(name)) for name in ("d", "g"))
        what = "confirmation" if found else "exploratory" if few else NOTHING
        head = (str(idea.get("title") or idea.get("arm")), str(idea.get("outcome")).lower(), str(numbers.get("n", 0)))
        rows.append((*head, number_text(numbers.get("mean")), interval_text(numbers), *sizes, what))
    return rows


def time_rows(start: TrialHistory) -> CampaignRows:
    """How long the runs of each arm took."""
    rows: CampaignRows = [("arm", "runs", "failed", "mean seconds", "sd")]
    for arm in dict.fromkeys(run.arm for run in start.runs):
        runs = runs_of(start, arm)
        times = [run.wall_s for run in runs]
        failed = sum(run.status != "ok" for run in runs)
        spread = f"{deviation(times):.2f}" if len(times) > 1 else NOTHING
        rows.append((arm, str(len(runs)), str(failed), f"{mean(times):.2f}", spread))
    return rows


def runs_of(start: TrialHistory, arm: str, stage: str = "") -> list[LedgerRun]:
    """The runs of an arm; those of a confirmation only once they are revealed."""
    known = (run for run in start.runs if run.arm == arm and run.slot.startswith(stage))
    return sorted((run for run in known if start.seed(run.slot) != "sealed"), key=lambda run: (len(run.slot), run.slot))


TABLES: Mapping[str, Callable[[TrialHistory], CampaignRows]] = {
    "campaign-variance": variance_rows,
    "campaign-seeds": seed_rows,
    "campaign-effects": effect_rows,
    "campaign-times": time_rows,
}


def campaign_check(source: PaperSource) -> RuleCheck:
    """Whether Results has the four tables, and the sections that a reader of a campaign looks for are written."""
    problems = list(missing_parts(source))
    if problems:
        return failed_check(RULE, list_text(problems, 8))
    return passed_check(RULE, "Results has the tables of the campaign; Related Work and Discussion are written")


def missing_parts(source: PaperSource) -> Iterator[str]:
    placed = {use.name for use in source.tables if RESULTS in use.place.section.casefold()}
    for name in TABLES:
        if name not in placed:
            yield f"put \\input{{tables/{name}}} into the section Results, in a table with a caption"
    written = sections_with_text(source)
    for key, title in WANTED.items():
        if not any(key in section for section in written):
            yield f"write the section {title}"


def sections_with_text(source: PaperSource) -> set[str]:
    """The headings below which something is printed."""
    pieces = (piece for text in source.texts for piece in text.pieces)
    return {piece.place.section.casefold() for piece in pieces if piece.text.strip() and piece.place.within == "text"}
