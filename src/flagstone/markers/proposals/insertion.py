"""Puts a marker into a marker file as text, so that everything else in it stays as a person wrote it."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from flagstone.errors import FlagstoneError
from flagstone.markers.reading import OWN_FILE
from flagstone.markers.tccw import FILES
from flagstone.schemas import LocatedYaml, parse_yaml, read_located

KEY = "markers"
UNBROKEN = 1_000_000  # no line of a marker is wrapped


def marker_file(repository: Path) -> str:
    """The file that a new marker goes into: the one that is read, or else our own."""
    return next((name for name in (OWN_FILE, *FILES) if os.path.lexists(repository / name)), OWN_FILE)


def marker_names(repository: Path) -> list[str]:
    """The names of the markers that are there. A file that is wrong may have others as well."""
    name = marker_file(repository)
    value = read_located(repository / name, name).value if os.path.lexists(repository / name) else None
    rows = value.get(KEY) if isinstance(value, dict) else None
    return [str(row.get("name")) for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def text_with(repository: Path, name: str, row: Mapping[str, Any]) -> str:
    """The text of a marker file with one more marker. Raises an error if that cannot be inserted into its form."""
    path = repository / name
    before = read_located(path, name) if os.path.lexists(path) else LocatedYaml("", name)
    value = {} if before.value is None else before.value
    is_crlf = "\r\n" in before.text
    after = inserted_text(LocatedYaml(before.text.replace("\r\n", "\n"), name), row)
    if not isinstance(value, dict) or not has_value(after, {**value, KEY: [*(value.get(KEY) or ()), dict(row)]}):
        raise FlagstoneError(
            f"a marker cannot be inserted into {name}, because of the form that it has",
            hint=f"write it there yourself, below `{KEY}:`\n{block_text(row, 2).rstrip()}",
        )
    return after.replace("\n", "\r\n") if is_crlf else after


def has_value(text: str, value: Any) -> bool:
    try:
        return bool(parse_yaml(text, KEY) == value)
    except FlagstoneError:
        return False


def inserted_text(before: LocatedYaml, row: Mapping[str, Any]) -> str:
    """The text with one more marker, in the style of the list that is there."""
    text, top = before.text, before.top
    rows = top.value if isinstance(top, yaml.MappingNode) else ()
    name, items = next(((key, value) for key, value in rows if key.value == KEY), (None, None))
    if name is None or items is None:
        return f"{ended_line(text)}{KEY}:\n{block_text(row, 2)}"
    if not isinstance(items, yaml.SequenceNode) or not items.value:
        rest, _, after = text[items.end_mark.index :].partition("\n")  # `markers: []  # none yet`
        return f"{text[: name.end_mark.index]}:{rest}\n{block_text(row, name.start_mark.column + 2)}{after}"
    if items.flow_style:
        end = items.value[-1].end_mark.index
        return f"{text[:end]}, {yaml_text(row, is_flow=True).strip()}{text[end:]}"
    column, lines = items.start_mark.column, text.splitlines(keepends=True)
    number = end_line(items.value[-1])
    while number < len(lines) and is_comment_below(lines[number], column):
        number += 1
    return f"{ended_line(''.join(lines[:number]))}{block_text(row, column)}{''.join(lines[number:])}"


def end_line(node: Any) -> int:
    """The number of the first line after a value. Blank lines and comments after it are not part of it."""
    line: int = node.end_mark.line + (node.end_mark.column > 0)
    if isinstance(node, yaml.ScalarNode) or node.flow_style or not node.value:
        return line
    last = node.value[-1]
    return max(map(end_line, last)) if isinstance(last, tuple) else end_line(last)


def is_comment_below(line: str, column: int) -> bool:
    """Whether a line is a comment within the item of a list whose dashes stand in this column."""
    words = line.lstrip(" ")
    return words.startswith("#") and len(line) - len(words) > column


def ended_line(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"


def block_text(row: Mapping[str, Any], column: int) -> str:
    """A marker as an item of a list, with its dash in this column."""
    return f"{' ' * column}- {textwrap.indent(yaml_text(row), ' ' * (column + 2)).lstrip(' ')}"


def yaml_text(row: Mapping[str, Any], *, is_flow: bool = False) -> str:
    """A mapping as YAML. In block style, a list takes one line, and no line is wrapped."""
    found: str = yaml.dump(
        dict(row), Dumper=MarkerDumper, default_flow_style=is_flow, sort_keys=False, allow_unicode=True, width=UNBROKEN
    )
    return found


class MarkerDumper(yaml.SafeDumper):
    """Writes a list on one line."""

    def represent_list(self, data: Any) -> Any:
        return self.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=True)


MarkerDumper.add_representer(list, MarkerDumper.represent_list)
