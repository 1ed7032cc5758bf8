"""The runs that an agent made by itself and lists in its own table. Flagstone measured none of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from flagstone.artifacts.formats import Unreadable, decode_text, read_bounded
from flagstone.artifacts.rules import MADE, NAMING, PLANNED, csv_rows
from flagstone.layout import Run
from flagstone.paper.building.appendix.entries import AppendixEntry, MadeRun
from flagstone.text import list_text

TABLE_BYTES = 20_000_000
DONE = ("ok", "done", "success", "completed", "finished")
NOTE = "The agent made these runs and reports them. Flagstone did not measure them."


def reported_entries(run: Run) -> Iterator[AppendixEntry]:
    """One entry if there is a table of runs."""
    made = rows_of(run, MADE)
    if made:
        runs = tuple(made_run(row) for row in made)
        yield AppendixEntry("Runs of the agent", (NOTE,), runs, tuple(left_out(rows_of(run, PLANNED), made)))


def rows_of(run: Run, path: str) -> Sequence[Mapping[str, str]]:
    try:
        return csv_rows(decode_text(read_bounded(run.root / path, run.root, TABLE_BYTES)))
    except Unreadable:
        return ()


def made_run(row: Mapping[str, str]) -> MadeRun:
    name = " ".join(word(row, each) for each in NAMING if each != "seed" and word(row, each))
    status = word(row, "status") or "not told"
    is_done = status.casefold() in DONE
    code, words = word(row, "exit_code"), "; ".join(filter(None, (word(row, "role"), word(row, "reason"))))
    return MadeRun(
        name,
        name,
        "ok" if is_done else status,
        seed=word(row, "seed"),
        wall_s=seconds(word(row, "wall_s")),
        exit_code=int(code) if code.lstrip("-").isdecimal() else None,
        words=words,
    )


def word(row: Mapping[str, str], name: str) -> str:
    return str(row.get(name) or "").strip()


def seconds(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def left_out(planned: Sequence[Mapping[str, str]], made: Sequence[Mapping[str, str]]) -> Iterator[str]:
    """Runs that were planned and have no row, by what both tables name."""
    names = [name for name in NAMING if planned and name in planned[0] and name in made[0]]
    known = {tuple(word(row, name) for name in names) for row in made}
    missing = [key for row in planned if names and (key := tuple(word(row, name) for name in names)) not in known]
    if missing:
        which = list_text([" ".join(key) for key in missing])
        yield f"{MADE} has no row of runs that {PLANNED} names, not even as failed: {which}"
