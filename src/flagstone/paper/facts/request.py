"""facts.yaml, tables.yaml and figures.yaml as the agent wrote them: located, held against their schemas, decoded."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flagstone.artifacts.formats import Unreadable, decode_text, read_bounded
from flagstone.errors import FlagstoneError
from flagstone.layout import Run, shipped_files
from flagstone.paper.facts.fact import FactKind, Value
from flagstone.schemas import MAX_YAML_BYTES, LocatedYaml, Misfit, placed_misfits, schema_of

WRITING = "workspace/writing"
FILE = f"{WRITING}/facts.yaml"
# an expression reads keys as Python reads names, and TeX reads them between braces
KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}(?:\.[A-Za-z][A-Za-z0-9_]{0,63}){0,3}\Z")
KEY_WORDS = "a key has letters, digits and _, starts with a letter, and may have parts joined by dots"
MOST_PROBLEMS = 100  # a file that is wrong throughout is wrong in the same way
MEASURED_IN = ("trials/", "experiments/", "workspace/results/")


@dataclass(frozen=True)
class FactRequest:
    """What facts.yaml says about one key."""

    key: str
    source: str = ""
    reduce: str = ""
    expr: str = ""
    value: Value | None = None
    format: str = ""
    unit: str = ""
    kind: str = ""
    cite: str = ""
    quote: str = ""

    @property
    def text(self) -> str:
        """Where it comes from, in the words of facts.yaml."""
        return self.expr or (f"{self.reduce} of {self.source}" if self.reduce else self.source) or f"cited: {self.cite}"


@dataclass(frozen=True)
class WrittenFile:
    """One YAML file of the agent's: its entries that are well formed, and what is wrong with the others.

    Of many problems the later ones have no words (see `first_problems`).
    """

    yaml: LocatedYaml
    entries: dict[str, Any] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def message(self, key: str, problem: str, *below: str | int) -> str:
        return self.yaml.message((key, *below), problem)


def read_written(run: Run, name: str, pattern: re.Pattern[str] = KEY) -> WrittenFile:
    """The entries of workspace/writing/<name>.yaml. A file that is not there has none."""
    path = f"{WRITING}/{name}.yaml"
    if not os.path.lexists(run.root / path):
        return WrittenFile(LocatedYaml("", path))
    try:
        yaml = LocatedYaml(decode_text(read_bounded(run.root / path, run.root, MAX_YAML_BYTES)), path)
        value = yaml.value
    except Unreadable as refusal:
        return WrittenFile(LocatedYaml("", path), {}, (f"{path} cannot be used: {refusal.reason}; write it anew",))
    except FlagstoneError as error:
        return WrittenFile(LocatedYaml("", path), {}, (f"{error.problem}; {error.hint}",))
    if value is not None and not isinstance(value, dict):
        return WrittenFile(yaml, {}, (f"{path} has no keys; write `key: {{…}}`, one entry each",))
    return checked_entries(yaml, value or {}, schema_of(schema_folder(run, name), name), pattern)


def checked_entries(yaml: LocatedYaml, value: Any, schema: Any, pattern: re.Pattern[str]) -> WrittenFile:
    wrong: list[tuple[tuple[str | int, ...], str]] = [
        ((str(key),), f"{str(key)[:60]!r} cannot be a key; {KEY_WORDS}") for key in value if not is_key(key, pattern)
    ]
    wrong += [(each.keys, f"{each.problem}; {cure_of(each)}") for each in placed_misfits(schema, value)]
    bad = {keys[0] for keys, _ in wrong if keys}
    entries = {key: row for key, row in value.items() if str(key) not in bad}
    said = (yaml.message(keys, problem) for keys, problem in wrong[:MOST_PROBLEMS])
    return WrittenFile(yaml, entries, (*said, *("" for _ in wrong[MOST_PROBLEMS:])))


def cure_of(misfit: Misfit) -> str:
    # YAML ends a value at a comma between braces
    return "put what has a comma in quotes" if misfit.key.endswith(")") else "see docs/reference/paper.md"


def is_key(key: object, pattern: re.Pattern[str]) -> bool:
    return isinstance(key, str) and bool(pattern.match(key))


def first_problems(found: Sequence[str]) -> Iterator[str]:
    """The problems that are named, and how many more there are: to find the line of each would take minutes."""
    yield from found[:MOST_PROBLEMS]
    if len(found) > MOST_PROBLEMS:
        yield f"and {len(found) - MOST_PROBLEMS} more; correct these first"


def schema_folder(run: Run, name: str) -> Path:
    """Where the schema of a file is: what the run has pinned, or our own for a run of an earlier version."""
    pinned = run.pinned / "schemas"
    return pinned if (pinned / f"{name}.schema.yaml").is_file() else shipped_files() / "schemas"


def requests_in(written: WrittenFile) -> Iterator[FactRequest]:
    for key, row in written.entries.items():
        yield FactRequest(key, **{("source" if name == "from" else name): value for name, value in row.items()})


def kind_of(asked: FactRequest) -> FactKind:
    """What a fact is. Raises ValueError if it claims to be more than its source is."""
    if asked.value is not None or asked.kind == "literature":
        return "literature"
    if asked.expr:
        if asked.kind not in ("", "derived"):
            raise ValueError(f"an expression is derived, and not {asked.kind}; remove `kind`")
        return "derived"
    is_measured = asked.source.startswith(MEASURED_IN)
    if asked.kind in ("measured", "derived") and not is_measured:
        raise ValueError(f"only {', '.join(MEASURED_IN)} hold what was measured; write kind: config or kind: dataset")
    if asked.kind:
        return asked.kind  # type: ignore[return-value]  # the schema has no other words
    return "measured" if is_measured else "dataset" if asked.source.startswith("workspace/data/") else "config"


def form_fault(asked: FactRequest) -> str:
    """What is wrong with the keys of an entry taken together. Returns '' if nothing is."""
    if [bool(asked.source), bool(asked.expr), asked.value is not None].count(True) != 1:
        return "give exactly one of from, expr and value"
    if asked.value is None:
        if asked.kind == "literature" or asked.cite or asked.quote:
            return "a value from the literature is typed as `value`, with `cite` and `quote`"
        return "`reduce` goes with `from`; write it into the expression" if asked.reduce and asked.expr else ""
    if asked.kind != "literature" or not asked.cite or not asked.quote:
        return (
            "only a value from the literature is typed: with kind: literature, cite and quote; read others with `from`"
        )
    return ""
