"""What counts of the numbers that a run left, and what we measured ourselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flagstone.metrics import Reading, divergence_text, nearest_names
from flagstone.plans import MEASURED, MetricSpec, Spec, StepSpec, is_time
from flagstone.processes import Output
from flagstone.records import digest_value


def is_extracted(asked: MetricSpec | StepSpec) -> bool:
    """Whether a command of the user's reads the number from what was printed."""
    return asked.backend == "command" if isinstance(asked, MetricSpec) else bool(asked.extract)


@contextmanager
def output_to(log: Path, asked: MetricSpec | StepSpec) -> Iterator[Output]:
    """Where a command prints to. What a number is extracted from is kept whole until then, beside the log."""
    if not is_extracted(asked):
        yield Output(log)
        return
    is_joined = asked.options.get("stderr") if isinstance(asked, MetricSpec) else asked.stderr
    output = Output(log, None if is_joined else log, log.with_suffix(".printed"))
    try:
        yield output
    finally:
        log.with_suffix(".printed").unlink(missing_ok=True)


def measured_quantities(known: Mapping[str, Any]) -> dict[str, float]:
    """Our own measures stand over whatever a run printed under their names."""
    names = ("wall_s", "peak_rss_mb", "peak_vram_mb")
    found = {name: float(known[name]) for name in names if known[name] is not None}
    return {**found, "wall_seconds": float(known["wall_s"])}


def primary(reading: Reading, spec: Spec, measured: Mapping[str, float]) -> tuple[float | None, str]:
    """The number that counts, or why there is none. What we measure ourselves is not asked of the run."""
    name = spec.metric.name
    if name in MEASURED:
        return measured.get(name), "" if name in measured else f"{name} could not be measured"
    value = reading.values.get(name)
    if value is None:
        close = nearest_names(name, reading.values)
        said = f"; the nearest keys seen: {', '.join(close)}" if close else ""
        why = f" ({'; '.join(reading.problems[:3])})" if reading.problems else ""
        return None, f"the metric {name} is missing{said}{why}"
    fault = divergence_text(reading, name)
    return (None, f"the metric {fault}") if fault else (value, "")


def digest_of_others(reading: Reading, spec: Spec) -> str:
    """All numbers but the metric, as one word. Times differ from run to run and are left out."""
    rows = [[key, repr(value)] for key, value in sorted(reading.values.items()) if not is_time(key)]
    return digest_value([row for row in rows if row[0] != spec.metric.name])[:16]


def wandb_run(reading: Reading) -> str | None:
    """The id of the wandb run that was read, as its folder says."""
    for source in reading.sources:
        for part in Path(source).parts:
            if part.startswith(("run-", "offline-run-")):
                return part.rsplit("-", 1)[-1]
    return None
