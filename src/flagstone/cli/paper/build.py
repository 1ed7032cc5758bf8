"""`flagstone paper build`: builds the paper of a run as stage 07 does, or a draft of it."""

from __future__ import annotations

import json

import click

from flagstone.cli.location import Location, run_argument
from flagstone.gates import Messages
from flagstone.paper.building import DRAFT, Build, PaperOrder, build_paper, paper_stage, publish
from flagstone.text import count_text

FAILED = 3


@click.command()
@run_argument
@click.option("--draft", "is_draft", is_flag=True, help="Build to workspace/writing/build, with marks on what is open.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON with every check, for scripts.")
@click.pass_context
def command(ctx: click.Context, name: str | None, is_draft: bool, as_json: bool) -> None:
    """Build the paper of RUN from its sections, facts, tables, figures and citations, and check it.

    \b
    flagstone paper build attn
    flagstone paper build attn --draft
    """
    location: Location = ctx.obj
    opened = location.open_run(name, validate=False)
    run = opened.run
    out = run.writing / DRAFT if is_draft else run.paper
    build = build_paper(PaperOrder(opened, paper_stage(opened), out, is_draft))
    foreign = [] if is_draft or build.failures else publish(run)
    if as_json:
        rows = [vars(check) for check in build.checks]
        click.echo(
            json.dumps(
                {"pdf": str(build.pdf or ""), "made": build.made, "audit": build.audit, "checks": rows}, indent=1
            )
        )
    else:
        show(build, location.messages(run))
        for path in foreign:
            click.echo(f"note: {path} was written by somebody else; it is kept beside it as *.set-aside", err=True)
    if build.failures and not (is_draft and build.pdf):
        ctx.exit(FAILED)


def show(build: Build, messages: Messages) -> None:
    for check in build.checks:
        sign = {"passed": "✓", "failed": "✗"}.get(check.status, "–")
        click.echo(f"{sign} {check.rule}: {check.message}", err=check.status == "failed")
    if build.pdf:
        made = f"built {', '.join(build.made)}" if build.made else "nothing had changed"
        click.echo(f"{made}; {count_text(len(build.failures), 'check')} failed")
        click.echo(f"audit  {build.audit}")
        click.echo(f"paper  {messages.path(build.pdf)}")
