"""How a value is printed: in Python's formats, without a negative zero, and with a real minus."""

from __future__ import annotations

import math
import re

from flagstone.paper.facts.fact import Value

MINUS = "\N{MINUS SIGN}"
# no width and no fill: both print characters that are not in the value
FORMAT = re.compile(r"\+?,?(?:\.(?:\d|1[0-2]))?[dfeg%]\Z")
TEXT_LENGTH = 100
LETTERS = re.compile(r"[ -~\u00c0-\u017f]+\Z")  # what every font of a venue has
IN_PERCENT = re.compile(r"per_?\s?cent|pct|\bpoints?\b", re.IGNORECASE)
HUGE = 2**63


def printed_value(value: Value, form: str) -> str:
    """A value as `\\val` prints it. Raises ValueError that says what is wrong with the value or its format."""
    if isinstance(value, str):
        return printed_text(value, form)
    if not math.isfinite(value) or (abs(value) >= HUGE and isinstance(value, int)):
        raise ValueError(f"its value is {value if isinstance(value, float) else 'too large'}; print another number")
    if not form and isinstance(value, float):
        raise ValueError('it needs a format, such as format: ".3f"')
    if form and not FORMAT.match(form):
        raise ValueError(f"{form!r} is no format that can be used; write one such as .3f, +.2f, d, .1% or .2e")
    if form.endswith("d") and isinstance(value, float):
        if not value.is_integer():
            raise ValueError("its value is no whole number, so format d cannot print it; use one such as .2f")
        value = int(value)
    text = format(value, form or "d")
    if text.startswith("-") and not re.search(r"[1-9]", text.partition("e")[0]):
        text = text[1:]
    return text.replace("-", MINUS)


def refuse_percent_twice(form: str, named: str) -> None:
    """Raises ValueError if the format makes a percentage of what its unit or its place calls one."""
    if form.endswith("%") and (found := IN_PERCENT.search(named)):
        raise ValueError(
            f"“{found.group()}” says that it is in per cent, and the format {form} would print a hundred times as much;"
            " use one such as .1f, or correct the unit"
        )


def printed_text(value: str, form: str) -> str:
    if form:
        raise ValueError(f"its value is the text {value[:40]!r}, which has no format; remove `format`")
    text = " ".join(value.split())
    if not text:
        raise ValueError("its value is empty")
    if len(text) > TEXT_LENGTH or not LETTERS.match(text):
        why = f"longer than {TEXT_LENGTH} characters" if len(text) > TEXT_LENGTH else "has characters no font may have"
        raise ValueError(f"its text {why}; use a short name in Latin letters")
    return text
