"""`flagstone paper lint`: holds the source of a paper against what it may hold, and its claims against the facts."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from flagstone.cli.location import Location, run_argument
from flagstone.errors import FlagstoneError
from flagstone.paper.claims import claim_checks
from flagstone.paper.facts import build_facts
from flagstone.paper.linting import lint_checks, lint_rules_of_run, read_sources
from flagstone.text import count_text, escaped_text


@click.command()
@run_argument
@click.option("--json", "as_json", is_flag=True, help="Print every check as JSON.")
@click.pass_obj
def command(location: Location, name: str | None, as_json: bool) -> None:
    """Show each line of a paper's source that types a number, uses a macro it may not, or claims too much.

    \b
    flagstone paper lint
    flagstone paper lint attn --json
    """
    opened = location.open_run(name, validate=False)
    rules = lint_rules_of_run(opened)
    book = build_facts(opened.run)
    source = read_sources(opened.run.writing, rules)
    checks = [*lint_checks(source, book, rules), *claim_checks(source, book, opened.run, rules)]
    if as_json:
        click.echo(json.dumps([asdict(check) for check in checks], indent=1, ensure_ascii=False))
    for check in () if as_json else checks:
        click.echo(f"{check.rule}: {escaped_text(check.message, 600)}", err=check.status == "failed")
    failed = [check for check in checks if check.status == "failed"]
    if failed:
        where = location.messages(opened.run).path(opened.run.writing)
        raise FlagstoneError(
            f"{count_text(len(failed), 'fault')} in the source of the paper",
            hint=f"correct the files in {where}, then run: flagstone paper lint {opened.run.name}",
        )
    if not any((opened.run.writing / "sections").glob("*.tex")):
        click.echo("workspace/writing/sections holds no section yet", err=True)
    elif not as_json:
        click.echo(f"next: flagstone paper build {opened.run.name}", err=True)
