"""`flagstone paper audit`: what explains each number of a PDF."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from flagstone.cli.location import Location, run_option
from flagstone.errors import FlagstoneError
from flagstone.paper.auditing import ForeignReport, TracedNumber, audit_foreign
from flagstone.text import count_text, escaped_text

FAILED = 3
MOST_LINES = 30
LUCK = 0.1  # a backed number that a random one would match as often as this says little


@click.command()
@click.argument("what", metavar="[RUN | FILE.pdf]", required=False)
@click.option(
    "--results",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="The folder with the results that FILE.pdf rests on: JSON, CSV and text files, code, pictures.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON with every number, for scripts.")
@run_option
@click.pass_context
def command(ctx: click.Context, what: str | None, results: Path | None, as_json: bool, run_name: str | None) -> None:
    """Say for each number of a paper where it comes from.

    For the paper of a RUN it builds what is out of date, and fails if nothing explains a number. A FILE.pdf that
    Flagstone did not make is held against a folder of results; that is a search and never proves a paper right.

    \b
    flagstone paper audit attn
    flagstone paper audit submission.pdf --results runs/
    """
    if what and what.lower().endswith(".pdf"):
        show_foreign(Path(what), results, as_json)
    elif results:
        raise FlagstoneError("--results needs a PDF", hint="flagstone paper audit FILE.pdf --results DIR")
    elif not show_audit(ctx.obj, what or run_name, as_json):
        ctx.exit(FAILED)


def show_audit(location: Location, name: str | None, as_json: bool) -> bool:
    """Prints the audit of a run's paper, after building what is out of date. Returns whether it passed."""
    from flagstone.paper.building import PaperOrder, build_paper, paper_stage

    opened = location.open_run(name, validate=False)
    build = build_paper(PaperOrder(opened, paper_stage(opened), opened.run.paper))
    checks = [check for check in build.checks if check.rule == "paper-audit"]
    if not build.pdf:
        raise FlagstoneError("there is no PDF to audit", hint=f"flagstone paper build {opened.run.name} says why")
    if as_json:
        click.echo((opened.run.paper / "audit.json").read_text("utf-8"))
    else:
        for check in checks:
            click.echo(f"{'✓' if check.status == 'passed' else '✗'} {check.message}")
        if not checks:
            click.echo(build.audit)
    return all(check.status == "passed" for check in checks)


def show_foreign(pdf: Path, results: Path | None, as_json: bool) -> None:
    if results is None:
        raise FlagstoneError(
            f"what does {pdf} rest on?",
            hint=f"name the folder of its results: flagstone paper audit {pdf} --results DIR",
        )
    if not pdf.is_file():
        raise FlagstoneError(f"there is no file {pdf}", hint="name a PDF")
    report = audit_foreign(pdf, results)
    if as_json:
        counts = {"counts": dict(report.counts), "backed_by_luck": report.backed_by_luck}
        click.echo(json.dumps({**asdict(report), **counts}, indent=1, ensure_ascii=False))
        return
    for line in foreign_lines(report):
        click.echo(line)


def foreign_lines(report: ForeignReport) -> Iterator[str]:
    """The counts, what they are worth, and everything that a person has to look at."""
    counts = report.counts
    parts = ", ".join(f"{counts[status]} {status}" for status in ("backed", "derivable", "constant", "unbacked"))
    total = len(report.numbers)
    yield f"{count_text(total, 'number')} before the references: {parts}"
    yield f"held against {count_text(report.results, 'different value')} of the results"
    if counts["backed"]:
        yield (
            f"if the {counts['backed']} backed numbers were random, about {report.backed_by_luck:.1f} of them would "
            "be backed all the same"
        )
    yield from section("unbacked", [each for each in report.numbers if each.status == "unbacked"])
    yield from section("derivable", [each for each in report.numbers if each.status == "derivable"])
    weak = [each for each in report.numbers if each.status == "backed" and each.chance > LUCK]
    yield from section("backed, which says little for so few digits", weak)
    for title, texts in (
        ("spreads", report.spreads),
        ("figures", report.figures),
        ("the file", report.faults),
        ("notes", report.notices),
    ):
        if texts:
            yield from ("", f"{title}:", *(f"  {escaped_text(text, 300)}" for text in texts[:MOST_LINES]))
    yield ""
    yield "This searches for each number by itself: it finds what to ask about. It does not say that the rest is right."


def section(title: str, traced: Sequence[TracedNumber]) -> Iterator[str]:
    if not traced:
        return
    yield from ("", f"{title}:")
    for each in traced[:MOST_LINES]:
        source = f"  ← {each.source} (chance {each.chance:.0%})" if each.source else ""
        yield escaped_text(f"  page {each.number.page}: {each.number.text} in “{each.number.context}”{source}", 240)
    if len(traced) > MOST_LINES:
        yield f"  and {len(traced) - MOST_LINES} more: --json lists all"
