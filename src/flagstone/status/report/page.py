"""Writes report.html: what people want to know of a run, on one page that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flagstone.agents.accounts import LOG, CallLine, lines_of, sum_of
from flagstone.drafting import work
from flagstone.errors import FlagstoneError
from flagstone.gates import Messages, Moment, RunConfig, check_run, read_text
from flagstone.plans import unused_path
from flagstone.records import content_of, read_record, write_atomic
from flagstone.status.model import approval_text
from flagstone.status.overview import SIGNS, RunOverview, StageStatus, cost_text
from flagstone.status.report.decisions import decisions_of
from flagstone.status.report.experiment_parts import experiments_of
from flagstone.status.report.paper import paper_of
from flagstone.status.report.pictures import figures_of
from flagstone.status.report.summaries import summaries_html
from flagstone.text import one_line, printable_text

if TYPE_CHECKING:
    from jinja2 import Template

HERE = Path(__file__).parent
PLAIN_REASONS = ("waits for you", "is not built yet", "is approved")
OURS = '<meta name="generator" content="Flagstone">'
AS_OF = re.compile(r'<p class="soft">As of (\d{4}-\d\d-\d\d \d\d:\d\d UTC)\.')
TITLE_CHARACTERS = 200
CHECKED = ("passed", "failed", "not checked")


@dataclass(frozen=True)
class StageRow:
    """One stage as the report shows it. `html` is its summary, or '' if there is none."""

    status: StageStatus
    mark: str
    why: str
    cost: str
    checks: str
    html: Any


@dataclass(frozen=True)
class CostRow:
    """What the calls of an experiment, or all calls, have cost."""

    name: str
    calls: int
    cost: str


def write_report(opened: RunConfig, moment: Moment, status: RunOverview) -> None:
    """Rewrites the report, atomically, unless it says the same already."""
    from markupsafe import Markup

    text = template().render(facts_of(opened, moment, status), written_at=Markup("\0"))
    target = opened.run.report
    before = (content_of(target) or b"").decode("utf-8", "replace")
    written = AS_OF.search(before)
    if written and text.replace("\0", written[1]) == before:
        return
    if before and OURS not in before[:1000]:  # such as one that `snakemake --report` wrote
        os.replace(target, unused_path(target.with_name("report.kept.html")))
    now = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    write_atomic(target, text.replace("\0", now).encode(), durable=False)


@cache
def template() -> Template:
    """The page. Every value is escaped, and clean_value of what hides or reorders text."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def clean_value(value: object) -> object:
        return value if isinstance(value, Markup) else printable_text(str(value))

    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=clean_value,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    style = (HERE / "report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    environment.globals.update(style=Markup(style), style_digest=digest)
    return environment.get_template("report.html.j2")


def facts_of(opened: RunConfig, moment: Moment, status: RunOverview) -> dict[str, Any]:
    """Everything that the page says."""
    lines = lines_of(opened.run.logs / LOG)
    pictures, left_out = figures_of(opened.run)
    return {
        "run": status,
        "title": one_line(status.goal, TITLE_CHARACTERS) or status.name,
        "goal": status.goal if len(status.goal) > TITLE_CHARACTERS else "",
        "state": state_of(opened, status),
        "details": details_of(opened, status),
        "facts": settings_of(opened, status),
        "paper": paper_of(opened.run, moment, status),
        "stages": list(stage_rows(opened, moment, status)),
        "other_costs": list(experiment_costs(lines)),
        "total": cost_row("", lines),
        "decisions": decisions_of(opened.run, moment, lines),
        "experiments": experiments_of(opened.run),
        "figures": pictures,
        "figures_left_out": left_out,
    }


def state_of(opened: RunConfig, status: RunOverview) -> str:
    """The state of the run and, if it is not that of all stages, of which stage."""
    if status.state in ("aborted", "done"):
        return {"aborted": "aborted: nothing runs", "done": "done: every stage is approved"}[status.state]
    stage = next(row for row in status.stages if row.state == status.state)
    return f"stage {stage.nr} {stage.title}: {status.state}"


def details_of(opened: RunConfig, status: RunOverview) -> list[str]:
    """Why it stands so: why it was aborted, why a stage failed, why Snakemake would refuse the run."""
    found = []
    if status.state == "aborted":
        found.append(Messages(opened.run, opened.run.root).abort_text())
    found += [
        row.reason if row.reason.startswith("stage ") else f"stage {row.nr} {row.title}: {row.reason}"
        for row in status.stages
        if row.state in ("failed", "paused", "stale", "running") and row.reason
    ]
    try:
        check_run(opened.project, opened.run)
    except FlagstoneError as error:
        found.append(f"broken: {error.problem}. {error.hint}")
    return found


def settings_of(opened: RunConfig, status: RunOverview) -> list[str]:
    model = opened.settings.merged.get("model")
    return [
        f"agent {status.agent}{f', model {model}' if model else ''}",
        f"venue {opened.settings.venue}",
        f"created {status.created_at[:16].replace('T', ' ')} UTC",
        *(["sandbox off"] if status.sandbox == "off" else []),
    ]


def stage_rows(opened: RunConfig, moment: Moment, status: RunOverview) -> Iterator[StageRow]:
    from markupsafe import Markup

    texts = {row.nr: read_text(opened.run.summary(opened.table.stage(row.nr).key)) for row in status.stages}
    html = summaries_html(opened.run, filter(None, texts.values()))
    for row in status.stages:
        seal = moment.stages[row.nr].seal
        if row.approved_by and seal:
            why = f"{approval_text(seal)} by {seal.who} at {seal.at[:16].replace('T', ' ')}"
            why += "" if row.state == "done" else f"; {row.reason}"
        else:
            why = "" if row.reason in PLAIN_REASONS else row.reason
        yield StageRow(
            status=row,
            mark=SIGNS[row.state],
            why=why,
            cost=cost_text(row.cost_usd, row.known_usd) if row.calls else "–",
            checks=checks_of(opened, row),
            html=Markup(html[texts[row.nr]]) if texts[row.nr] else "",
        )


def checks_of(opened: RunConfig, row: StageStatus) -> str:
    """How many checks the published attempt passed."""
    record: Mapping[str, Any] = read_record(work.attempt(opened.run, row.nr, row.attempt).checks) or {}
    rows = record.get("checks")
    states = [each.get("status") for each in rows if isinstance(each, dict)] if isinstance(rows, list) else []
    return ", ".join(f"{states.count(word)} {word}" for word in CHECKED if word in states)


def experiment_costs(lines: Sequence[CallLine]) -> Iterator[CostRow]:
    """What calls for experiments have cost that belong to no stage."""
    names = sorted({line.experiment for line in lines if line.experiment and not line.stage})
    for name in names:
        yield cost_row(f"experiment {name}", [line for line in lines if line.experiment == name])


def cost_row(name: str, lines: Sequence[CallLine]) -> CostRow:
    total = sum_of(lines)
    return CostRow(name, total.calls, cost_text(total.cost_usd, total.known_usd) if total.calls else "–")
