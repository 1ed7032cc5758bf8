"""What follows a macro: a star, something optional, something in braces, and what each of them is."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flagstone.errors import FlagstoneError

LENGTH = (
    r"(?:\d{1,2}(?:\.\d+)?|\.\d+)\s*(?:pt|mm|bp)"  # never so long that it could push text off the page
    r"|(?:\d(?:\.\d+)?|\.\d+)\s*(?:cm|em|ex|pc|in|\\linewidth|\\textwidth|\\columnwidth|\\baselineskip)"
    r"|\\linewidth|\\textwidth|\\columnwidth|\\fill"
)
NAME = r"[A-Za-z0-9](?:[A-Za-z0-9_:.+/ -]*[A-Za-z0-9])?"
COLUMN = rf"[lcrX|\s]|@\{{\}}|[pmb]\{{(?:{LENGTH})\}}|\*\{{\d{{1,2}}\}}\{{[lcr|]+\}}"
SIZE = rf"\s*(?:(?:width|height)\s*=\s*(?:{LENGTH})|keepaspectratio)\s*"
# what is not printed, and how it has to be written
FORMS = {
    "name": (NAME, "letters, digits and the signs _ : . + / -"),
    "names": (rf"\s*{NAME}(?:\s*,\s*{NAME})*\s*", "keys with commas between them"),
    "fact": (r"[A-Za-z0-9_.:-]+", "a key of facts.yaml"),
    "claim": (r"[A-Za-z0-9_.:-]+", "a key of claims.yaml"),
    "reason": (r"(?=[\s\S]{8})[^\\{}$#^~%&0-9]*", "a reason in words, without digits and macros"),
    "length": (LENGTH, "a length such as 3mm or 0.5\\linewidth; it cannot be negative"),
    "size": (rf"{SIZE}(?:,{SIZE})*", "width=… or height=…"),
    "path": (r"(?!/)[A-Za-z0-9_./-]+", "a path such as ../figures/curves.pdf"),
    "table": (r"tables/[A-Za-z0-9_-]+(?:\.tex)?", "a table of tables.yaml, written tables/NAME"),
    "link": (r"(?:https?://|mailto:[^\s\\{}^%#@]+@)[^\s\\{}^%#]+", "an address that starts with https://"),
    "columns": (rf"(?:{COLUMN})*", "columns such as lrr"),
    "cells": (r"\d{1,2}(?:-\d{1,2})?", "columns such as 2 or 2-4"),
    "place": (r"[!htbpHlrcm]*", "places such as t or htbp"),
}
FORM = {kind: re.compile(form) for kind, (form, _) in FORMS.items()}
PRINTED = ("text", "heading", "caption", "math")
SLOT = re.compile(r"\s*(?:(\*)|\[(\w+)\]|\{(\w+)\})")
BRACKETS = ("*", "[", "{")


@dataclass(frozen=True)
class Slot:
    """One thing that follows a macro: `bracket` is `*`, `[` or `{`."""

    bracket: str
    kind: str

    @property
    def is_printed(self) -> bool:
        return self.kind in PRINTED

    def is_written_well(self, text: str) -> bool:
        return bool(FORM[self.kind].fullmatch(text.strip()))

    @property
    def wanted_text(self) -> str:
        return FORMS[self.kind][1]


def slots_of(shape: str) -> tuple[Slot, ...]:
    """The slots of a shape such as `*[text]{heading}`."""
    slots, at = [], 0
    while at < len(shape.rstrip()):
        found = SLOT.match(shape, at)
        kind = (found[2] or found[3] or "") if found else "?"
        if not found or (kind and kind not in PRINTED and kind not in FORMS):
            known = ", ".join([*PRINTED, *FORMS])
            raise FlagstoneError(f"{shape!r} does not say what follows a macro", hint=f"use *, [x], {{x}} with {known}")
        slots.append(Slot(BRACKETS[(found.lastindex or 1) - 1], kind))
        at = found.end()
    return tuple(slots)
