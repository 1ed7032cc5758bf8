"""The warm server does a job as if the asker had done it, for those who know its word, and cleans up after the dead."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from flagstone.processes.warm import VARIABLE, start_warm_server

STAGE = Path(__file__).parents[3] / "workflow" / "scripts" / "stage.py"


def job(words: list[str]) -> int:
    """What the forked worker does here: tells where it is, and obeys."""
    # pytest has put objects of its own in the place of the streams
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
    if words[0] == "wait":
        signal.pause()
    if words[0] == "fail":
        raise RuntimeError("this job fails")
    sys.stdout.write(json.dumps({"words": words, "cwd": os.getcwd(), "mark": os.environ.get("MARK")}))
    return 7


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    running = start_warm_server(lambda: job)
    yield os.environ[VARIABLE]
    running.stop()
    assert not running.folder.exists()


def asked(words: list[str], cwd: Path, address: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, VARIABLE: address, "MARK": "from the asker"}
    argv = [sys.executable, str(STAGE), *words]
    return subprocess.run(argv, cwd=cwd, env=env, capture_output=True, text=True, timeout=60)


def test_a_job_has_the_askers_words_folder_environment_and_exit_code(server: str, tmp_path: Path) -> None:
    done = asked(["03", "--x"], tmp_path, server)
    assert json.loads(done.stdout) == {"words": ["03", "--x"], "cwd": str(tmp_path), "mark": "from the asker"}
    assert done.returncode == 7


def test_a_job_that_fails_shows_why_and_answers(server: str, tmp_path: Path) -> None:
    done = asked(["fail"], tmp_path, server)
    assert done.returncode == 1
    assert "this job fails" in done.stderr


def test_who_does_not_know_the_word_gets_nothing_done(server: str, tmp_path: Path) -> None:
    address, _ = server.rsplit(" ", 1)
    done = asked(["03"], tmp_path, f"{address} guessed")
    assert done.stdout == ""
    assert done.returncode != 0


def test_a_signal_to_the_asker_reaches_the_job(server: str, tmp_path: Path) -> None:
    env = {**os.environ, VARIABLE: server}
    asker = subprocess.Popen([sys.executable, str(STAGE), "wait"], cwd=tmp_path, env=env, stderr=subprocess.PIPE)
    with pytest.raises(subprocess.TimeoutExpired):
        asker.wait(1)
    asker.send_signal(signal.SIGTERM)
    asker.communicate(timeout=60)
    assert asker.returncode != 0


def test_what_a_killed_run_left_behind_is_removed_by_the_next(tmp_path: Path) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    left = Path(tempfile.mkdtemp(prefix=f"flagstone-{dead.pid}-"))
    start_warm_server(lambda: job).stop()
    assert not left.exists()
