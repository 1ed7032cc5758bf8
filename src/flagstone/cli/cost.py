"""`flagstone cost`: what a run has cost, by stage, and what is left of its budget."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from flagstone.agents.telemetry import LOG, Spending, spending
from flagstone.cli.standing import Standing, run_argument
from flagstone.drafting.budget import spent_of


@click.command()
@run_argument
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.pass_obj
def command(standing: Standing, name: str | None, as_json: bool) -> None:
    """Show what the agent calls of RUN have cost. What no agent stated is unknown, never nothing.

    \b
    flagstone cost attn
    flagstone cost --json
    """
    opened = standing.opened(name, validate=False)
    log = opened.run.logs / LOG
    rows = {stage.nr: spending(log, stage.nr) for stage in opened.table}
    total = spending(log)
    budget = {key: limit for key, limit in opened.settings.budget.items() if limit is not None}
    spent = spent_of(log)
    if as_json:
        stages = {nr: asdict(row) for nr, row in rows.items()}
        click.echo(json.dumps({"total": asdict(total), "stages": stages, "spent": spent, "budget": budget}, indent=1))
        return
    for stage in opened.table:
        if rows[stage.nr].calls:
            click.echo(f"{stage.nr} {stage.name:<24} {words(rows[stage.nr])}")
    click.echo(f"{'all stages':<27} {words(total)}")
    for key, limit in budget.items():
        click.echo(f"budget {key}: {spent[key]:g} of {limit:g} used")


def words(row: Spending) -> str:
    calls = "1 call " if row.calls == 1 else f"{row.calls} calls"
    tokens = (
        "tokens unknown" if row.input_tokens is None else f"{row.input_tokens:,} in, {row.output_tokens or 0:,} out"
    )
    if row.cost_usd is not None:
        cost = f"${row.cost_usd:.2f}"
    else:
        cost = f"at least ${row.known_usd:.2f}, {row.unknown_calls} of them unknown"
    return f"{calls}  {cost:<12}  {tokens}"
