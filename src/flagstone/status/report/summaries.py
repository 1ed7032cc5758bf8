"""The summaries of stages as HTML, without any markup, picture or local address of their own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from flagstone.layout import Run
from flagstone.records import digest_bytes, encode, read_as, write_atomic
from flagstone.text import printable_text

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

SHOWN_CHARACTERS = 60_000  # laying out a hostile text takes the square of its length
LEVELS_BELOW = 2  # the headings of a summary stand below those of the page
WEB = re.compile("https?://", re.IGNORECASE)


def summaries_html(run: Run, texts: Iterable[str]) -> Mapping[str, str]:
    """Each text as HTML. What was made before is remembered: most summaries are the same at the next refresh."""
    file = run.digest_cache.with_name("summaries.json")
    before = read_as(file, dict[str, str]) or {}
    keys = {text: digest_bytes(text.encode()) for text in texts}
    now = {key: before.get(key) or summary_html(text) for text, key in keys.items()}
    if now != before:
        write_atomic(file, encode(now), durable=False)
    return {text: now[key] for text, key in keys.items()}


def summary_html(text: str) -> str:
    """One summary as HTML. A very long one is cut, and says so."""
    from markupsafe import escape

    shown = printable_text(text[:SHOWN_CHARACTERS])
    try:
        html = str(renderer().render(shown))
    except RecursionError:
        html = f"<pre>{escape(shown)}</pre>"
    is_cut = len(text) > SHOWN_CHARACTERS
    return f"{html}<p>The rest is left out here; stages/ has the whole summary.</p>" if is_cut else html


@cache
def renderer() -> MarkdownIt:
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("commonmark", {"html": False, "maxNesting": 100}).enable("table").disable("image")
    markdown.validateLink = is_web_address  # type: ignore[method-assign, assignment]
    markdown.core.ruler.push("lower_headings", lower_headings)
    return markdown


def is_web_address(address: str) -> bool:
    return WEB.match(address) is not None


def lower_headings(state: object) -> None:
    for token in state.tokens:  # type: ignore[attr-defined]
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + LEVELS_BELOW)}"
