"""main.tex, from the layout of the venue: no agent writes a preamble."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from flagstone.errors import FlagstoneError
from flagstone.paper.building.typesetting.manuscript import Manuscript, as_latex
from flagstone.paper.building.typesetting.venue import Venue, VenueStyle

if TYPE_CHECKING:
    import jinja2

ANONYMOUS = "Anonymous Authors"


@dataclass(frozen=True)
class Parts:
    """What main.tex includes besides the sections, and what page one says."""

    notices: Sequence[str]
    has_references: bool
    has_appendix: bool
    author: str  # who carried out the study, if the brief names nobody


def main_tex(layouts: Path, manuscript: Manuscript, venue: Venue, style: VenueStyle, parts: Parts) -> str:
    names = manuscript.authors or (parts.author,)
    authors = [ANONYMOUS] if venue.anonymous else [as_latex(name) for name in names]
    values = {
        "venue": venue.key,
        "kind": venue.kind,
        "columns": venue.columns,
        "anonymous": venue.anonymous,
        "style": style.package,
        "layout": style.layout,
        "bibliography_style": style.bibliography_style,
        "title": as_latex(manuscript.title),
        "short_title": as_latex(manuscript.short_title or manuscript.title),
        "authors": authors,
        "pdf_authors": "" if venue.anonymous else ", ".join(authors),
        "keywords": [as_latex(word) for word in manuscript.keywords],
        "notices": [as_latex(notice) for notice in parts.notices],
        "sections": manuscript.sections,
        "after_references": manuscript.after_references,
        "has_references": parts.has_references,
        "has_appendix": parts.has_appendix,
    }
    import jinja2  # here, not above: it takes long to load

    try:
        return environment(layouts).get_template(f"{style.layout}.tex").render(values)
    except jinja2.TemplateError as error:
        raise FlagstoneError(
            f"the layout {style.layout} in {layouts} cannot be used: {error}",
            hint=f"name another one as `layout:` of {venue.key} in venues.yaml, or correct it",
        ) from error


@cache
def environment(layouts: Path) -> jinja2.Environment:
    """Templates with marks that LaTeX does not know."""
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(layouts),
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
        trim_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,
    )
