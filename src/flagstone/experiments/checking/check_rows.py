"""What a check has found out, row by row: proven, refuted or open, with the evidence and the cure."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Literal

from flagstone.experiments.measuring import Measurement
from flagstone.plans import RunFolder, Spec
from flagstone.text import one_line

Mark = Literal["✓", "✗", "–"]
SHORT_S = 30.0  # two further runs for the seed are worth this long each
FEW = 5
ALIKE = 10.0  # times the range of three runs; 3 would accuse 1 noisy project in 24, 10 does 1 in 250


@dataclass(frozen=True)
class CheckRow:
    """One line of a check. `cure` says what to do about a ✗."""

    number: int
    name: str
    mark: Mark
    evidence: str
    cure: str = ""


def command_row(run: Measurement, words: str, denied: Sequence[tuple[str, str]], cure: str) -> CheckRow:
    """Whether the program starts and its imports are found. `denied` is what it could not write to."""
    if run.status == "crash":
        return CheckRow(1, "command", "✗", run.reason, denied[0][1] if denied else cure)
    return CheckRow(1, "command", "✓", words)


def cure_of_crash(run: Measurement, own_python: str, has_arguments: bool) -> str:
    """What to do about a command that fails.

    `own_python` is the interpreter of the project, if another one was started.
    """
    is_missing = "No module named" in run.reason
    if is_missing and own_python:
        return f"begin harness.argv in experiment.yaml with {own_python}, the project's own environment"
    if is_missing or run.exit_code == 127:
        return "install it in the environment of the command, or name another program in harness.argv"
    given = "arguments.allow and arguments.fixed in experiment.yaml, and own/arguments.yaml"
    return f"mend the command, or the arguments that it is given: {given}" if has_arguments else "mend the command"


def reach_row(used: Mapping[str, bool | None], plain: Collection[str]) -> CheckRow:
    """Whether the command uses each file that may change. One that a glob names besides others may be unused.

    `used` is None for a file if no run could tell; `plain` are the files that the spec names one by one.
    """
    unused = [path for path, is_used in used.items() if is_used is False]
    not_proven = [path for path, is_used in used.items() if is_used is None]
    proven = [path for path, is_used in used.items() if is_used]
    wrong = [path for path in unused if path in plain or not (proven or not_proven)]
    if wrong:
        words = f"the command does not use {first_few(wrong)}: an edit of it would have no effect"
        return CheckRow(
            2, "reach", "✗", words, "correct subject.mutable or harness.argv: the command has to use that file"
        )
    open_words = [f"not used: {first_few(unused)}"] if unused else []
    open_words += [f"not proven: {first_few(not_proven)}"] if not_proven else []
    words = "; ".join([*([f"used: {first_few(proven)}"] if proven else []), *open_words])
    return CheckRow(2, "reach", "–" if open_words else "✓", words)


def number_row(run: Measurement, spec: Spec) -> CheckRow:
    """Whether the metric is read."""
    if run.value is not None:
        source = f" ({' '.join(filter(None, (run.backend, run.source)))})" if run.backend else ""
        return CheckRow(3, "number", "✓", f"{spec.metric.name} is {run.value:.6g}{source}")
    if run.status in ("timeout", "crash"):
        return CheckRow(3, "number", "–", f"no number: {run.reason}")
    cure = "correct metric.name, or where it is read from (metric.backend and its options), in experiment.yaml"
    return CheckRow(3, "number", "✗", run.reason, cure)


def checkpoint_row(run: Measurement, spec: Spec, folder: RunFolder) -> CheckRow:
    """Whether the glob matches something that the run wrote."""
    if spec.checkpoint is None:
        return CheckRow(4, "checkpoint", "–", "no checkpoint.glob is set")
    if run.checkpoint:
        place = folder.checkpoint / run.checkpoint
        return CheckRow(4, "checkpoint", "✓", f"{run.checkpoint}, {size_of(place):,} bytes")
    if run.checkpoint_fault:
        return CheckRow(4, "checkpoint", "✗", run.checkpoint_fault, "correct checkpoint.glob in experiment.yaml")
    return CheckRow(4, "checkpoint", "–", f"the run did not come to its end: {run.reason}")


def limit_row(run: Measurement, spec: Spec, limit_s: float, again: str) -> CheckRow:
    """Whether the run ends in time, or is ended with everything it started."""
    if run.status == "unclean":
        return CheckRow(
            5, "limit", "✗", run.reason, "find out which processes the command leaves, and how they are ended"
        )
    if run.status == "timeout":
        longer = 3600 if limit_s < 3600 else int(2 * limit_s)
        words = f"no number within {limit_s:g} s: {again} --seconds {longer}"
        return CheckRow(5, "limit", "–", words)
    left = f"; {run.stragglers} processes that it left were ended" if run.stragglers else ""
    return CheckRow(5, "limit", "✓", f"ended after {run.wall_s:.3g} s of {spec.harness.seconds:g} s{left}")


def seed_row(runs: Sequence[Measurement]) -> CheckRow:
    """Whether the seed decides about the number: runs with the same seed, and one with another."""
    values = [run.value for run in runs]
    if len(values) < 3:
        return CheckRow(6, "seed", "–", f"not tried: a run takes longer than {SHORT_S:g} s, or gives no number")
    first, same, other = values
    if first is None or same is None or other is None:
        return CheckRow(6, "seed", "–", "a further run gave no number")
    if first != same:
        words = f"the same seed gave {first:.6g} and {same:.6g}: leave the noise test on"
        return CheckRow(6, "seed", "–", words)
    if first == other:
        return CheckRow(
            6, "seed", "–", f"every seed gives {first:.6g}: the program ignores SEED, so 2 baseline runs are enough"
        )
    return CheckRow(6, "seed", "✓", f"the same seed gives {first:.6g} again, another {other:.6g}")


def seed_proposal(runs: Sequence[Measurement]) -> dict[str, object]:
    """What the spec should say about noise; empty if the runs do not tell."""
    values = [run.value for run in runs]
    if len(values) < 3 or None in values:
        return {}
    return {"noise": {"baseline_repeats": 2 if len(set(values)) == 1 else 5}}


def quiet_row(changed: Sequence[str], denied: Sequence[tuple[str, str]]) -> CheckRow:
    """Whether the run left the project as it was."""
    if changed:
        cure = "write below {run_dir}, or name the folder in subject.scratch"
        return CheckRow(7, "quiet", "✗", f"the run changed the project: {first_few(list(changed))}", cure)
    if denied:
        words = "; ".join(f"{path} ({cure})" for path, cure in denied[:FEW])
        return CheckRow(7, "quiet", "–", f"it could not write to {words}")
    return CheckRow(7, "quiet", "✓", "nothing in the project was changed")


def same_row(runs: Sequence[Measurement], expected: str, own: float | None, own_words: str) -> CheckRow:
    """Whether the unedited files give the project's own number. Open if runs differ as much from each other."""
    value = runs[0].value
    if not expected and not own_words:
        return CheckRow(8, "same", "–", "not asked: give --expect VALUE, or --own -- COMMAND")
    if value is None:
        return CheckRow(8, "same", "–", "the run gave no number")
    is_same = is_as_written(value, expected) if expected else own is not None and math.isclose(value, own)
    theirs = expected or (own_words if own is None else f"{own:.6g}")
    words = f"the run gives {value:.6g}, the project {theirs}"
    if is_same:
        return CheckRow(8, "same", "✓", words)
    values = [run.value for run in runs if run.value is not None]
    wanted = number_of(expected) if expected else own
    if wanted is not None and abs(wanted - value) <= ALIKE * (max(values) - min(values)):
        return CheckRow(8, "same", "–", f"{words}; runs vary from {min(values):.6g} to {max(values):.6g}")
    return CheckRow(8, "same", "✗", words, "find out what the run lacks: data, a variable, an argument, a seed")


def number_of(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def is_as_written(value: float, expected: str) -> bool:
    """Whether a number is the one that a person has written, to the digits that they gave."""
    try:
        wanted = Decimal(expected)
    except InvalidOperation:
        return False
    exponent = wanted.as_tuple().exponent
    unit = 10.0**exponent if isinstance(exponent, int) and exponent < 0 else 0.0
    return math.isclose(value, float(wanted), rel_tol=1e-9, abs_tol=unit / 2)


def size_of(path: Path) -> int:
    if not path.is_dir():
        return path.stat().st_size
    return sum(each.lstat().st_size for each in path.rglob("*") if each.is_file())


def first_few(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - FEW} more" if len(paths) > FEW else ""
    return ", ".join(one_line(path, 80) for path in paths[:FEW]) + more
