"""What a fact is worth before it is printed: its values, and what stands behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from flagstone.paper.facts.reductions import NEED_TWO, reduction
from flagstone.paper.facts.results_file import Cell, ResultsFile, cell_of, typed_cell, value_at
from flagstone.paper.facts.sources import FactSource

# a value of one of these names says how far values lie apart
OF_SEVERAL = frozenset(
    ("sd", "std", "sem", "stderr", "standard_error", "ci_low", "ci_high", "low", "high", "bound", "upper", *NEED_TWO)
)
SCREENS = ("screen", "screening", "exploratory")


@dataclass(frozen=True)
class Quantity:
    """One value, or the values of a list, which may be empty cells as long as nobody computes with them.

    `repeated_seed` is one that several values of a list have: they are no independent repeats.
    """

    values: tuple[Cell, ...]
    is_list: bool = False
    n: int = 1
    seeds: tuple[int, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    is_exploratory: bool = False
    repeated_seed: int | None = None

    def numbers(self) -> list[float]:
        """Its values, all of which must be numbers."""
        texts = [each for each in self.values if isinstance(each, str)]
        if texts:
            raise ValueError(f"{texts[0][:40]!r} is no number; choose the rows that have one (?where=status=ok)")
        empty = sum(each is None for each in self.values)
        if empty:
            raise ValueError(
                f"{empty} of its {len(self.values)} values are empty; choose the rows that have one (?where=status=ok),"
                " and say in the paper why the others have none"
            )
        return [each for each in self.values if isinstance(each, int | float)]

    def number(self) -> float:
        """Its one value, which must be a number."""
        if self.is_list:
            raise ValueError(f"it stands for {len(self.values)} values; reduce them to one first, such as with mean(…)")
        return self.numbers()[0]


def quantity_of(file: ResultsFile, source: FactSource) -> Quantity:
    """What a source finds in its file. Raises ValueError with the reason if it finds nothing to print."""
    inputs = {file.path: file.digest}
    is_screen = file.path.startswith("trials/") and any(step in SCREENS for step in source.rows_at + source.column)
    if not source.has_rows:
        holder = value_at(file.value, source.column[:-1])
        value = typed_cell(value_at(holder, source.column[-1:]))
        known = quantity_beside(holder, value, inputs)
        refuse_lone_deviation(source, known)
        return replace(known, is_exploratory=is_screen or is_exploratory(file, holder))
    rows = file.rows(source)
    if not rows:
        raise ValueError("there are no rows")
    cells = tuple(typed_cell(cell_of(row, source.column)) for row in rows)
    screens = is_screen or any(is_exploratory(file, row) for row in rows)
    if len(rows) == 1:
        known = quantity_beside(rows[0], cells[0], inputs)
        refuse_lone_deviation(source, known)
        # chosen by its cells: it is that row's value. Of a table that happens to have one row, it is a list of one
        return replace(known, is_list=not source.where, is_exploratory=screens)
    seeds = tuple(chain.from_iterable(map(seeds_beside, rows)))
    count, distinct = sum(cell is not None for cell in cells), tuple(dict.fromkeys(seeds))
    return Quantity(cells, True, count, distinct, inputs, screens, first_repeat(seeds))


def first_repeat(seeds: Sequence[int]) -> int | None:
    """The first seed that occurs twice. Returns None if there is none."""
    seen = set[int]()
    for seed in seeds:
        if seed in seen:
            return seed
        seen.add(seed)
    return None


def quantity_beside(holder: Any, value: Cell, inputs: Mapping[str, str]) -> Quantity:
    """One value, with the n and the seeds that stand beside it."""
    if value is None:
        raise ValueError("it is empty; print another value, or say in the paper why there is none")
    n = 1
    if isinstance(holder, Mapping) and "n" in holder:
        given = typed_cell(holder["n"])
        n = given if isinstance(given, int) and given >= 0 else 1
    return Quantity((value,), False, n, seeds_beside(holder), inputs)


def seeds_beside(holder: Any) -> tuple[int, ...]:
    """The seeds that an object names: its own, or those of its pairs."""
    if not isinstance(holder, Mapping):
        return ()
    pairs = holder.get("pairs")
    found: Sequence[Any] = [holder.get("seed")]
    if isinstance(holder.get("seeds"), list):
        found = holder["seeds"]
    elif isinstance(pairs, list):
        found = [pair.get("seed") for pair in pairs if isinstance(pair, Mapping)]
    texts = (str(each).strip() for each in found if not isinstance(each, bool | float))
    return tuple(int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 20)


def refuse_lone_deviation(source: FactSource, known: Quantity) -> None:
    """An interval of one run says nothing, whoever computed it."""
    if source.last_name.lower() in OF_SEVERAL and known.n < 2:
        raise ValueError(
            f"{source.last_name} of fewer than two values (n = {known.n}); make more runs, or print the value alone"
        )


def is_exploratory(file: ResultsFile, row: Any) -> bool:
    """Whether a row is of a screen, or its trial has no result that may be SUPPORTED."""
    if not isinstance(row, Mapping):
        return False
    if str(row.get("role", "")).lower() in SCREENS:
        return True
    if not file.path.startswith("trials/"):
        return False
    is_marked = isinstance(file.value, Mapping) and bool(file.value.get("exploratory"))
    return is_marked or str(row.get("slot", "")).startswith("a")


def reduce_values(known: Quantity, name: str) -> Quantity:
    """One value of several."""
    if name == "count":
        return replace(known, values=(len(known.values),), is_list=False, n=len(known.values))
    if name in NEED_TWO and known.repeated_seed is not None:
        raise ValueError(
            f"{name} of values that are no independent repeats: seed {known.repeated_seed} occurs twice among them;"
            " choose one arm and one condition (?where=…)"
        )
    numbers = known.numbers()
    return replace(known, values=(reduction(name, numbers),), is_list=False, n=len(numbers))
