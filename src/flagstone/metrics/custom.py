"""Metrics by a person's own code: `extract(run_dir, log_text)`, in a process of its own that can write nothing."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from flagstone.metrics.series import Place, Reading
from flagstone.metrics.tables import numbers, tail
from flagstone.processes import Command, Output, ProcessLimits, StartError, run
from flagstone.records import read_record

LIMIT_S = 60.0
LOG_BYTES = 4_000_000
CHILD = """
import json, sys
code, run_dir, log, answer = sys.argv[1:]
space = {"__name__": "extract"}
exec(compile(open(code, encoding="utf-8").read(), code, "exec"), space)
found = space["extract"](run_dir, open(log, encoding="utf-8", errors="replace").read())
told = {}
for name, value in dict(found).items():
    try:
        told[str(name)] = float(value)
    except (TypeError, ValueError):
        told[str(name)] = None
with open(answer, "w", encoding="utf-8") as stream:
    json.dump(told, stream)
"""


def read(options: Mapping[str, object], place: Place, wanted: Sequence[str]) -> Reading:
    """What the code answers; that it fails, hangs or leaves is a problem, and never ours."""
    code = str(options.get("code") or "")
    if not code:
        return Reading({}, "custom", ("the spec names no code: metric.code",))
    with tempfile.TemporaryDirectory(prefix="flagstone-metric-") as name:
        folder = Path(name)
        try:
            said = answered(code, place, folder)
        except StartError as error:
            return Reading({}, "custom", (error.problem,))
        found = read_record(folder / "answer.json")
    if found is None:
        return Reading({}, "custom", (f"extract(run_dir, log_text) gave no mapping of numbers: {said}",))
    values = dict(numbers(found))
    left_out = [key for key in found if key not in values]
    problems = (f"extract gave no number for {', '.join(sorted(left_out)[:5])}",) if left_out else ()
    return Reading(values, "custom", problems)


def answered(code: str, place: Place, folder: Path) -> str:
    """Runs the code; the last line of what it said."""
    script = folder / "extract.py"
    named = place.run_dir / code
    is_file = "\n" not in code and len(code) < 4000 and named.is_file()
    script.write_text(named.read_text(encoding="utf-8") if is_file else code, encoding="utf-8")
    log = folder / "log.txt"
    log.write_text(tail(place.log, LOG_BYTES) if place.log.is_file() else "", encoding="utf-8")
    argv = (sys.executable, "-I", "-c", CHILD, str(script), str(place.run_dir), str(log), str(folder / "answer.json"))
    env = {"PATH": os.environ.get("PATH", ""), "TMPDIR": str(folder)}
    output = folder / "said.txt"
    ended = run(Command(argv, None, folder, env), ProcessLimits(wall_s=LIMIT_S), Output(output))
    if ended.timed_out:
        return f"it took longer than {LIMIT_S:g} s"
    lines = output.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else f"it ended with exit code {ended.exit_code} and said nothing"
