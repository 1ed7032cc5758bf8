"""The number of a command: extracted from all that a run printed, and from nothing else."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from laboratory import Edits, Laboratory, set_x, whole

from flagstone.errors import FlagstoneError
from flagstone.experiments.ledger.entry import Entry

EXTRACT = "sed -n 's/^val_loss: //p'"


def metric(extract: str = EXTRACT, **options: Any) -> dict[str, Any]:
    return {"name": "val_loss", "direction": "min", "backend": "command", "extract": extract, **options}


def measured(laboratory: Laboratory, source: str, **changes: Any) -> Entry:
    """The line of a run of this program, after a baseline that is in order."""
    laboratory.make(**{"metric": metric("cat"), **changes})
    base = "print(9)\n"
    (laboratory.project / "train.py").write_text(base)
    laboratory.run(Edits({2: whole(source)}), limit=2)
    return laboratory.entries()[1]


def test_a_command_reads_the_number_and_the_better_one_is_kept(laboratory: Laboratory) -> None:
    laboratory.make(metric=metric())
    laboratory.run(Edits({2: set_x(2.0), 3: set_x(5.0)}), limit=3)
    assert [(each.value, each.verdict) for each in laboratory.entries()] == [
        (4.5, "advance"),
        (1.5, "advance"),
        (4.5, "revert"),
    ]


@pytest.mark.parametrize("text", ["1 2", "12ms", "1,234", "nan", "inf", "0x10", "1_000"])
def test_anything_but_one_number_is_a_crash_that_quotes_it(laboratory: Laboratory, text: str) -> None:
    entry = measured(laboratory, f"print({text!r})\n")
    assert (entry.status, entry.verdict, entry.value) == ("crash", "crash", None)
    assert f'"{text}"' in entry.reason


def test_the_quotation_of_what_is_no_number_can_be_printed_and_is_short(laboratory: Laboratory) -> None:
    entry = measured(laboratory, "print('\\x1b[31m' + 'lots ' * 1000)\n")
    assert entry.status == "crash" and "\x1b" not in entry.reason and '"lots lots' in entry.reason
    assert len(entry.reason) < 260


def test_stderr_is_in_the_log_and_not_in_what_is_extracted(laboratory: Laboratory) -> None:
    entry = measured(laboratory, "import sys\nprint(3)\nprint('7 warnings', file=sys.stderr)\n")
    assert entry.value == 3
    log = laboratory.home.run("r0002").log.read_text()
    assert "3\n" in log and "7 warnings\n" in log


def test_stderr_is_extracted_from_where_that_is_asked(laboratory: Laboratory) -> None:
    source = "import sys\nprint('out')\nprint('took 7', file=sys.stderr)\n"
    extract = "sed -n 's/^took //p'; true"
    laboratory.make(metric=metric(extract, stderr=True))
    (laboratory.project / "train.py").write_text(source)
    laboratory.run(Edits({}), limit=1)
    assert laboratory.entries()[0].value == 7


def test_nothing_stands_for_the_number_that_the_spec_names(laboratory: Laboratory) -> None:
    entry = measured(laboratory, "pass\n", metric=metric("cat", empty=0))
    assert (entry.value, entry.verdict) == (0, "advance")
    assert measured(Laboratory(laboratory.folder / "other"), "pass\n").status == "crash"


def test_a_command_that_fails_without_a_word_on_stdout_has_not_printed_nothing(laboratory: Laboratory) -> None:
    entry = measured(laboratory, "print('secret')\n", metric=metric("grep 9 || no-such-program", empty=0))
    assert (entry.status, entry.value) == ("crash", None)
    assert "no-such-program" in entry.reason


def test_only_the_exit_codes_that_are_named_are_no_crash(laboratory: Laboratory) -> None:
    ends = {"argv": [sys.executable, "train.py"], "seconds": 30, "ok_exit": [0, 3]}
    laboratory.make(metric=metric("cat"), harness=ends)
    (laboratory.project / "train.py").write_text("print(9)\n")
    edits = {2: whole("print(8)\nraise SystemExit(3)\n"), 3: whole("print(1)\nraise SystemExit(1)\n")}
    laboratory.run(Edits(edits), limit=3)
    assert [(each.status, each.value) for each in laboratory.entries()] == [("ok", 9), ("ok", 8), ("crash", None)]
    assert "exit code 1" in laboratory.entries()[2].reason


def test_what_cannot_be_meant_is_refused_before_anything_runs(laboratory: Laboratory) -> None:
    for wrong, words in {
        "no command": ({"name": "x", "direction": "min", "backend": "command"}, "metric.extract"),
        "of another backend": (
            {"name": "x", "direction": "min", "empty": 0},
            "metric.empty is for the backend command",
        ),
        "no sign": (metric(locale="5"), "metric.locale"),
        "ours": ({**metric(), "name": "wall_s"}, "metric.name"),
    }.values():
        with pytest.raises(FlagstoneError, match=words):
            laboratory.make(metric=wrong).open()
