"""Numbers that are typed: digits in text, and numbers in mathematics that are no part of a formula."""

from __future__ import annotations

import re
from collections.abc import Iterator

from flagstone.paper.linting.place import SourceFault
from flagstone.paper.linting.printed_text import PrintedText
from flagstone.paper.linting.rules import LintRules

NUMBER = re.compile(r"[0-9](?:[.,·'\s\u00a0\u2009]{0,3}[0-9])*")


def number_faults(text: PrintedText, rules: LintRules) -> Iterator[SourceFault]:
    for found in NUMBER.finditer(text.text):
        place = text.place_at(found.start())
        if place.mode == "text":
            yield SourceFault(
                place, f"“{found.group()}” is typed; write \\val{{…}}, or \\lit{{…}}{{why}} if it is a constant"
            )
