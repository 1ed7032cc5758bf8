"""The warm server does a job as if the asker had done it, for those who know its word, and cleans up after the dead."""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from flagstone.processes.server import BLOCKS, STAGES, spawn_warm_server, start_warm_server

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
    yield os.environ[STAGES]
    running.stop()
    assert not running.folder.exists()


def asked(words: list[str], cwd: Path, address: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, STAGES: address, "MARK": "from the asker\n=ä"}
    argv = [sys.executable, "-SE", str(STAGE), *words]
    return subprocess.run(argv, cwd=cwd, env=env, capture_output=True, text=True, timeout=300)


def test_a_job_has_the_askers_words_folder_environment_and_exit_code(server: str, tmp_path: Path) -> None:
    done = asked(["03", "--x"], tmp_path, server)
    assert json.loads(done.stdout) == {"words": ["03", "--x"], "cwd": str(tmp_path), "mark": "from the asker\n=ä"}
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


def test_without_a_server_the_asker_does_the_job_with_all_modules(tmp_path: Path) -> None:
    done = asked(["--help"], tmp_path, "/nowhere word")
    assert done.returncode == 0 and "Builds one stage of a run" in done.stdout, done.stderr


def test_a_signal_to_the_asker_reaches_the_job(server: str, tmp_path: Path) -> None:
    env = {**os.environ, STAGES: server}
    asker = subprocess.Popen([sys.executable, str(STAGE), "wait"], cwd=tmp_path, env=env, stderr=subprocess.PIPE)
    with pytest.raises(subprocess.TimeoutExpired):
        asker.wait(1)
    asker.send_signal(signal.SIGTERM)
    asker.communicate(timeout=300)
    assert asker.returncode != 0


def test_what_a_killed_run_left_behind_is_removed_by_the_next(tmp_path: Path) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    left = Path(tempfile.mkdtemp(prefix=f"flagstone-{dead.pid}-"))
    start_warm_server(lambda: job).stop()
    assert not left.exists()


SERVER = """
import sys
from pathlib import Path
from flagstone.processes.server import serve_spawned

def job(words):
    Path(words[0]).write_text("done")
    return 7

def load():
    if "broken" in sys.argv:
        raise ImportError("nothing to load")
    return job

serve_spawned(load)
"""
SPAWNER = """
import sys, time
from flagstone.processes.server import spawn_warm_server
print(spawn_warm_server([sys.executable, *sys.argv[1:]]).pid, flush=True)
time.sleep(3600)
"""


@pytest.fixture
def program(tmp_path: Path) -> str:
    path = tmp_path / "serve.py"
    path.write_text(SERVER)
    return str(path)


def ask_for_a_block(words: list[str]) -> subprocess.CompletedProcess[str]:
    script = "import sys; from asking import ask_warm_server; sys.exit(ask_warm_server(sys.argv.pop(1)) or 0)"
    argv = [sys.executable, "-c", script, BLOCKS, *words]
    return subprocess.run(argv, cwd=STAGE.parent, capture_output=True, text=True, timeout=300)


def test_a_spawned_server_does_jobs_and_ends_when_told(program: str, tmp_path: Path) -> None:
    server = spawn_warm_server([sys.executable, program])
    done = ask_for_a_block([str(tmp_path / "made")])
    server.stop()
    assert done.returncode == 7, done.stderr
    assert (tmp_path / "made").read_text() == "done"
    assert not Path(f"/proc/{server.pid}").exists() and BLOCKS not in os.environ


def test_jobs_of_a_spawned_server_that_cannot_load_are_left_to_the_asker(program: str, tmp_path: Path) -> None:
    server = spawn_warm_server([sys.executable, program, "broken"])
    done = ask_for_a_block([str(tmp_path / "made")])
    server.stop()
    assert done.returncode == 0, done.stderr  # `None`: there is no server
    assert not (tmp_path / "made").exists()


def test_a_spawned_server_ends_with_its_spawner_even_if_that_is_killed(program: str) -> None:
    spawner = subprocess.Popen([sys.executable, "-c", SPAWNER, program], stdout=subprocess.PIPE, text=True)
    assert spawner.stdout is not None
    pid = int(spawner.stdout.readline())
    assert Path(f"/proc/{pid}").exists()
    spawner.kill()
    spawner.wait()
    spawner.stdout.close()
    until = time.monotonic() + 300
    while Path(f"/proc/{pid}").exists() and state_of(pid) != "Z" and time.monotonic() < until:
        time.sleep(0.01)
    assert state_of(pid) in ("", "Z")


def state_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def test_a_temporary_folder_with_a_long_name_keeps_no_server_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / ("x" * 110)
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    running = start_warm_server(lambda: job)
    try:
        assert asked(["03"], tmp_path, os.environ[STAGES]).returncode == 7
    finally:
        running.stop()
    assert not running.folder.exists() and list(place.iterdir()) == []


def test_a_signal_that_comes_together_with_the_request_reaches_the_job(server: str) -> None:
    place, _, word = server.rpartition(" ")
    asker = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    asker.settimeout(30)
    asker.connect(place)
    content = "\0".join([word, "/", "1", "wait"]).encode()
    request = b"%d\n%b%c" % (len(content), content, signal.SIGINT)
    with open(os.devnull, "r+b") as nowhere:
        socket.send_fds(asker, [request], [nowhere.fileno()] * 3)
        assert asker.recv(1) == b"\x01"


def test_a_signal_that_comes_while_a_job_is_asked_for_is_passed_on_behind_the_request(tmp_path: Path) -> None:
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(folder / "s"))
    listener.listen()
    long = {f"LONG_{number}": "x" * 100_000 for number in range(8)}  # more than the socket holds at once
    env = {**os.environ, **long, STAGES: f"{folder / 's'} word"}
    asker = subprocess.Popen([sys.executable, str(STAGE), "03"], env=env)
    try:
        connection, _ = listener.accept()
        connection.settimeout(30)
        select.select([connection], [], [])
        asker.send_signal(signal.SIGINT)
        sent = b""
        while not sent.endswith(bytes([signal.SIGINT])):
            sent += connection.recv(1 << 20)
        size, _, content = sent.partition(b"\n")
        assert len(content) == int(size) + 1 and b"\x001\x0003\0" in content
        connection.send(bytes([5]))
        assert asker.wait(30) == 5
    finally:
        asker.kill()
        asker.wait()
        listener.close()
        shutil.rmtree(folder)


def use_cpu(_: list[str]) -> int:
    while time.process_time() < 0.5:
        pass
    os.write(1, str(os.getpid()).encode())
    return 0


def test_the_cpu_time_of_jobs_counts_as_the_callers(tmp_path: Path) -> None:
    before = os.times()
    server = start_warm_server(lambda: use_cpu)
    worker = Path("/proc") / asked([], tmp_path, os.environ[STAGES]).stdout
    while worker.exists():
        time.sleep(0.01)
    server.stop()
    after = os.times()
    assert sum(after[2:4]) - sum(before[2:4]) > 0.45


def tell_who(words: list[str]) -> int:
    os.write(1, f"{os.getpid()} {os.environ.get('LEFT', '')}".encode())
    os.environ["LEFT"] = "by an earlier job"
    if words == ["die"]:
        os.kill(os.getpid(), signal.SIGKILL)
    return 3


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    running = start_warm_server(lambda: tell_who, BLOCKS, keeps_workers=True)
    yield os.environ[BLOCKS]
    running.stop()


def test_a_worker_that_is_kept_does_one_job_after_the_other(kept: str, tmp_path: Path) -> None:
    first, second = (asked([], tmp_path, kept) for _ in range(2))
    assert first.stdout == second.stdout and first.returncode == second.returncode == 3


def test_a_worker_that_died_is_replaced(kept: str, tmp_path: Path) -> None:
    first, dead, third = (asked(words, tmp_path, kept) for words in ([], ["die"], []))
    assert (first.returncode, dead.returncode, third.returncode) == (3, 137, 3)
    assert first.stdout == dead.stdout != third.stdout


def by_thread(words: list[str], address: str) -> tuple[str, int]:
    """What a job says that is done for a thread of this process, and its exit code."""
    program = """
import sys
from flagstone.cli.jobs.served_jobs import exit_code_of
code = exit_code_of(sys.argv[2:], sys.argv[1], {"LEFT": "by us"})
sys.exit(99 if code is None else code)
"""
    done = subprocess.run([sys.executable, "-c", program, address, *words], capture_output=True, text=True, timeout=300)
    return done.stdout.strip(), done.returncode


def test_a_thread_has_a_job_done_with_its_terminal_and_its_variables(kept: str) -> None:
    said, code = by_thread([], kept)
    assert (said.split(" ", 1)[1], code) == ("by us", 3)


def test_a_thread_is_told_of_a_job_that_was_killed_and_of_a_server_that_is_not_there(kept: str) -> None:
    assert by_thread(["die"], kept)[1] == 137
    assert by_thread([], "/nowhere word")[1] == 99


def test_an_interruption_between_two_jobs_ends_no_worker_that_is_kept(kept: str, tmp_path: Path) -> None:
    first = by_thread([], kept)[0].split()[0]
    os.kill(int(first), signal.SIGINT)
    time.sleep(0.2)
    assert by_thread([], kept)[0].split()[0] == first


def test_a_worker_that_died_between_two_jobs_is_replaced(kept: str) -> None:
    first = by_thread([], kept)[0].split()[0]
    os.kill(int(first), signal.SIGKILL)
    time.sleep(0.2)
    said, code = by_thread([], kept)
    assert said.split()[0] != first and code == 3


def test_workers_that_are_kept_are_in_the_process_group_of_their_caller(kept: str) -> None:
    assert os.getpgid(int(by_thread([], kept)[0].split()[0])) == os.getpgid(0)


def test_a_signal_reaches_the_second_job_of_a_worker_that_is_kept(tmp_path: Path) -> None:
    server = start_warm_server(lambda: job, BLOCKS, keeps_workers=True)
    asked(["03"], tmp_path, os.environ[BLOCKS])
    env = {**os.environ, STAGES: os.environ[BLOCKS]}
    asker = subprocess.Popen([sys.executable, str(STAGE), "wait"], cwd=tmp_path, env=env, stderr=subprocess.PIPE)
    with pytest.raises(subprocess.TimeoutExpired):
        asker.wait(1)
    asker.send_signal(signal.SIGINT)
    asker.communicate(timeout=60)
    assert asker.returncode == 1
    server.stop()


def test_kept_workers_end_with_their_server(kept: str, tmp_path: Path) -> None:
    worker = int(asked([], tmp_path, kept).stdout.split()[0])
    server = int(Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(server, signal.SIGKILL)
    until = time.monotonic() + 20
    while state_of(worker) not in ("", "Z") and time.monotonic() < until:
        time.sleep(0.01)
    assert state_of(worker) in ("", "Z")


def test_a_server_holds_no_lock_of_its_caller(tmp_path: Path) -> None:
    lock = (tmp_path / "lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    server = start_warm_server(lambda: job)
    asked(["03"], tmp_path, os.environ[STAGES])
    lock.close()
    with (tmp_path / "lock").open("w") as again:
        fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
    server.stop()
