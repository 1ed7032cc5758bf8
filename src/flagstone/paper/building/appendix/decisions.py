"""What people decided and what agents cost, for the appendix: seals, waivers, typed constants, calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from flagstone.agents.accounts import LOG, records_of
from flagstone.layout import Run
from flagstone.paper.building.appendix.entries import MOST_ROWS
from flagstone.paper.building.appendix.long_tables import AppendixSection, AppendixTable, Part
from flagstone.paper.citations import waivers_of
from flagstone.records import Ledger
from flagstone.text import count_text

NO_DECISION = "arrived"  # a seal that says where a run is, and that nobody decided


def decisions_section(run: Run, stages: Sequence[str]) -> AppendixSection:
    """Every decision about the stages that the paper rests on. Names of people are left to the seals."""
    seals = [seal for seal in Ledger(run.seals).entries() if is_about(seal, stages)]
    found: list[Part] = [f"{count_text(len(seals), 'decision')} about the stages before this paper."]
    if 0 < len(seals) <= MOST_ROWS:
        rows = (
            (day(seal), text(seal, "stage"), text(seal, "event"), decider(seal), text(seal, "comment"))
            for seal in seals
        )
        found.append(AppendixTable(("day", "stage", "decision", "by", "comment"), tuple(rows)))
    elif seals:
        counts = Counter((text(seal, "stage"), text(seal, "event"), decider(seal)) for seal in seals)
        rows_of_counts = tuple((*key, str(number)) for key, number in sorted(counts.items()))
        found.append(AppendixTable(("stage", "decision", "by", "times"), rows_of_counts))
    return AppendixSection("What people decided", tuple(found))


def is_about(seal: dict[str, Any], stages: Sequence[str]) -> bool:
    return seal.get("event") != NO_DECISION and (not stages or seal.get("stage") in stages)


def decider(seal: dict[str, Any]) -> str:
    policy = text(seal, "policy")
    return f"{text(seal, 'by')} ({policy})" if policy else text(seal, "by")


def day(record: dict[str, Any]) -> str:
    return text(record, "at")[:10]


def text(record: dict[str, Any], name: str) -> str:
    value = record.get(name)
    return "" if value is None else str(value)


def waivers_section(run: Run, is_anonymous: bool) -> AppendixSection:
    """Citations that are not verified, and that a person let pass. A waiver without its seal lets nothing pass."""
    waivers = waivers_of(run)[0].values()
    if not waivers:
        return AppendixSection("Waived citations", ("No unverified citation was waived.",))
    rows = ((each.at[:10], each.key, each.status, "–" if is_anonymous else each.who, each.why) for each in waivers)
    table = AppendixTable(("day", "citation", "status", "by", "why"), tuple(rows))
    return AppendixSection("Waived citations", (table,))


def literals_section(literals: Iterable[tuple[str, str]]) -> AppendixSection:
    rows = tuple(literals)
    if not rows:
        return AppendixSection("Typed constants", ("No number of the text was typed.",))
    return AppendixSection("Typed constants", (AppendixTable(("constant", "why it is no result"), rows),))


def calls_section(run: Run, stages: Sequence[str]) -> AppendixSection:
    """Agents and models with what they cost, for the stages that the paper rests on."""
    records = [each for each in records_of(run.logs / LOG) if not stages or each.get("stage") in (*stages, "")]
    calls = [each for each in records if each.get("kind", "") != "use"]
    gpu_h = sum(amount(each, "gpu_s") or 0.0 for each in records) / 3600
    parts: list[Part] = ["These calls were made before this paper was written. The writing itself is not among them."]
    if calls:
        head = ("agent", "model", "calls", "failed", "cost in dollars", "tokens in", "tokens out", "hours")
        parts.append(AppendixTable(head, tuple(call_rows(calls))))
    else:
        parts.append("No agent was called.")
    parts.append(f"Runs have used {gpu_h:.2f} hours of a GPU." if gpu_h else "No run has used a GPU.")
    return AppendixSection("Agents, models and cost", tuple(parts))


def call_rows(calls: Sequence[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    keys = sorted({(text(each, "agent"), text(each, "model")) for each in calls})
    for key in keys:
        own = [each for each in calls if (text(each, "agent"), text(each, "model")) == key]
        failed = sum(each.get("outcome") != "ok" for each in own)
        hours = sum(amount(each, "wall_s") or 0.0 for each in own) / 3600
        tokens = (total([each.get("usage") or {} for each in own], name) for name in ("input_tokens", "output_tokens"))
        model = key[1] or "default"
        counts = (str(len(own)), str(failed), total(own, "cost_usd", 2), *tokens, f"{hours:.2f}")
        yield (key[0], model, *counts)


def total(records: Sequence[dict[str, Any]], name: str, digits: int = 0) -> str:
    """A sum as text. What a call did not say is unknown, and not 0."""
    known = [found for each in records if (found := amount(each, name)) is not None]
    unknown = len(records) - len(known)
    words = f"{sum(known):.{digits}f}" if known or not records else "unknown"
    return f"{words} and {unknown} unknown" if known and unknown else words


def amount(record: dict[str, Any], name: str) -> float | None:
    value = record.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def unnamed_experiments(run: Run, known: Iterable[str]) -> list[str]:
    """Experiments and trials that the log of calls names, and the run has no folder of."""
    named = {text(each, "experiment") for each in records_of(run.logs / LOG)} - {""}
    return sorted(named - set(known))
