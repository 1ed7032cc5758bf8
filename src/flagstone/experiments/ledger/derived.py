"""What is read off the ledger into files of its own: result.json, results.tsv, best.json. All may be deleted."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from flagstone.experiments.ledger.entry import Entry
from flagstone.experiments.ledger.ledger import History, entries_of
from flagstone.experiments.ledger.scalars import NAME, event_bytes
from flagstone.experiments.measuring import Measurement, tail_text
from flagstone.plans import Home, Spec, run_id
from flagstone.records import cannot_write, content_of, decode, decode_or_none, encode, keep, last_line, make, replace

COLUMNS = (
    "run_id",
    "ts",
    "wall_s",
    "status",
    "verdict",
    "primary_name",
    "primary_value",
    "valid",
    "improved",
    "note",
)
HEADER = "\t".join(COLUMNS)
NOTE = 200
# a line break in the eyes of any reader of the table
BREAKS = str.maketrans(dict.fromkeys("\t\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029\x00", " "))


def decisive_measurement(entry: Entry) -> Measurement | None:
    """The measurement that the status of a run comes from: the first, or the repeat that failed."""
    failed = [each for each in entry.measurements if each.status == entry.status != "ok"]
    return failed[-1] if failed else entry.first


def primary_of(entry: Entry, spec: Spec) -> dict[str, Any]:
    return {"name": spec.metric.name, "direction": spec.metric.direction, "value": entry.value}


def result_record(entry: Entry, spec: Spec) -> dict[str, Any]:
    """result.json: the fields of the autoresearch plugin with its words, then what only we know."""
    return decode(result_bytes(entry, spec), dict[str, Any])


def result_bytes(entry: Entry, spec: Spec) -> bytes:
    """result.json as it is written: one field a line."""
    rows = (b' "%b": %b' % (name.encode(), encode(value)) for name, value in fields(entry, spec).items())
    return b"{\n" + b",\n".join(rows) + b"\n}\n"


def fields(entry: Entry, spec: Spec) -> dict[str, Any]:
    found = decisive_measurement(entry)
    own = {
        "run_id": entry.run_id,
        "started_at": (entry.first.started_at if entry.first else "") or entry.ended_at,
        "wall_seconds": round(entry.wall_s, 4),
        "status": entry.status,
        "verdict": entry.verdict,
        "metrics": entry.first.metrics if entry.first else {},
        "primary": primary_of(entry, spec),
        "constraints": entry.constraints,
        "valid": entry.valid,
        "improved_over_best": entry.improved,
        "previous_best_run_id": entry.previous_best or None,
        "wandb_run_id": entry.first.wandb_run_id if entry.first else None,
        "log_path": found.log if found else "",
        "note": entry.note,
        "should_terminate": entry.should_terminate,
        "terminated_by": entry.terminated_by or None,
        "exit_code": found.exit_code if found else None,
        "unclean": entry.status == "unclean",
    }
    return {**own, **further_fields(entry)}


def further_fields(entry: Entry) -> dict[str, Any]:
    """What only Flagstone knows."""
    return {
        "reason": entry.reason,
        "number": entry.number,
        "parent_run": entry.parent_run or None,
        "tree": entry.tree,
        "commit": entry.commit,
        "best_run_id": entry.best_run or None,
        "best_value": entry.best_value,
        "backend": entry.first.backend if entry.first else "",
        "repeats": [
            {"part": each.part, "seed": each.seed, "status": each.status, "value": each.value, "wall_s": each.wall_s}
            for each in entry.measurements[1:]
        ],
        "judgement": entry.judgement,
        "flags": entry.flags,
        "proposal": entry.proposal,
        "peak_rss_mb": largest_amount(each.peak_rss_mb for each in entry.measurements),
        "peak_vram_mb": largest_amount(each.peak_vram_mb for each in entry.measurements),
        "unclean_pids": [pid for each in entry.measurements for pid in each.unclean],
        "cost_usd": entry.cost_usd,
        "contract": entry.contract,
        **({"project_changes": entry.project_changes} if entry.project_changes else {}),
        "ended_at": entry.ended_at,
    }


def largest_amount(amounts: Iterable[float | None]) -> float | None:
    return max((each for each in amounts if each is not None), default=None)


def best_record(entry: Entry, spec: Spec) -> dict[str, Any]:
    """best.json: which run is the best, its number, and where its weights and its source are."""
    saved = entry.first.checkpoint if entry.first else ""
    return {
        "run_id": entry.run_id,
        "primary": primary_of(entry, spec),
        "created_at": entry.ended_at,
        "ckpt_path": f"best_ckpt/{saved}" if saved else None,
        "parent_lineage": entry.previous_best or None,
        "tree": entry.tree,
        "commit": entry.commit,
    }


def results_line(entry: Entry, spec: Spec) -> str:
    """One row of results.tsv, without its line break. `~ ` in front of a note says that it was altered."""
    value = "" if entry.value is None else f"{entry.value:.6g}"
    facts = (entry.run_id, entry.ended_at, f"{entry.wall_s:.3f}", entry.status, entry.verdict, spec.metric.name, value)
    answers = ("true" if each else "false" for each in (entry.valid, entry.improved))
    note = entry.note.translate(BREAKS)[:NOTE]
    return "\t".join((*facts, *answers, note if note == entry.note else f"~ {note}"))


def row_bytes(entry: Entry, spec: Spec) -> bytes:
    return results_line(entry, spec).encode("utf-8", "replace") + b"\n"


def append_derived(home: Home, spec: Spec, entry: Entry) -> None:
    """What follows from one more line of the ledger."""
    replace(home.run(entry.run_id).result, result_bytes(entry, spec))
    if not append_row(home.results, spec, entry):
        write_results(home, spec, entries_of(home.ledger))


def append_row(path: Path, spec: Spec, entry: Entry) -> bool:
    """Adds a row after that of the run before. Returns False if that row is not the last one."""
    before = run_id(entry.number - 1) if entry.number > 1 else COLUMNS[0]
    try:
        with open(path, "r+b", buffering=0) as stream:
            last, torn = last_line(stream)
            if torn or last.partition(b"\t")[0] != before.encode():
                return False
            row = row_bytes(entry, spec)
            return stream.write(row) == len(row)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise cannot_write(path, error) from error


def write_results(home: Home, spec: Spec, entries: Iterable[Entry]) -> None:
    rows = (row_bytes(entry, spec) for entry in entries)
    keep(home.results, b"".join((HEADER.encode() + b"\n", *rows)))


def rebuild(home: Home, spec: Spec, entries: Sequence[Entry]) -> None:
    """Everything derived, as it was: what is missing or differs is written again."""
    is_marked = False
    for entry in entries:
        path, wanted = home.run(entry.run_id).result, result_bytes(entry, spec)
        found = content_of(path)
        if found is not None:
            if not is_same(found, wanted):
                replace(path, wanted)
            continue
        if not is_marked:
            # the table comes back last: without it, a start knows that a rebuild was not finished
            home.results.unlink(missing_ok=True)
            is_marked = True
        make(path, wanted)
    best = next((entry for entry in reversed(entries) if entry.verdict == "advance"), None)
    if best is not None and (home.bests / best.run_id).is_dir():
        keep(home.bests / best.run_id / "best.json", best_bytes(best, spec))
    if entries:
        keep(home.events / NAME, event_bytes(spec, entries))
    write_results(home, spec, entries)


def is_same(found: bytes | None, wanted: bytes) -> bool:
    """Whether a result says what it has to. Those of earlier versions are spelled otherwise, and lack empty fields."""
    if found is None or found == wanted:
        return found is not None
    had, due = decode_or_none(found, dict[str, Any]) or {}, decode(wanted, dict[str, Any])
    return had.keys() <= due.keys() and all(had[key] == due[key] if key in had else not due[key] for key in due)


def best_bytes(entry: Entry, spec: Spec) -> bytes:
    text = json.dumps(best_record(entry, spec), indent=1, ensure_ascii=False, default=str)
    return text.encode("utf-8", "backslashreplace") + b"\n"  # the name of a checkpoint may be no UTF-8


def repair(home: Home, spec: Spec, history: History) -> None:
    """After a kill or a deletion. Looks at the last runs only: a start must cost the same after 10 000 runs."""
    recent = list(history.recent)
    if not recent:
        return
    there = [os.path.exists(home.run(entry.run_id).result) for entry in recent]
    if not (there[0] and home.results.exists()):
        rebuild(home, spec, list(entries_of(home.ledger)))
        return
    for entry, is_there in zip(recent, there, strict=True):
        if not is_there or entry is recent[-1]:
            path, wanted = home.run(entry.run_id).result, result_bytes(entry, spec)
            if not is_same(content_of(path), wanted):
                replace(path, wanted)
    if not ends_with(home.results, row_bytes(recent[-1], spec)):
        write_results(home, spec, entries_of(home.ledger))


def ends_with(path: Path, row: bytes) -> bool:
    try:
        with open(path, "rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - len(row) - 1))
            return stream.read() == (b"\n" + row if size > len(row) else row)
    except OSError:
        return False


def tail_of(home: Home, entry: Entry, lines: int = 80) -> str:
    """The end of the log that explains a run. Returns '' if the run never started: its reason says all there is."""
    decisive = entry.failed_guard or decisive_measurement(entry)
    log = home.root / decisive.log if decisive and decisive.log else home.run(entry.run_id).log
    return tail_text(log, lines) if log.exists() else ""
