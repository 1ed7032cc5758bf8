"""`flagstone marker ideas`: shows what failed and why; adds or drops an idea."""

from __future__ import annotations

from collections.abc import Iterator

import click

from flagstone.cli.markers.group import Answer
from flagstone.cli.markers.selection import Chosen, marker_command
from flagstone.markers import (
    FailedIdea,
    MarkerFolder,
    Mention,
    WantedIdea,
    add_idea,
    drop_idea,
    failed_ideas,
    mentions,
    read_ideas,
)


@marker_command
@click.option("--add", "added", multiple=True, metavar="TEXT", help="An idea of yours, for the next prompt.")
@click.option("--drop", "dropped", multiple=True, metavar="RUN", help="A failed run that no prompt mentions again.")
def command(chosen: Chosen, added: tuple[str, ...], dropped: tuple[str, ...]) -> Answer:
    """Show the ideas of NAME: yours, and every failed run with what was tried and why it failed.

    An idea of yours is in every prompt until the note of a run names it, or you drop it.

    \b
    flagstone marker ideas coverage
    flagstone marker ideas coverage --add "test the error paths of the parser"
    flagstone marker ideas coverage --drop r0007
    """
    folder = MarkerFolder.of(chosen.repository, chosen.marker.name)
    said = [f"added {idea.name}: {idea.text}" for idea in (add_idea(folder, text) for text in added)]
    said += [f"dropped {drop_idea(folder, name)}: no later prompt mentions it" for name in dropped]
    wanted, tried, failed = read_ideas(folder).ideas, mentions(folder), list(failed_ideas(folder))
    text = "\n".join([*wanted_lines(wanted, tried), *failed_lines(failed)]) or "no ideas yet: nothing was tried in vain"
    data = {
        "marker": chosen.marker.name,
        "ideas": text,
        "wanted": [{**vars(each), "tried_in": list(map(vars, tried.get(each.name, ())))} for each in wanted],
        "failed": list(map(vars, failed)),
    }
    return Answer(data, "\n".join(said) or text)


def wanted_lines(ideas: tuple[WantedIdea, ...], tried: dict[str, list[Mention]]) -> Iterator[str]:
    if ideas:
        yield "Ideas of people"
    for each in ideas:
        runs = ", ".join(mention_text(mention) for mention in tried.get(each.name, ()))
        state = f"named by {runs}" if runs else "dropped" if each.is_dropped else "in the next prompt"
        yield f"  {each.name}  {each.text}  ({state})"


def mention_text(mention: Mention) -> str:
    return f"{mention.run} {mention.status}{number_text(mention.metric)}"


def number_text(metric: float | None) -> str:
    return "" if metric is None else f" {metric:.6g}"


def failed_lines(ideas: list[FailedIdea]) -> Iterator[str]:
    """What failed, the newest first; each with what was changed below it, if that is known."""
    if ideas:
        yield f"Failed ideas ({len(ideas)}), the newest first"
    for each in reversed(ideas):
        dropped = "  (dropped)" if each.is_dropped else ""
        number = number_text(each.metric)
        yield f'  {each.run}  {each.status}{number}  "{each.tried or "no note"}"  {each.why}{dropped}'
        if each.change:
            yield f"      {each.change}"
