"""The page that `flagstone review` shows before it asks: who did what, the checks, the summary, the files."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import click

from flagstone.cli.location import has_colour
from flagstone.drafting import work
from flagstone.gates import RunConfig, Verdict, read_text
from flagstone.records import read_record
from flagstone.status import differences, last_approved, previous_version
from flagstone.text import count_text, printable_text

SIGNS = {"passed": ("✓", "green"), "failed": ("✗", "red"), "not checked": ("–", "yellow")}


def page(opened: RunConfig, verdict: Verdict) -> Iterator[str]:
    """The whole page, block by block."""
    stage = verdict.stage
    yield click.style(f"Stage {stage.nr}: {stage.title}", bold=True) + f"   run {opened.run.name}"
    yield facts(opened, verdict)
    yield starts(opened, verdict)
    yield "\n".join(checks(opened, verdict))
    yield render_markdown(printable_text(read_text(opened.run.summary(stage.key))))
    yield changes(opened, verdict)
    yield from file_lines(verdict)


def facts(opened: RunConfig, verdict: Verdict) -> str:
    """The facts that a person bases a decision on: attempt, agent, model, minutes, cost, digest."""
    assert verdict.content is not None
    settings = opened.settings.for_stage(verdict.stage.nr)
    result = read_record(work.attempt(opened.run, verdict.stage.nr, verdict.attempt).result) or {}
    cost = result.get("cost_usd")
    words = [
        f"attempt {verdict.attempt}",
        f"agent {settings.agent}",
        f"model {settings.model or 'default'}",
        minutes(result),
        "cost unknown" if cost is None else f"${cost:.2f}",
        f"digest {verdict.content.digest[:12]}",
    ]
    why = "" if verdict.reason in ("waits for you", "is approved") else f"\n{printable_text(verdict.reason)}"
    return ", ".join(words) + why


def minutes(result: dict[str, Any]) -> str:
    try:
        began, ended = (datetime.fromisoformat(str(result[key])) for key in ("started_at", "ended_at"))
    except (KeyError, ValueError):
        return "time unknown"
    return f"{(ended - began).total_seconds() / 60:.1f} min"


def starts(opened: RunConfig, verdict: Verdict) -> str:
    """Which stages an approval lets start."""
    behind = [stage for stage in opened.table if verdict.stage.nr in stage.after]
    names = ", ".join(f"{stage.nr} {stage.name}" for stage in behind)
    return f"Approving it lets {names} start." if names else "This is the last stage: approving it completes the run."


def checks(opened: RunConfig, verdict: Verdict) -> Iterator[str]:
    record = read_record(work.attempt(opened.run, verdict.stage.nr, verdict.attempt).checks) or {}
    for row in record.get("checks", []):
        sign, colour = SIGNS.get(str(row.get("status")), ("?", "red"))
        yield f"  {click.style(sign, fg=colour)} {row.get('rule')}: {printable_text(str(row.get('message')))[:200]}"


def render_markdown(markdown: str) -> str:
    """The summary, laid out for a terminal."""
    from rich.console import Console
    from rich.markdown import Markdown

    width = max(20, min(shutil.get_terminal_size().columns, 110))
    console = Console(file=io.StringIO(), width=width, force_terminal=has_colour(), no_color=not has_colour())
    with console.capture() as capture:
        console.print(Markdown(markdown))
    return capture.get()


def changes(opened: RunConfig, verdict: Verdict) -> str:
    """How much differs from the last version and from the last approval; `d` shows it."""
    assert verdict.content is not None
    stage, words = verdict.stage, []
    olds = (
        ("the last version", previous_version(opened, stage, verdict.content)),
        ("the last approval", last_approved(opened, stage)),
    )
    for name, old in olds:
        if old:
            count = sum(
                1 for line in differences(opened, stage, old) if line[:1] in "+-" and line[:3] not in ("+++", "---")
            )
            lines = count_text(count, "line of the summary differs", "lines of the summary differ")
            words.append(f"{lines} from {name}" if count else f"the summary is the same as in {name}")
    return "; ".join(words) if words else "this is the first version"


def file_lines(verdict: Verdict) -> Iterator[str]:
    assert verdict.content is not None
    files = {path: digest for path, digest in verdict.content.files.items() if not path.startswith("stages/")}
    count = count_text(len(files), "file is", "files are")
    yield f"{count} offered with it" + (" (f lists them)" if files else "")


def show_files(opened: RunConfig, verdict: Verdict) -> None:
    """Every offered file, with its size and digest."""
    assert verdict.content is not None
    lines = []
    for path, digest in verdict.content.files.items():
        target = opened.run.root / path
        size = f"{target.stat().st_size:>12,}" if target.is_file() else f"{'missing':>12}"
        lines.append(f"{size}  {digest[:12]}  {printable_text(path)}")
    show_text("\n".join(lines) + "\n")


def show_text(text: str) -> None:
    """Shows a long text in the person's pager, and prints a short one."""
    clean = printable_text(text)
    if sys.stdout.isatty() and clean.count("\n") > shutil.get_terminal_size().lines - 4:
        click.echo_via_pager(clean)
    else:
        click.echo(clean)
