"""Which layout a paper is set in: that of its venue if its style is there, or else the nearest preprint layout."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flagstone.processes import run_quietly

FOLDER = "venues"  # of the project: what users put there, one folder a venue
PREPRINT, OWN_STYLE = "preprint", "plainnat"
OF_EARLIER = "neutral"  # the one layout of earlier versions
LOOK_S = 20.0


@dataclass(frozen=True)
class Venue:
    """A venue as config/venues.yaml describes it."""

    key: str
    name: str
    kind: str
    columns: int
    page_limit: int | None
    references_in_limit: bool
    abstract_words: int | None
    bibliography_style: str
    required_sections: tuple[str, ...]
    statements: tuple[str, ...]
    anonymous: bool
    layout: str
    style_files: tuple[str, ...] = ()

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Venue:
        """From the fields of a venue; a run of an earlier version has pinned fewer of them."""
        given: dict[str, Any] = {name: tuple(each) if isinstance(each, list) else each for name, each in row.items()}
        name = given.pop("display_name")
        return cls(name=name, **{key: each for key, each in given.items() if key in cls.__dataclass_fields__})


@dataclass(frozen=True)
class VenueStyle:
    """The layout that is used, and the files of the user's own that come with it."""

    layout: str
    package: str  # the first style file, without its ending
    bibliography_style: str
    files: tuple[Path, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def is_preprint(self) -> bool:
        return self.layout == PREPRINT


def style_for(venue: Venue, project: Path) -> VenueStyle:
    """The venue's own layout if every style file is found: in the user's folder, or in the TeX installation."""
    own = files_in(project / FOLDER / venue.key)
    missing = tuple(name for name in venue.style_files if name not in own and not is_installed(name))
    bst = f"{venue.bibliography_style}.bst"
    has_bst = bst in own or is_installed(bst)
    bibliography = venue.bibliography_style if has_bst else OWN_STYLE
    layout = PREPRINT if missing or venue.layout == OF_EARLIER else venue.layout
    if layout == PREPRINT:
        return VenueStyle(PREPRINT, "", OWN_STYLE, missing=missing)
    package = venue.style_files[0].rpartition(".")[0] if venue.style_files else ""
    return VenueStyle(layout, package, bibliography, tuple(own.values()))


def files_in(folder: Path) -> dict[str, Path]:
    try:
        return {path.name: path for path in sorted(folder.iterdir()) if path.is_file() and path.name[0] != "."}
    except OSError:
        return {}


def is_installed(name: str) -> bool:
    environment = {"PATH": os.environ.get("PATH", "")}
    code, found, _ = run_quietly(["kpsewhich", name], Path("/"), LOOK_S, env=environment)
    return code == 0 and bool(found.strip())


def layout_notice(venue: Venue, style: VenueStyle) -> str:
    """What page one says about the layout. Nothing if it is the venue's own."""
    if not style.is_preprint or venue.kind == "preprint":
        return ""
    return f"Set in a preprint layout, not in the style of {venue.name}."
