"""The number that a shell command reads from what a run printed, in a process of its own after the run has ended."""

from __future__ import annotations

import math
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from flagstone.metrics.series import Place, Reading
from flagstone.processes import Command, Output, ProcessLimits, ProcessResult, StartError, run
from flagstone.text import one_line

LIMIT_S = 10.0
STOP_S = 0.5
ANSWER_MB = 0.05  # no number is that long
NOT_RUN = 126  # this exit code of a shell, and those above it, say that a command was not run to its end
NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
QUOTED = 200


@dataclass(frozen=True)
class Extract:
    """A shell command that prints one number. `empty` is the number if it prints nothing at all."""

    line: str
    thousands: str = ""
    empty: float | None = None


def read(options: Mapping[str, object], place: Place, wanted: Sequence[str]) -> Reading:
    """The number of a run. Without one the run counts as a crash."""
    empty = options.get("empty")
    extract = Extract(
        str(options.get("extract") or ""),
        str(options.get("locale") or ""),
        float(empty) if isinstance(empty, int | float) else None,
    )
    value, fault = extract_number(extract, place.printed or place.log, place.shell or shell_in(place.run_dir))
    if value is None:
        return Reading({}, "command", (fault,), failure=fault)
    return Reading({wanted[0]: value} if wanted else {}, "command")


def extract_number(extract: Extract, printed: Path, like: Command) -> tuple[float | None, str]:
    """The number that the command reads from a file on its stdin, or what is wrong. It is started like another one."""
    command = replace(like, argv=("bash", "-c", extract.line), target=None, stdin=printed)
    limits = ProcessLimits(wall_s=LIMIT_S, stop_s=STOP_S, output_mb=ANSWER_MB)
    with tempfile.TemporaryDirectory(prefix="flagstone-metric-") as name:
        answer, errors = Path(name, "answer.txt"), Path(name, "errors.txt")
        try:
            result = run(command, limits, Output(answer, errors))
        except StartError as error:
            return None, f"extract {error.problem}"
        printed_text, error_text = (path.read_text("utf-8", "replace") for path in (answer, errors))
    if fault := fault_of(result):
        return None, f"extract {fault}"
    if not printed_text.strip():
        return number_of_nothing(extract, result, error_text)
    value = None if result.output_truncated else number_in(printed_text, extract.thousands)
    return value, "" if value is not None else f"extract gave no single number: it printed {quotation(printed_text)}"


def number_of_nothing(extract: Extract, result: ProcessResult, error_text: str) -> tuple[float | None, str]:
    """What no output stands for. If the command complains, it has failed, and there is no number."""
    has_failed = bool(error_text.strip()) or (result.exit_code or 0) >= NOT_RUN
    if extract.empty is not None and not has_failed:
        return extract.empty, ""
    said = f" ({one_line(error_text)})" if error_text.strip() else ""
    return None, f"extract gave no number: it printed nothing{said}"


def fault_of(result: ProcessResult) -> str:
    """What is wrong with how it ended. Its exit code says nothing: that of `grep -c` is 1 if it counts none."""
    if result.timed_out:
        return f"took longer than {LIMIT_S:g} s"
    if result.survivors:
        return "left processes that could not be ended"
    return f"was ended by signal {result.signal}" if result.signal else ""


def shell_in(folder: Path) -> Command:
    """A command in a folder, as free as we are."""
    return Command(("bash",), None, folder, dict(os.environ))


def faults(options: Mapping[str, object]) -> list[str]:
    """What is wrong with the options of a spec."""
    fault = locale_fault(str(options.get("locale") or ""))
    return [f"metric.locale: {fault}"] if fault else []


def number_in(text: str, thousands: str = "") -> float | None:
    """The number that a text consists of, with a % after it or not. Returns None if it is anything else.

    `thousands` is the sign between groups of three digits. If it is the point, the comma begins the decimals.
    """
    words = text.strip().removesuffix("%")
    words = without_groups(words, thousands) if thousands else words
    if not NUMBER.fullmatch(words):
        return None
    value = float(words) + 0.0  # -0 becomes 0
    return value if math.isfinite(value) else None


def without_groups(words: str, thousands: str) -> str:
    """The same with the point for decimals, and its groups joined. Groups that are not of three are no number."""
    decimals = "," if thousands == "." else "."
    sign, point = re.escape(thousands), re.escape(decimals)
    if re.fullmatch(rf"-?\d{{1,3}}(?:{sign}\d{{3}})+(?:{point}\d+)?", words, re.ASCII):
        words = words.replace(thousands, "")
    return "" if thousands in words else words.replace(decimals, ".")


def quotation(text: str) -> str:
    """What was printed instead of a number, for a message."""
    return f'"{one_line(text, QUOTED)}"' if text.strip() else "nothing"


def locale_fault(sign: str) -> str:
    """Why a sign cannot separate thousands. Returns '' if it can."""
    return f"{sign!r} cannot separate thousands: name a sign such as a comma" if re.match(r"[\w+%-]", sign) else ""
