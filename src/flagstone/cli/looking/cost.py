"""`flagstone cost`: shows what a run has cost, by stage and experiment, and what is left of its budget."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import click

from flagstone.agents import valid_count
from flagstone.agents.accounts import (
    BUDGET_NAMES,
    LOG,
    Balance,
    Budget,
    CallLine,
    Spending,
    lines_of,
    open_records,
    records_of,
    sum_of,
)
from flagstone.cli.location import Location, run_argument
from flagstone.gates import RunConfig
from flagstone.text import count_text, printable_text

Rows = Mapping[str, Spending]


@click.command()
@run_argument
@click.option("--calls", "every_call", is_flag=True, help="One line per call, oldest first.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON with every call, for scripts.")
@click.pass_obj
def command(location: Location, name: str | None, every_call: bool, as_json: bool) -> None:
    """Show what the agent calls of RUN have cost. A cost that no agent reported is unknown, never $0.

    \b
    flagstone cost attn
    flagstone cost attn --calls
    """
    opened = location.open_run(name, validate=False)
    lines = lines_of(opened.run.logs / LOG)
    if as_json:
        click.echo(json.dumps(as_record(opened, lines), indent=1))
    elif every_call:
        show_calls(lines)
    else:
        show_sums(opened, lines)


def show_sums(opened: RunConfig, lines: Sequence[CallLine]) -> None:
    names = {stage.nr: stage.name for stage in opened.table}
    for nr, row in by_stage(lines).items():
        click.echo(f"{nr or '–':<3} {names.get(nr, 'no stage'):<22} {words(row)}")
    for experiment, row in by_experiment(lines).items():
        click.echo(f"    experiment {experiment:<11} {words(row)}")
    click.echo(f"all {'':<22} {words(sum_of(lines))}")
    balance = Balance.of(opened.run.logs / LOG)
    for budget in budgets(opened):
        for key, limit in budget.limits.items():
            click.echo(budget_words(balance, budget, key, limit))
    if balance.open_calls:
        click.echo(count_text(len(balance.open_calls), "call is running", "calls are running"))
    click.echo(f"next: flagstone cost {opened.run.name} --calls")


def budget_words(balance: Balance, budget: Budget, key: str, limit: float) -> str:
    """One budget: what is used, what running calls may still use, and how many calls reported nothing."""
    words = f"budget of {budget.whose}: {key} {balance.use(budget, key):g} of {limit:g} used"
    reserved = balance.open_use(budget, key)
    words += f", {reserved:g} reserved for running calls" if reserved else ""
    unknown = balance.unknown_calls(budget, key)
    return words + (f" (calls of unknown use, counted at their limit: {unknown})" if unknown else "")


def budgets(opened: RunConfig) -> list[Budget]:
    of_stages = ((stage.nr, opened.settings.for_stage(stage.nr).budget) for stage in opened.table)
    found = [Budget.of(f"run {opened.run.name}", opened.settings.budget)]
    return found + [Budget.of(f"stage {nr}", limits, stage=nr) for nr, limits in of_stages]


def by_stage(lines: Sequence[CallLine]) -> Rows:
    return {nr: sum_of(lines, nr) for nr in sorted({line.stage for line in lines})}


def by_experiment(lines: Sequence[CallLine]) -> Rows:
    named = sorted({line.experiment for line in lines if line.experiment})
    return {name: sum_of(lines, experiment=name) for name in named}


def words(row: Spending) -> str:
    """The sums of some calls, on one line."""
    calls = "1 call " if row.calls == 1 else f"{row.calls} calls"
    tokens = (
        "tokens unknown" if row.input_tokens is None else f"{row.input_tokens:,} in, {row.output_tokens or 0:,} out"
    )
    if row.cost_usd is not None:
        cost = f"${row.cost_usd:.2f}"
    else:
        cost = f"at least ${row.known_usd:.2f}, {row.unknown_calls} of them unknown"
    gpu = f"  {row.gpu_s / 3600:.2f} GPU hours" if row.gpu_s else ""
    return f"{calls}  {cost:<12}  {tokens}  {duration(row.wall_s)}{gpu}"


def duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}h{minutes % 60:02d}m" if minutes >= 60 else f"{minutes}m{rest:02d}s"


def show_calls(lines: Sequence[CallLine]) -> None:
    """Prints a line for every call: when, for what, by which agent, how it ended, what it cost."""
    calls = [line for line in lines if line.is_call]
    for line in calls:
        stated = "unknown" if line.cost is None else f"${line.cost:.4f}"
        counts = [valid_count(line.usage.input_tokens), valid_count(line.usage.output_tokens)]
        tokens = "tokens unknown" if None in counts else f"{counts[0]:,} in, {counts[1]:,} out"
        what = f"{line.stage} {line.experiment}".strip()
        attempt = "?" if line.attempt is None else line.attempt
        said = f"{line.started_at[:19]:<19}  {what:<4} attempt {attempt:<3} {line.agent or '?':<8}"
        click.echo(printable_text(f"{said} {line.outcome or '?':<12} {stated:<11} {tokens}"))
    if not calls:
        click.echo("no calls yet")


def as_record(opened: RunConfig, lines: Sequence[CallLine]) -> dict[str, Any]:
    """Everything that the other forms show, as plain values."""
    log = opened.run.logs / LOG
    balance = Balance.of(log)
    whole_run = Budget("run", {})
    return {
        "total": asdict(sum_of(lines)),
        "stages": {nr: asdict(sum_of(lines, nr)) for nr in (stage.nr for stage in opened.table)},
        "experiments": {name: asdict(row) for name, row in by_experiment(lines).items()},
        "spent": {name: balance.use(whole_run, name) for name in BUDGET_NAMES},
        "reserved": {name: balance.open_use(whole_run, name) for name in BUDGET_NAMES},
        "budget": {key: limit for key, limit in opened.settings.budget.items() if limit is not None},
        "under_way": [record.facts for record in open_records(log)],
        "calls": records_of(log),
    }
