"""Metrics by a person's own code."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from flagstone.metrics import custom
from flagstone.metrics.registry import read_metrics
from flagstone.metrics.series import Place, Reading
from flagstone.processes.confinement import machine

EXTRACT = (
    "def extract(run_dir, log_text):\n    return {'loss': len(log_text), 'word': 'x', 'flag': True, 'none': None}\n"
)


def extracted(place: Place, body: str) -> Reading:
    """What an extract with this body answers."""
    code = "import json, os, sys\ndef extract(run_dir, log_text):\n    " + body.replace("\n", "\n    ") + "\n"
    return read_metrics("custom", {"code": code}, place, ["loss"])


def test_a_persons_own_code_is_asked(place: Place) -> None:
    place.log.write_text("four")
    found = read_metrics("custom", {"code": EXTRACT}, place, ["loss"])
    assert found.values == {"loss": 4.0}
    assert found.problems == ("extract gave no number for flag, none, word",)


def test_code_may_stand_in_a_file(place: Place, tmp_path: Path) -> None:
    (tmp_path / "extract.py").write_text(EXTRACT)
    place.log.write_text("four")
    assert read_metrics("custom", {"code": str(tmp_path / "extract.py")}, place, ["loss"]).values == {"loss": 4.0}


def test_code_that_a_run_wrote_itself_is_not_asked(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    (place.run_dir / "extract.py").write_text("def extract(run_dir, log_text):\n    return {'loss': 0}\n")
    monkeypatch.chdir(place.run_dir)
    found = read_metrics("custom", {"code": "extract.py"}, place, ["loss"])
    assert found.values == {} and "there is no file extract.py" in found.problems[0]


def test_the_files_of_the_run_may_be_read(place: Place) -> None:
    (place.run_dir / "score.txt").write_text("0.25")
    assert extracted(place, "return {'loss': float(open(run_dir + '/score.txt').read())}").values == {"loss": 0.25}


def test_numbers_of_every_kind_count(place: Place) -> None:
    body = "import fractions, numpy\nreturn {'a': fractions.Fraction(1, 4), 'b': numpy.float32(0.5), 'c': 3, 7: 1}"
    assert extracted(place, body).values == {"a": 0.25, "b": 0.5, "c": 3, "7": 1}
    odd = extracted(place, "return {'loss': float('nan'), 'up': 1e999, 'huge': 10 ** 400}")
    assert math.isnan(odd.values["loss"]) and odd.values["up"] == math.inf and "huge" in odd.problems[0]


def test_of_a_long_log_the_end_is_handed_over(place: Place) -> None:
    place.log.write_bytes(b"x" * 9_000_000 + b"\xff the end")
    found = extracted(place, "return {'loss': len(log_text), 'end': log_text.endswith('the end') + 0}")
    assert found.values == {"loss": 4_000_000, "end": 1}


def test_what_the_code_prints_is_no_answer(place: Place) -> None:
    assert extracted(place, "print('{\"loss\": 1}')\nos.system('echo {}')\nreturn {'loss': 2}").values == {"loss": 2}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("sys.exit(0)", "exit code 0"),
        ("os._exit(3)", "exit code 3"),
        ("raise ValueError('no')", "ValueError: no"),
        ("return 3", "TypeError"),
        ("return [1]", "TypeError"),
        ("os.kill(os.getpid(), 9)", "it ended with"),
        ("return extract(run_dir, log_text)", "RecursionError"),
        ("import not_there", "No module named 'not_there'"),
        ("os.write(3, b'[1]')\nos._exit(0)", "gave no mapping"),
        ('os.write(3, b\'{"loss": "low"}\')\nos._exit(0)', "gave no mapping"),
    ],
)
def test_code_that_fails_or_leaves_is_a_problem_and_never_ours(place: Place, body: str, why: str) -> None:
    found = extracted(place, body)
    assert found.values == {} and why in found.problems[0]


@pytest.mark.parametrize("code", ["def extract(", "x = 1", "\x00", "raise SystemExit", "extract = 3"])
def test_what_is_no_such_code_is_a_problem(place: Place, code: str) -> None:
    found = read_metrics("custom", {"code": code}, place, ["loss"])
    assert found.values == {} and found.problems


def test_code_that_hangs_is_ended(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(custom, "LIMIT_S", 0.5)
    assert "took longer than 0.5 s" in extracted(place, "while True: pass").problems[0]


def test_threads_and_children_left_behind_delay_nothing(place: Place) -> None:
    body = "import threading, time\nthreading.Thread(target=time.sleep, args=(600,)).start()\n"
    body += "os.fork() or time.sleep(600)\nreturn {'loss': 1}"
    assert extracted(place, body).values == {"loss": 1}


def test_code_can_write_nothing(place: Place, tmp_path: Path) -> None:
    (place.run_dir / "train.py").write_text("good")
    body = f"""
try:
    open({str(place.run_dir / "train.py")!r}, "w").write("bad")
except OSError:
    pass
try:
    os.unlink({str(place.run_dir / "train.py")!r})
except OSError:
    pass
try:
    open({str(tmp_path / "new")!r}, "w")
except OSError:
    pass
open("mine", "w").write("its own folder is its own")
return {{"loss": 1}}"""
    assert extracted(place, body).values == {"loss": 1}
    assert (place.run_dir / "train.py").read_text() == "good" and not (tmp_path / "new").exists()


@pytest.mark.skipif(bool(machine.bubblewrap_fault()), reason="without bubblewrap there is a network")
def test_code_has_no_network(place: Place) -> None:
    found = extracted(place, "return {'loss': len(open('/proc/net/dev').readlines())}")
    assert found.values["loss"] == 3  # two lines of header, and the loopback


def test_code_that_is_not_there_is_a_problem(place: Place, tmp_path: Path) -> None:
    assert "names no code" in read_metrics("custom", {}, place, ["loss"]).problems[0]
    for path in (tmp_path / "missing.py", tmp_path):
        assert "log_text) failed" in read_metrics("custom", {"code": str(path)}, place, ["loss"]).problems[0]
