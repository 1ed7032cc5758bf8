"""What a marker file must keep to that its schema cannot say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from flagstone.markers.durations import FORMS, duration_s
from flagstone.markers.marker import Timing
from flagstone.markers.schedule import timing_problem
from flagstone.schemas import Misfit

DURATIONS = (
    ("loop", "budget_per_experiment"),
    ("loop", "budgets", "wall"),
    ("agent", "budget_per_experiment"),
    ("schedule", "duration"),
)
GLOBS = (("target", "mutable"), ("target", "immutable"), ("hidden", "paths"), ("run", "scratch"))
# two keys with one meaning: both may be given if they say the same
SAME = (
    (("loop", "budget_per_experiment"), ("agent", "budget_per_experiment")),
    (("loop", "max_experiments"), ("agent", "max_experiments")),
    (("loop", "model"), ("agent", "model")),
    (("metric", "repeats"), ("noise", "baseline_repeats")),
)
BRANCH = re.compile(r"(?!/|-|.*(//|\.\.|@\{|/\.|\.lock(/|\Z)))[^\x00-\x20\x7f~^:?*\[\\]+(?<![/.])\Z")


def broken_rules(marker: Mapping[str, Any]) -> Iterator[Misfit]:
    """Everything of one marker that breaks a rule. Values of the wrong kind are left to the schema."""
    for rule in RULES:
        yield from rule(marker)


def value_at(marker: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    """The value of a key. Returns None if it is not set."""
    value: Any = marker
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def wrong_durations(marker: Mapping[str, Any]) -> Iterator[Misfit]:
    for keys in DURATIONS:
        value = value_at(marker, keys)
        if isinstance(value, str | int | float) and not isinstance(value, bool) and duration_s(value) is None:
            yield Misfit(keys, f"{str(value)[:60]!r} {FORMS}")


def wrong_globs(marker: Mapping[str, Any]) -> Iterator[Misfit]:
    for keys in GLOBS:
        value = value_at(marker, keys)
        for number, glob in enumerate(value if isinstance(value, list) else ()):
            if isinstance(glob, str) and (glob.startswith(("/", "~")) or ".." in glob.split("/")):
                yield Misfit((*keys, number), f"{glob[:60]!r} leaves the repository: write it from the top of that")


def wrong_checks(marker: Mapping[str, Any]) -> Iterator[Misfit]:
    for name in ("guard", "hidden"):
        row = value_at(marker, (name,))
        row = row if isinstance(row, Mapping) else {}
        for key, other in (("extract", "threshold"), ("threshold", "extract")):
            if key in row and other not in row:
                yield Misfit((name, key), f"needs {name}.{other} as well; without both, the exit code decides")
        if "direction" in row and "threshold" not in row:
            yield Misfit((name, "direction"), f"needs {name}.threshold and {name}.extract as well")
    of, need = (value_at(marker, ("guard", "passes", key)) for key in ("of", "need"))
    if isinstance(need, int) and need > (of if isinstance(of, int) else 1):
        yield Misfit(("guard", "passes", "need"), f"{need} tries have to succeed, of only {of or 1}")


def disagreements(marker: Mapping[str, Any]) -> Iterator[Misfit]:
    for keys, others in SAME:
        value, other = (value_at(marker, each) for each in (keys, others))
        is_time = keys[-1] == "budget_per_experiment"
        if None in (value, other) or value == other or (is_time and duration_s(value) == duration_s(other)):
            continue
        text = f"{str(other)[:40]} disagrees with {'.'.join(keys)}, which is {str(value)[:40]}: leave one out"
        yield Misfit(others, text)
    if value_at(marker, ("noise",)) in ("off", False) and value_at(marker, ("metric", "repeats")):
        yield Misfit(("metric", "repeats"), "is for judging noise, which is off: leave one out")


def wrong_schedule(marker: Mapping[str, Any]) -> Iterator[Misfit]:
    row = value_at(marker, ("schedule",))
    row = row if isinstance(row, Mapping) else {}
    is_cron = row.get("type") == "cron"
    if is_cron and "cron" not in row:
        yield Misfit(("schedule", "type"), "cron needs schedule.cron, such as '30 2 * * 1-5'")
    if "cron" in row and not is_cron:
        yield Misfit(("schedule", "cron"), "needs schedule.type: cron")
    words = {key: row[key] for key in ("type", "cron", "timezone") if isinstance(row.get(key), str)}
    for key in ("timezone", "cron"):  # the zone alone first, so that each fault is told at its own key
        timing = Timing(**{**words, "type": "overnight", "cron": ""} if key == "timezone" else words)
        if key in words and (problem := timing_problem(timing)):
            yield Misfit(("schedule", key), problem)
            return


def wrong_branch(marker: Mapping[str, Any]) -> Iterator[Misfit]:
    """Names that git has no branch for. The name of the marker is part of that of its branch."""
    name = value_at(marker, ("name",))
    if isinstance(name, str) and not BRANCH.match(name.replace(" ", "-")):
        yield Misfit(
            ("name",), f"{name!r} is no part of a branch: git has none with .., or with .lock or a dot at its end"
        )
    for keys in (("finalize", "branch"), ("results", "branch_prefix")):
        value = value_at(marker, keys)
        if isinstance(value, str) and not BRANCH.match(value):
            yield Misfit(keys, f"{value[:60]!r} is no name of a branch")


def wrong_proposer(marker: Mapping[str, Any]) -> Iterator[Misfit]:
    proposer, script = (value_at(marker, ("loop", key)) for key in ("proposer", "script"))
    if proposer == "scripted" and not script:
        yield Misfit(("loop", "proposer"), "scripted needs loop.script")
    if script and proposer not in ("scripted", "population"):
        yield Misfit(("loop", "script"), "needs loop.proposer: scripted or population")


RULES: tuple[Callable[[Mapping[str, Any]], Iterator[Misfit]], ...] = (
    wrong_durations,
    wrong_globs,
    wrong_checks,
    disagreements,
    wrong_schedule,
    wrong_branch,
    wrong_proposer,
)
