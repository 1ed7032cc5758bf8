"""Reads the markers of a repository. An error says everything that is wrong with their file, line by line."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from flagstone.errors import FlagstoneError, suggestion
from flagstone.layout import shipped_files
from flagstone.markers.canonical import canonical_values, with_numbers
from flagstone.markers.marker import Marker
from flagstone.markers.rules import broken_rules
from flagstone.markers.tccw import FILES, split_foreign, with_old_duration
from flagstone.plans import FOLDER
from flagstone.schemas import LocatedYaml, Misfit, placed_misfits, read_located, schema_of
from flagstone.settings import merge

SCHEMAS = shipped_files() / "schemas"
OWN_FILE = f"{FOLDER}/config.yaml"
PERSONAL = ("agent", "loop", "schedule")  # what a person may have defaults for
MOST_PROBLEMS = 40


@dataclass(frozen=True)
class MarkerFile:
    """The markers of a repository. `warnings` say which keys of another program's file mean nothing here."""

    path: Path
    markers: tuple[Marker, ...] = ()
    warnings: tuple[str, ...] = ()


def find_repository(here: Path) -> Path:
    """The top of the work tree around a folder."""
    start = Path(os.path.realpath(here))
    found = next((each for each in (start, *start.parents) if os.path.lexists(each / ".git")), None)
    if found is None:
        raise FlagstoneError(
            f"{here} is in no git repository", hint="go into one, name it with --repo PATH, or give REPOSITORY:MARKER"
        )
    return found


def marker_named(repository: Path, name: str | None) -> Marker:
    """The marker of this name, or the only one. Raises an error that lists all if that is not clear."""
    found = read_markers(repository)
    if name is None and len(found.markers) == 1:
        return found.markers[0]
    marker = next((each for each in found.markers if each.name == name), None)
    if marker is not None:
        return marker
    names = [each.name for each in found.markers]
    hint = f"the markers are: {', '.join(names)}" if names else "flagstone marker init adds one"
    if name is None:
        raise FlagstoneError(f"there {'are several markers' if names else 'is no marker'} in {found.path}", hint=hint)
    close = suggestion(name, names)
    raise FlagstoneError(
        f"there is no marker {name[:80]!r} in {found.path}", hint=f"{close}; {hint}" if close else hint
    )


def read_markers(repository: Path) -> MarkerFile:
    """Every marker of a repository, with the defaults of the person filled in."""
    names = [name for name in (OWN_FILE, *FILES) if os.path.lexists(repository / name)]
    if not names:
        raise FlagstoneError(f"{repository} has no {OWN_FILE}", hint="flagstone marker init writes one")
    path = repository / names[0]
    found = markers_in(read_located(path, names[0]), path)
    unread = tuple(f"{name} is not read, because there is {names[0]}" for name in names[1:])
    return replace(found, warnings=found.warnings + unread)


def markers_in(document: LocatedYaml, path: Path) -> MarkerFile:
    """The markers of a text that stands at a path, or is to be written there."""
    rows, warnings = checked_markers(document, is_tccw=document.where in FILES)
    personal = person_defaults()
    return MarkerFile(path, tuple(marker_of(row, personal, path) for row in rows), warnings)


def marker_of(values: Mapping[str, Any], personal: Mapping[str, Any], path: Path) -> Marker:
    """A marker of its canonical values, and of those that a person has as defaults."""
    repository = path.parent if path.name == FILES[1] else path.parent.parent
    filled = {**merge(personal, values), "repository": repository, "file": path}
    return msgspec.convert(filled, Marker, dec_hook=lambda _, value: Path(value))


def checked_markers(document: LocatedYaml, *, is_tccw: bool) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """The canonical values of each marker, and warnings. Raises an error with all problems."""
    value, foreign = split_document(document.value, is_tccw=is_tccw)
    schema = schema_of(SCHEMAS, "marker")
    value = with_numbers(value, schema, schema["$defs"])
    wrong = placed_misfits(schema, value)
    rows = value.get("markers") if isinstance(value, dict) else None
    for number, row in enumerate(rows if isinstance(rows, list) else ()):
        wrong += misfits_at(("markers", number), broken_rules(row) if isinstance(row, dict) else ())
    wrong += double_names(rows if isinstance(rows, list) else [])
    refuse(document, wrong if is_tccw else [*wrong, *foreign])
    warnings = tuple(text for _, text in messages(document, foreign))
    return [canonical_values(row, is_tccw=is_tccw) for row in value["markers"]], warnings


def split_document(value: Any, *, is_tccw: bool) -> tuple[Any, list[Misfit]]:
    """The document without empty values, and without keys that mean nothing here; these apart."""
    if not isinstance(value, dict):
        return {} if value is None else value, []
    rows, found = value.get("markers") or [], list[Misfit]()
    if not isinstance(rows, list):
        return value, []
    kept = []
    for number, row in enumerate(rows):
        plain = without_empty(row)
        if isinstance(plain, dict):
            plain, foreign = split_foreign(plain)
            found += misfits_at(("markers", number), foreign)
            plain = with_old_duration(row, plain) if is_tccw else plain
        kept.append(plain)
    return {**value, **({"markers": kept} if "markers" in value else {})}, found


def without_empty(value: Any) -> Any:
    """A key without a value is not set."""
    if isinstance(value, dict):
        return {key: without_empty(row) for key, row in value.items() if row is not None}
    return value


def misfits_at(place: tuple[str | int, ...], found: Iterable[Misfit]) -> list[Misfit]:
    return [Misfit((*place, *each.place), each.start, each.end, each.key) for each in found]


def double_names(rows: list[Any]) -> Iterator[Misfit]:
    names: dict[str, int] = {}
    for number, row in enumerate(rows):
        name = row.get("name") if isinstance(row, dict) else None
        if isinstance(name, str) and names.setdefault(name, number) != number:
            yield Misfit(("markers", number, "name"), f"a marker before it is called {name[:80]!r} too")


def refuse(document: LocatedYaml, wrong: list[Misfit]) -> None:
    """Raises one error with all problems, in the order of their lines."""
    found = messages(document, wrong)
    if not found:
        return
    lines = [text for _, text in found[:MOST_PROBLEMS]]
    more = [f"and {len(found) - MOST_PROBLEMS} more"] if len(found) > MOST_PROBLEMS else []
    raise FlagstoneError("\n".join((*lines, *more)), hint="every key is described in docs/reference/marker.md")


def messages(document: LocatedYaml, wrong: Iterable[Misfit]) -> list[tuple[int, str]]:
    """Each problem with its line, in the order of the file."""
    found = set()
    for each in wrong:
        within = 2 if len(each.keys) > 2 and each.keys[0] == "markers" else 0
        found.add((document.line(each.keys), document.message(each.keys, each.problem, within=within)))
    return sorted(found)


def person_defaults(environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What a person has set for all markers, in $XDG_CONFIG_HOME/flagstone/marker.yaml. Nothing if there is no file."""
    variables = os.environ if environ is None else environ
    base = variables.get("XDG_CONFIG_HOME") or Path(variables.get("HOME") or Path.home()) / ".config"
    path = Path(base) / "flagstone" / "marker.yaml"
    if not path.exists():
        return {}
    document = read_located(path, str(path))
    value = without_empty(document.value or {})
    whole = schema_of(SCHEMAS, "marker")
    rows = {key: whole["$defs"]["marker"]["properties"][key] for key in PERSONAL}
    schema = {"type": "object", "additionalProperties": False, "properties": rows, "$defs": whole["$defs"]}
    value = with_numbers(value, schema, whole["$defs"])
    refuse(document, [*placed_misfits(schema, value), *(broken_rules(value) if isinstance(value, dict) else ())])
    return canonical_values(value, is_tccw=False)
