"""Numbers that a person gives as options, where nothing, less than nothing and no number make no sense."""

from __future__ import annotations

import math

import click

COUNT = click.IntRange(1)


def seconds_above_0(word: str) -> float:
    """The type of an option: a finite number above 0."""
    try:
        found = float(word)
    except ValueError:
        found = math.nan
    if not 0 < found < math.inf:
        raise click.BadParameter(f"{word!r} is not a number above 0")
    return found
