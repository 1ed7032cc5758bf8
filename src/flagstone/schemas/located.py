"""A YAML file with the line of each key, so that a message can name it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from flagstone.errors import FlagstoneError
from flagstone.schemas.documents import parse_yaml, read_bounded, yaml_nodes
from flagstone.schemas.sentences import short_text

PLAIN = re.compile(r"[A-Za-z0-9_.-]{1,40}\Z")


@dataclass(frozen=True)
class LocatedYaml:
    """The text of a YAML file, with its value. `where` is how messages call the file."""

    text: str
    where: str

    @cached_property
    def value(self) -> Any:
        return parse_yaml(self.text, self.where)

    @cached_property
    def top(self) -> Any:
        return next(iter(yaml_nodes(self.text)), None)

    def line(self, keys: Sequence[str | int]) -> int:
        """The line of the last of these keys that the file has."""
        node, line = self.top, 1
        for key in keys:
            found = child_of(node, key)
            if found is None:
                break
            line, node = found[0] + 1, found[1]
        return line

    def message(self, keys: Sequence[str | int], problem: str, *, within: int = 0) -> str:
        """A problem with its place, such as `config.yaml:7:metric.command: …`. The first `within` keys are left out."""
        shown = (key for key in keys[within:] if isinstance(key, str))
        names = ".".join(key if PLAIN.match(key) else short_text(key) for key in shown)
        return f"{self.where}:{self.line(keys)}:{f'{names}:' if names else ''} {problem}"


def child_of(node: Any, key: str | int) -> tuple[int, Any] | None:
    """The line (from 0) and the node of a key of a mapping, or of an item of a list."""
    rows = node.value if node is not None and isinstance(node.value, list) else []
    if rows and isinstance(rows[0], tuple):
        return next(((name.start_mark.line, value) for name, value in rows if name.value == str(key)), None)
    return (rows[key].start_mark.line, rows[key]) if isinstance(key, int) and key < len(rows) else None


def read_located(path: Path, where: str) -> LocatedYaml:
    """A YAML file, with its size bounded. Refuses what is no UTF-8 text."""
    try:
        return LocatedYaml(read_bounded(path).decode("utf-8-sig"), where)
    except UnicodeDecodeError as error:
        raise FlagstoneError(f"{where} is not UTF-8 text (byte {error.start})", hint=f"write {where} anew") from error
