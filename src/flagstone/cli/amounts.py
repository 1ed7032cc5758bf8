"""Types of options that take a number."""

from __future__ import annotations

import math

import click

COUNT = click.IntRange(1)
SECONDS_OR_NONE = click.FloatRange(0)


def seconds_above_0(word: str) -> float:
    """Converts the word that a person gave; only a finite number above 0 is valid."""
    try:
        found = float(word)
    except ValueError:
        found = math.nan
    if not 0 < found < math.inf:
        raise click.BadParameter(f"{word!r} is not a number above 0")
    return found
