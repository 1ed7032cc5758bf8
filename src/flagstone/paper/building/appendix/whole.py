"""The generated appendix: every run, idea and decision from the ledgers, and whether anything is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flagstone.artifacts.rules import RuleCheck, failed_check, passed_check
from flagstone.layout import Run
from flagstone.paper.building.appendix.decisions import (
    calls_section,
    decisions_section,
    literals_section,
    unnamed_experiments,
    waivers_section,
)
from flagstone.paper.building.appendix.entries import AppendixEntry
from flagstone.paper.building.appendix.experiments import experiment_entries
from flagstone.paper.building.appendix.long_tables import AppendixSection, section_tex
from flagstone.paper.building.appendix.reported import reported_entries
from flagstone.paper.building.appendix.trials import TrialsOfRun, preregistrations_text
from flagstone.plans import TRIALS
from flagstone.text import count_text, list_text

RULE = "paper-complete"
# long tables need one column; REVTeX has its own word for that
HEAD = r"""% written by Flagstone from the ledgers of the run
\ifdefined\onecolumngrid\clearpage\onecolumngrid\else\onecolumn\fi"""
TITLE = "Everything that was run, tried and decided"
MOST_PROBLEMS = 20


@dataclass(frozen=True)
class AppendixRequest:
    """What an appendix is made of. `stages` are those that the paper rests on: what comes later would change it."""

    run: Run
    stages: Sequence[str] = ()
    literals: Sequence[tuple[str, str]] = ()
    is_anonymous: bool = False


@dataclass(frozen=True)
class Appendix:
    """The appendix as TeX, all that it prints as plain text, and whether it is complete."""

    tex: str
    texts: tuple[str, ...]
    checks: tuple[RuleCheck, ...]


def appendix_of(request: AppendixRequest) -> Appendix:
    """Made from the ledgers alone. The same files give the same bytes."""
    trials = TrialsOfRun(request.run)
    entries = [*trials.entries(), *experiment_entries(request.run), *reported_entries(request.run)]
    sections = tuple(sections_of(request, entries))
    problems = [*trials.problems(), *missing_texts(request.run), *(each for one in entries for each in one.problems)]
    body = "\n\n".join(map(section_tex, sections))
    texts = (TITLE, *(text for section in sections for text in section.texts))
    return Appendix(
        tex=f"{HEAD}\n\\section{{{TITLE}}}\n\n{body}\n",
        texts=texts,
        checks=(check_of(problems, entries),),
    )


def sections_of(request: AppendixRequest, entries: Sequence[AppendixEntry]) -> Iterator[AppendixSection]:
    for entry in entries:
        yield entry.section
    if not entries:
        yield AppendixSection("Trials and experiments", ("This run has made no trial and no experiment.",))
    yield AppendixSection("Pre-registrations", (preregistrations_text(entries),))
    yield literals_section(request.literals)
    yield waivers_section(request.run, request.is_anonymous)
    yield calls_section(request.run, request.stages)
    yield decisions_section(request.run, request.stages)


def missing_texts(run: Run) -> Iterator[str]:
    """Trials and experiments that agents were called for, and that are gone with their folders."""
    folders = (run.experiments, run.root / TRIALS)
    known = {path.name for folder in folders for path in folder.glob("*") if path.is_dir()}
    for name in unnamed_experiments(run, known):
        yield f"the log of calls names {name}, and the run has no such experiment or trial: restore its folder"


def check_of(problems: Sequence[str], entries: Sequence[AppendixEntry]) -> RuleCheck:
    if problems:
        return failed_check(RULE, list_text(list(dict.fromkeys(problems)), MOST_PROBLEMS))
    runs, ideas = sum(len(each.runs) for each in entries), sum(each.ideas for each in entries)
    failed = sum(run.has_failed for each in entries for run in each.runs)
    words = f"{count_text(runs, 'run')}, {failed} of them failed, and {count_text(ideas, 'idea')}"
    return passed_check(RULE, f"the appendix has {words}")
