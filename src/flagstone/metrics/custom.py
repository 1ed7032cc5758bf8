"""Metrics by a person's own code: `extract(run_dir, log_text)`, in a process of its own that can write nothing."""

from __future__ import annotations

import ast
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from flagstone.layout import sealed_folders
from flagstone.metrics.scanning import open_plain
from flagstone.metrics.series import Place, Reading
from flagstone.processes import Command, Confinement, Output, ProcessLimits, StartError, run

LIMIT_S = 60.0
LOG_BYTES = 4_000_000
ANSWER_MB, ANSWER_KB = 10, 5_000
# its answer has a way of its own: what the code prints is no answer, and threads it leaves behind do not delay one
CHILD = """
import json, os, sys
code, run_dir, log = sys.argv[1:]
answer = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
space = {"__name__": "extract", "__file__": code}
exec(compile(open(code, encoding="utf-8").read(), code, "exec"), space)
found = space["extract"](run_dir, open(log, encoding="utf-8", errors="replace").read())
numbers = {}
for name, value in dict(found).items():
    try:
        is_number = not isinstance(value, (str, bytes, bool)) and type(value).__name__ not in ("bool_", "bool")
        numbers[str(name)] = float(value) if is_number else None
    except (TypeError, ValueError, OverflowError):
        numbers[str(name)] = None
sys.stderr.flush()
json.dump(numbers, answer)
answer.flush()
os._exit(0)
"""


def read(options: Mapping[str, object], place: Place, wanted: Sequence[str]) -> Reading:
    """What the code answers; that it fails, hangs or leaves is a problem, and never ours."""
    code = str(options.get("code") or "")
    if not code:
        return Reading({}, "custom", ("the spec names no code: metric.code",))
    with tempfile.TemporaryDirectory(prefix="flagstone-metric-") as name:
        try:
            found, said = ask_code(code, place, Path(name))
        except (StartError, OSError, UnicodeError) as error:
            return Reading({}, "custom", (f"extract(run_dir, log_text) failed: {error_text(error)}",))
    if found is None:
        return Reading({}, "custom", (f"extract(run_dir, log_text) gave no mapping of numbers: {said}",))
    values = {key: value for key, value in found.items() if value is not None}
    left_out = sorted(set(found) - set(values))
    problems = (f"extract gave no number for {', '.join(left_out[:5])}",) if left_out else ()
    return Reading(values, "custom", problems)


def error_text(error: Exception) -> str:
    if isinstance(error, StartError):
        return error.problem
    return str(getattr(error, "strerror", None) or error)


def ask_code(code: str, place: Place, folder: Path) -> tuple[dict[str, float | None] | None, str]:
    """What the code answers, or else the last line of what it said."""
    script, log = folder / "extract.py", folder / "log.txt"
    script.write_text(text_of(code), encoding="utf-8")
    log.write_bytes(end_of(place.log))
    argv = (sys.executable, "-I", "-c", CHILD, str(script), str(place.run_dir.absolute()), str(log))
    env = {"PATH": os.environ.get("PATH", ""), "HOME": str(folder), "TMPDIR": str(folder)}
    answer, said = folder / "answer.json", folder / "said.txt"
    command = Command(argv, None, folder, env, confinement=confinement(folder, place.run_dir))
    limits = ProcessLimits(wall_s=LIMIT_S, output_mb=ANSWER_MB, line_kb=ANSWER_KB)
    ended = run(command, limits, Output(answer, said))
    if ended.timed_out:
        return None, f"it took longer than {LIMIT_S:g} s"
    found = answer_in(answer.read_bytes())
    if found is not None:
        return found, ""
    lines = said.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    how = f"exit code {ended.exit_code}" if ended.signal is None else f"signal {ended.signal}"
    return None, lines[-1] if lines else f"it ended with {how} and no output"


def answer_in(answer: bytes) -> dict[str, float | None] | None:
    """An answer as it was asked for; whatever else the code may have sent is none."""
    try:
        found = json.loads(answer)
    except (ValueError, RecursionError):
        return None
    is_fit = isinstance(found, dict) and all(each is None or isinstance(each, float) for each in found.values())
    return found if is_fit else None


def text_of(code: str) -> str:
    """The code itself, or that of the file it names; a relative name would be one that a run may have written."""
    if is_path(code):
        if not os.path.isabs(code):
            raise FileNotFoundError(0, f"there is no file {code}")
        with open_plain(Path(code)) as handle:
            return os.pread(handle, LOG_BYTES, 0).decode("utf-8")
    return code


def is_path(code: str) -> bool:
    return "\n" not in code and (os.path.isabs(code) or code.endswith(".py"))


def end_of(log: Path) -> bytes:
    """The last bytes of a log. Empty if there is no log."""
    try:
        with open_plain(log) as handle:
            return os.pread(handle, LOG_BYTES, max(0, os.fstat(handle).st_size - LOG_BYTES))
    except OSError:
        return b""


def confinement(folder: Path, run_dir: Path) -> Confinement | None:
    """As far as this machine can: nothing but a folder of its own may be written, and there is no network."""
    from flagstone.processes.confinement import landlock, machine

    use_landlock, use_bubblewrap = landlock.abi() > 0, not machine.bubblewrap_fault()
    if not use_landlock and not use_bubblewrap:
        return None
    return Confinement(
        (folder,),
        hidden=sealed_folders([run_dir]),
        network=False,
        visible=(run_dir.absolute(),),
        use_landlock=use_landlock,
        use_bubblewrap=use_bubblewrap,
    )


def faults(options: Mapping[str, object]) -> list[str]:
    """What is wrong with code that is written into the spec itself."""
    code = str(options.get("code") or "")
    if is_path(code):
        return []
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError) as error:
        return [f"metric.code is no Python: {error}"]
    names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    return [] if "extract" in names else ["metric.code defines no extract(run_dir, log_text)"]
