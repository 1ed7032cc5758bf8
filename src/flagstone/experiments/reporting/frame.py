"""A ledger as a pandas table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from flagstone.experiments.ledger import Entry

if TYPE_CHECKING:
    import pandas as pd

PLAIN = ("number", "run_id", "parent_run", "status", "verdict", "value", "best_value", "valid", "improved")
WORDS = ("reason", "note")
TIMES = ("started_at", "ended_at")


def frame_of(entries: Iterable[Entry]) -> pd.DataFrame:
    """One row a run, indexed by its id. What a run did not have is missing in its row."""
    import pandas as pd

    frame = pd.DataFrame(list(map(cells, entries)), columns=None)
    if frame.empty:
        return pd.DataFrame(columns=[*PLAIN, *WORDS, "repeats", "wall_s", "cost_usd", *TIMES]).set_index("run_id")
    for name in TIMES:
        frame[name] = pd.to_datetime(frame[name], utc=True, errors="coerce", format="ISO8601")
    numbers = dict.fromkeys(("value", "best_value", "wall_s", "cost_usd"), float)
    return frame.astype(numbers).set_index("run_id")


def cells(entry: Entry) -> dict[str, Any]:
    first = entry.first
    return {
        **{name: getattr(entry, name) for name in (*PLAIN, *WORDS)},
        "repeats": max(0, len(entry.measurements) - 1),
        "wall_s": entry.wall_s,
        "cost_usd": entry.cost_usd,
        "started_at": first.started_at if first else "",
        "ended_at": entry.ended_at,
        **dict(prefixed_pairs("metrics", first.metrics if first else {})),
        **dict(prefixed_pairs("parameters", entry.proposal.get("parameters"))),
    }


def prefixed_pairs(group: str, values: object) -> Iterator[tuple[str, Any]]:
    return ((f"{group}.{name}", value) for name, value in (values.items() if isinstance(values, Mapping) else ()))
