"""Tables with numbers, rendered from facts and from the rows of results: nobody types a number into a table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flagstone.artifacts.formats import Unreadable
from flagstone.artifacts.rules import RuleCheck, failed_check
from flagstone.layout import Run
from flagstone.paper.facts.fact import RULE, FactBook
from flagstone.paper.facts.formats import printed_text, printed_value, refuse_percent_twice
from flagstone.paper.facts.macros import tex_text
from flagstone.paper.facts.permission import Permission
from flagstone.paper.facts.quantity import OF_SEVERAL
from flagstone.paper.facts.request import WrittenFile, first_problems, read_written
from flagstone.paper.facts.results_file import cell_of, read_results_file, text_of, typed_cell
from flagstone.paper.facts.sources import rows_source_of, tokens_of
from flagstone.records import write_if_changed

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}\Z")
MOST_ROWS = 60  # more do not fit on a page
# a name such as F1 or ResNet50 has digits, and is no number
TYPED_NUMBER = re.compile(r"(?<![A-Za-z])\d|\d[.,]\d|\d{4}")
MARKUP = re.compile(r"[\\{}$]")
EMPTY = "\N{EN DASH}"


@dataclass(frozen=True)
class Tables:
    """The LaTeX of each table by name, and the texts with digits that each prints, as often as it prints them."""

    tex: Mapping[str, str] = field(default_factory=dict)
    printed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def checks(self) -> list[RuleCheck]:
        """One failed check for each problem. Tables have no rule of their own: their numbers are facts."""
        return [failed_check(RULE, problem) for problem in self.problems]


def build_tables(run: Run, book: FactBook) -> Tables:
    """The tables of a run's paper."""
    written = read_written(run, "tables", NAME)
    rendering = Rendering(run, book, Permission.of(run), written)
    tex, printed, problems = {}, {}, list(written.problems)
    for name, asked in written.entries.items():
        try:
            grid = rendering.grid(asked)
            heads = [typed_text(column["head"]) for column in asked["columns"]]
        except ValueError as error:
            problems.append(written.message(name, str(error)))
            continue
        tex[name] = tabular(heads, grid)
        texts = (*heads, *(cell.text for row in grid for cell in row))
        printed[name] = tuple(text for text in texts if re.search(r"\d", text))
    return Tables(tex, printed, tuple(first_problems(problems)), dict(sorted(rendering.inputs.items())))


def write_tables(tables: Tables, out: Path) -> None:
    """Writes tables/NAME.tex for each table. The same facts and rows give the same bytes."""
    for name, text in tables.tex.items():
        write_if_changed(out / "tables" / f"{name}.tex", text.encode())


@dataclass(frozen=True)
class TableCell:
    """What one cell prints."""

    text: str
    is_number: bool


@dataclass
class Rendering:
    """The tables of one run while they are rendered, with the files that they rest on."""

    run: Run
    book: FactBook
    permission: Permission
    written: WrittenFile
    inputs: dict[str, str] = field(default_factory=dict)

    def grid(self, asked: Mapping[str, Any]) -> list[list[TableCell]]:
        """The cells of a table, row by row. Raises ValueError that says what is wrong with the table."""
        if ("rows" in asked) == ("cells" in asked):
            raise ValueError("give it either rows, from a file, or cells, which are facts")
        columns = asked["columns"]
        if "cells" in asked:
            if any(len(row) != len(columns) for row in asked["cells"]):
                raise ValueError(f"each row of cells needs {len(columns)} cells, one for each column")
            return [[self.cell_of_fact(cell) for cell in row] for row in asked["cells"]]
        if not all(column.get("column") for column in columns):
            raise ValueError("each column needs `column`, the column of the file that it shows")
        rows = self.sorted_rows(asked)
        if len(rows) > MOST_ROWS:
            raise ValueError(f"{len(rows)} rows are more than fit on a page ({MOST_ROWS}); choose with ?where=…")
        return [[cell_of_row(row, column) for column in columns] for row in rows]

    def cell_of_fact(self, cell: str | Mapping[str, str]) -> TableCell:
        if isinstance(cell, str):
            return TableCell(typed_text(cell), is_number=False)
        fact = self.book.facts.get(cell["val"])
        if fact is None:
            raise ValueError(self.book.unknown_text(cell["val"]))
        self.inputs |= fact.inputs
        return TableCell(fact.printed, not isinstance(fact.value, str))

    def sorted_rows(self, asked: Mapping[str, Any]) -> list[Any]:
        source = rows_source_of(asked["rows"])
        try:
            file = read_results_file(self.run, source.path)
        except Unreadable as refusal:
            raise ValueError(f"{source.path} {refusal.reason}") from None
        if fault := self.permission.fault(source.path, file.digest):
            raise ValueError(fault)
        self.inputs[file.path] = file.digest
        rows = file.rows(source)
        if by := asked.get("sort_by"):
            rows = sorted(
                rows, key=lambda row: sort_key(cell_of(row, steps_of(by))), reverse=bool(asked.get("descending"))
            )
        return rows


def steps_of(column: str) -> tuple[str, ...]:
    return tokens_of(column) if column.startswith("/") else (column,)


def sort_key(value: Any) -> tuple[bool, float, str]:
    """Numbers by size, then names."""
    cell = typed_cell(value)
    return (True, 0.0, text_of(cell)) if cell is None or isinstance(cell, str) else (False, float(cell), "")


def cell_of_row(row: Any, column: Mapping[str, str]) -> TableCell:
    """What a column shows of a row."""
    name = column["column"]
    value = typed_cell(cell_of(row, steps_of(name)))
    if value is None:
        return TableCell(EMPTY, is_number=False)
    if isinstance(value, str):
        return TableCell(printed_text(value, ""), is_number=False)
    count = typed_cell(row["n"]) if isinstance(row, Mapping) and "n" in row else None
    if name.lower() in OF_SEVERAL and isinstance(count, int) and count < 2:
        raise ValueError(f"{name} of a row with n = {count} says nothing; choose the rows with more, or leave it out")
    try:
        refuse_percent_twice(column.get("format", ""), name)
        return TableCell(printed_value(value, column.get("format", "")), is_number=True)
    except ValueError as error:
        raise ValueError(f"column {name}: {error}") from None


def typed_text(text: str) -> str:
    """A text of the agent's own. Raises ValueError if it has a number or markup in it."""
    if TYPED_NUMBER.search(text):
        raise ValueError(f"{text[:60]!r} has a typed number; put {{val: KEY}} there, or write it in words")
    if MARKUP.search(text):
        raise ValueError(
            f"{text[:60]!r} would be printed as it stands; write plain text, and a fact alone: {{val: KEY}}"
        )
    return printed_text(text, "") if text.strip() else ""


def tabular(heads: Sequence[str], grid: Sequence[Sequence[TableCell]]) -> str:
    """A table in booktabs' manner: numbers at the right, names at the left."""
    alignment = "".join("r" if any(row[at].is_number for row in grid) else "l" for at in range(len(heads)))
    return "\n".join(
        (
            "% Written by Flagstone from tables.yaml. Changes are lost.",
            f"\\begin{{tabular}}{{{alignment}}}",
            "\\toprule",
            row_text(heads),
            "\\midrule",
            *(row_text([cell.text for cell in row]) for row in grid),
            "\\bottomrule",
            "\\end{tabular}%\n",
        )
    )


def row_text(cells: Sequence[str]) -> str:
    return " & ".join(tex_text(cell) for cell in cells) + r" \\"
