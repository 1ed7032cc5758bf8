"""`flagstone marker serve`: real sessions that are due, signals, kills, and what a restart knows."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from workbench import run_command

from flagstone.processes import still_alive
from flagstone.processes.tree import Survivor

FILE = """
markers:
  - name: big score
    target: {mutable: ["*.py"]}
    metric: {command: cat work.py, extract: cat, direction: higher}
    loop: {max_experiments: 3, proposer: scripted, script: ../script.py}
    schedule: {type: overnight, timezone: UTC}
    run: {sandbox: false}
"""
SCRIPT = """
import subprocess
import time
from pathlib import Path


def propose(view, draft):
    (Path(draft) / "work.py").write_text(f"{10 + view['number']}\\n")
    (Path(__file__).parent / "proposing").write_text("")
    time.sleep(PAUSE_S)
    return "more"
"""
LONG_AGO = {"timing": "0 1 * * * UTC", "done_at": "2026-01-01T12:00:00Z", "failures": 0, "retry_at": None}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A known repository with a marker that missed its sessions."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    top = tmp_path / "a parser"
    write(top / ".flagstone/config.yaml", FILE)
    write(top / "work.py", "10\n")
    write(tmp_path / "script.py", SCRIPT.replace("PAUSE_S", "0"))
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    for words in (("init", "-q"), ("add", "-A"), (*who, "commit", "-q", "-m", "x")):
        subprocess.run(["git", *words], cwd=top, check=True)
    assert marker(top, "add")["added"] == ["a parser:big score"]
    write(folder(top) / "schedule.json", json.dumps(LONG_AGO))
    yield top
    with suppress(ProcessLookupError, KeyError, TypeError):
        os.kill(marker(top, "serve", "--status")["pid"], signal.SIGKILL)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def folder(top: Path) -> Path:
    return top / ".flagstone/markers/big score"


def start(here: Path, *words: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "flagstone.cli.main", "marker", *words]
    pipe = subprocess.PIPE
    return subprocess.Popen(argv, cwd=here, stdout=pipe, stderr=pipe, text=True, start_new_session=True)


def marker(here: Path, *words: str, code: int = 0) -> Any:
    done = run_command("flagstone", "marker", *words, "--json", cwd=here)
    assert done.returncode == code, (done.stdout, done.stderr)
    found = json.loads(done.stdout)
    return found["data"] if code == 0 else found["message"]


def wait_for(happened: Callable[[], Any]) -> Any:
    end = time.monotonic() + 300
    while not (found := happened()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return found


def served(top: Path) -> dict[str, Any]:
    found: dict[str, Any] = marker(Path("/"), "serve", "--status")["markers"][0]
    return found


def values(top: Path) -> list[float]:
    return [row["metric"] for row in marker(top, "results")]


def record(top: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder(top) / "schedule.json").read_text())
    return found


def is_done(top: Path) -> bool:
    return not record(top)["done_at"].startswith("2026-01-01")


def session_of(top: Path) -> Survivor:
    """The session that runs now."""
    pid = wait_for(lambda: served(top)["pid"])
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return Survivor(pid, int(fields[19]))


def test_a_missed_session_is_run_once_and_stop_ends_the_server(repository: Path) -> None:
    server = start(Path("/"), "serve")
    wait_for(lambda: is_done(repository))
    assert values(repository) == [10.0, 12.0, 13.0, 14.0]
    assert (served(repository)["pid"], served(repository)["failures"]) == (None, 0)
    printed = "\n".join(marker(Path("/"), "log", "a parser:big score")["lines"])
    assert "r0004" in printed and "the session has ended" in printed
    assert "starts a session, due since" in "\n".join(marker(Path("/"), "log", "--serve")["lines"])
    assert f"in use by process {server.pid}" in marker(Path("/"), "serve", code=2)
    assert marker(Path("/"), "serve", "--stop")["pid"] == server.pid
    assert server.wait(30) == 0
    assert marker(Path("/"), "serve", "--status")["running"] is False
    assert marker(Path("/"), "serve", "--stop") == {"action": "none", "pid": None}


def test_sigterm_ends_the_session_and_the_next_server_continues_it(repository: Path, tmp_path: Path) -> None:
    write(tmp_path / "script.py", SCRIPT.replace("PAUSE_S", "60"))
    server = start(Path("/"), "serve")
    session = session_of(repository)
    wait_for((tmp_path / "proposing").exists)
    following = start(repository, "log", "-f")
    server.terminate()
    assert server.wait(60) == 0
    assert not still_alive([session])
    printed, _ = following.communicate(timeout=300)
    assert following.returncode == 0 and "r0001" in printed and "because a signal asked for it" in printed
    write(tmp_path / "script.py", SCRIPT.replace("PAUSE_S", "0"))
    start(Path("/"), "serve")
    wait_for(lambda: is_done(repository))
    assert values(repository) == [10.0, 12.0, 13.0, 14.0]
    assert "r0001" in "\n".join(marker(repository, "log", "--session", "1")["lines"])
    assert "r0004" in "\n".join(marker(repository, "log", "-n", "2")["lines"])
    assert "its sessions: 1 to 2" in marker(repository, "log", "--session", "3", code=2)


def test_a_server_that_was_killed_leaves_no_session_and_the_next_continues_it(repository: Path, tmp_path: Path) -> None:
    write(tmp_path / "script.py", SCRIPT.replace("PAUSE_S", "60"))
    server = start(Path("/"), "serve")
    session = session_of(repository)
    wait_for((tmp_path / "proposing").exists)
    server.kill()
    wait_for(lambda: not still_alive([session]))
    write(tmp_path / "script.py", SCRIPT.replace("PAUSE_S", "0"))
    start(Path("/"), "serve")
    wait_for(lambda: is_done(repository))
    assert values(repository) == [10.0, 12.0, 13.0, 14.0]


def test_a_failing_session_is_remembered_with_its_error_in_the_log_of_the_server(
    repository: Path, tmp_path: Path
) -> None:
    write(repository / "work.py", "no number\n")
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    subprocess.run(["git", *who, "commit", "-qam", "x"], cwd=repository, check=True)
    assert "has no session yet" in marker(repository, "log", code=2)
    start(Path("/"), "serve")
    wait_for(lambda: record(repository)["failures"] == 1)
    assert "fix them, then run" in "\n".join(marker(repository, "log")["lines"])
    assert served(repository)["failures"] == 1
    assert "a parser:big score: failed (exit code 3); next: " in (tmp_path / "state/flagstone/serve.log").read_text()


def test_the_defaults_of_a_person_hold_in_sessions_that_are_served(repository: Path, tmp_path: Path) -> None:
    own = FILE.replace("max_experiments: 3, ", "")
    write(repository / ".flagstone/config.yaml", own)
    write(tmp_path / "config/flagstone/marker.yaml", "loop: {max_experiments: 1}\n")
    start(Path("/"), "serve")
    wait_for(lambda: is_done(repository))
    assert values(repository) == [10.0, 12.0]
