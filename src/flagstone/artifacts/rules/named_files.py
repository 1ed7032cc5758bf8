"""The files that the stage table asks of a stage by name: each is there, and no named column or key of it is empty."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

from flagstone.artifacts.formats import Unreadable, loads_strict
from flagstone.artifacts.rules.findings import RuleCheck, failed_check, passed_check
from flagstone.artifacts.rules.inspection import Inspection
from flagstone.stages import NamedFile
from flagstone.text import count_text, escaped_text, list_text

RULE = "named-files"


def named_file_checks(inspection: Inspection, files: Sequence[NamedFile]) -> Iterator[RuleCheck]:
    """One check for all files that the stage must leave. No check if it need not leave any."""
    problems = []
    for file in files:
        try:
            text = inspection.text(file.path)
            refuse_empty(file, csv_rows(text) if file.is_table else [loads_strict(text)])
        except Unreadable as refusal:
            problems.append(f"{wanted_text(file)}: {refusal.reason}")
    if problems:
        yield failed_check(RULE, f"write these files. {list_text(problems)}")
    elif files:
        yield passed_check(RULE, f"{count_text(len(files), 'named file')} in place")


def wanted_text(file: NamedFile) -> str:
    """What is asked of a file, for the prompt and for whoever reads a failed check."""
    if not file.names:
        return f"`{file.path}` is there and not empty"
    names = ", ".join(f"`{name}`" for name in file.names)
    if file.is_table:
        return f"`{file.path}` is a CSV table with the columns {names}, none of them empty in any row"
    return f"`{file.path}` is a JSON object with the keys {names}, none of them empty"


def csv_rows(text: str) -> list[dict[str, str]]:
    """The rows of a table. Raises Unreadable if it is none, or has none."""
    import csv  # here, not above: importing the checks stays light

    try:
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
    except csv.Error as error:
        raise Unreadable(f"not a CSV table ({error})") from None
    if not rows:
        raise Unreadable("it has no rows")
    return rows


def refuse_empty(file: NamedFile, rows: Sequence[object]) -> None:
    """Refuses the first row without one of the names, or with nothing under it."""
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise Unreadable("it is not an object with these keys")
        missing = [name for name in file.names if is_empty(row.get(name))]
        if missing:
            where = f"row {number}: " if file.is_table else ""
            raise Unreadable(f"{where}nothing under {escaped_text(', '.join(missing))}")


def is_empty(value: object) -> bool:
    """Whether nothing was written. Zero and `false` are something."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or value == [] or value == {}
