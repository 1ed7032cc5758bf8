"""Everything code of an agent's could try from within its grant, tried for real, with and without the sandbox."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest
from tricks import APPROVALS, AS_ROOT, MARKS, PRELUDE, WRITES, Trick

from flagstone.agents import strength
from flagstone.processes import Command, Confinement, Output, ProcessLimits, StartError, run
from flagstone.processes.confinement import landlock, machine

WAYS = {"landlock": (True, False), "both": (True, True), "landlock in a fork": (True, False)}
FILES = (
    "runs/r/approved/01.flag",
    "runs/r/approved/seals.jsonl",
    "runs/r/stages/01_survey.md",
    "runs/r/run.yaml",
    "runs/r/brief.md",
    "runs/r/pinned/prompts/03.md.j2",
    "runs/r/pinned/schemas/offer.schema.yaml",
    "runs/r/drafts/02/001/draft.md",
    "runs/r/drafts/03/001/draft.md",
    "runs/r/drafts/03/001/prompt.md",
    "runs/r/drafts/03/001/transcript.jsonl",
    "runs/r/history/01/0001/s.md",
    "runs/r/index/data.json",
    "runs/r/logs/agents.jsonl",
    "runs/r/.snakemake/metadata/other",
    "runs/r/.snakemake/flagstone/digests.json",
    "runs/r/feedback/01.md",
    "runs/r/redo/01",
    "runs/r/workspace/a.txt",
    "runs/r/tmp/own/x",
    "runs/other/approved/02.flag",
    "src/flagstone/gates.py",
    "prompts/03.md.j2",
)
PLAYGROUND = ("runs/r/workspace", "runs/r/drafts/03/001/draft.md", "runs/r/tmp/own", "out")


@dataclass(frozen=True)
class Field:
    """A project with a run in it, a home, and a process of ours that holds a file open."""

    project: Path
    home: Path
    victim: subprocess.Popen[bytes]

    @property
    def root(self) -> Path:
        return self.project / "runs" / "r"

    def play(self, trick: Trick, way: str | None) -> str:
        """What a trick says that is played within the grant; without a way, without a sandbox."""
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "PROJECT": str(self.project),
            "VICTIM": str(self.victim.pid),
            "HELD": "0",
            "TMPDIR": str(self.root / "tmp" / "own"),
            "FLAGSTONE_WARM": "a secret",
        }
        code = PRELUDE + trick.code
        is_fork = way is None or "fork" in way
        argv = None if is_fork else (sys.executable, "-I", "-S", "-c", code)
        target = partial(exec, code, {}) if is_fork else None
        command = Command(argv, target and partial(done, target), self.root, env, confinement=self.confinement(way))
        out = self.project / "out"
        run(command, ProcessLimits(wall_s=30), Output(out))
        return out.read_text(errors="replace")

    def confinement(self, way: str | None) -> Confinement | None:
        if way is None:
            return None
        writable = (self.root / "workspace", self.root / "drafts/03/001/draft.md", self.root / "tmp/own")
        use_landlock, use_bubblewrap = WAYS[way]
        return Confinement(writable, use_landlock=use_landlock, use_bubblewrap=use_bubblewrap)

    def content(self) -> dict[str, tuple[object, ...]]:
        """Everything outside the grant: kind, content, and afterwards mode and time."""
        return {path: (*about(self.project / path),) for path in self.paths()}

    def paths(self) -> Iterator[str]:
        for folder, folders, files in os.walk(self.project):
            for name in (*folders, *files):
                path = os.path.relpath(os.path.join(folder, name), self.project)
                is_own = any(path == own or path.startswith(own + "/") for own in PLAYGROUND)
                if not is_own or name == "escaped" or path == PLAYGROUND[0]:
                    yield path

    def harm(self, before: Mapping[str, tuple[object, ...]], *, marks: bool = False) -> list[str]:
        """What is not as it was; with `marks`, modes and times count as well."""
        after, parts = self.content(), slice(None if marks else 2)
        changed = [path for path in before.keys() | after.keys() if differs(before.get(path), after.get(path), parts)]
        is_dead = self.victim.poll() is not None
        return sorted(changed) + (["a process of ours was ended"] if is_dead else [])


def done(target: partial[object]) -> int:
    target()
    return 0


def about(path: Path) -> tuple[object, ...]:
    status = os.lstat(path)
    content = path.read_bytes() if path.is_file() and not path.is_symlink() else ""
    is_folder = path.is_dir()
    return status.st_mode & 0o170000, content, status.st_mode, 0 if is_folder else status.st_mtime_ns


def differs(was: tuple[object, ...] | None, now: tuple[object, ...] | None, parts: slice) -> bool:
    return was is None or now is None or was[parts] != now[parts]


@pytest.fixture
def field(tmp_path: Path) -> Iterator[Field]:
    project = tmp_path / "project"
    for name in FILES:
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"this is {name}\n")
        os.utime(path, (1e9, 1e9))
    subprocess.run(["git", "init", "-q", project], check=True)
    (project / ".git" / "hooks").mkdir(exist_ok=True)
    home = project / "home"
    home.mkdir()
    (home / ".bashrc").write_text("# mine\n")
    with open(project / "runs/r/approved/seals.jsonl", "r+b") as held:
        env = {**os.environ, "FLAGSTONE_WARM": "a socket and a word"}
        victim = subprocess.Popen(["sleep", "300"], stdin=held, cwd=project / "runs/r", env=env)
    yield Field(project, home, victim)
    victim.kill()
    victim.wait()


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """Each way to be confined; one that this machine lacks is skipped visibly, and fails where CI is set."""
    use_bubblewrap = WAYS[request.param][1]
    lacks = "" if landlock.abi() >= 3 else f"Landlock is version {landlock.abi()} here"
    lacks = lacks or (machine.bubblewrap_fault() if use_bubblewrap else "")
    if lacks:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(lacks)
    return str(request.param)


def named(tricks: tuple[Trick, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("trick", [pytest.param(trick, id=trick.name.replace(" ", "-")) for trick in tricks])


def settle(trick: Trick) -> None:
    """Waits until something that was left behind would have acted."""
    if "after the end" in trick.name:
        time.sleep(0.6)


@named(WRITES + APPROVALS + AS_ROOT)
def test_the_kernel_prevents_it(field: Field, trick: Trick, way: str) -> None:
    if trick.name == "ending a process of ours" and way != "both" and landlock.abi() < 6:
        pytest.skip("this Landlock does not keep signals in")
    before = field.content()
    said = field.play(trick, way)
    settle(trick)
    assert field.harm(before) == [], said


@named(tuple(trick for trick in WRITES + APPROVALS + AS_ROOT if trick.alone))
def test_without_the_sandbox_it_succeeds(field: Field, trick: Trick) -> None:
    """Were one of these to fail by itself, the test above would prove nothing."""
    if trick in AS_ROOT and os.getuid() != 0:
        pytest.skip("only root can try this")
    before = field.content()
    said = field.play(trick, None)
    assert field.harm(before) != [], said


@named(MARKS)
def test_modes_and_times_are_out_of_reach_in_a_view_that_is_read_only(field: Field, trick: Trick) -> None:
    if machine.bubblewrap_fault():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(machine.bubblewrap_fault())
    before = field.content()
    said = field.play(trick, "both")
    assert field.harm(before, marks=True) == [], said


@named(MARKS)
def test_modes_and_times_are_within_reach_of_landlock_alone(field: Field, trick: Trick) -> None:
    """What Landlock does not keep, the guard of the attempt puts back (tests/unit/drafting/test_guard.py)."""
    before = field.content()
    field.play(trick, "landlock")
    assert field.harm(before) == []
    assert field.harm(before, marks=True) != []


def test_within_its_grant_it_may_do_everything(field: Field, way: str) -> None:
    code = (
        'put("workspace/a.txt"); os.mkdir("workspace/d"); os.rename("workspace/a.txt", "workspace/d/b"); '
        'put("drafts/03/001/draft.md"); put(os.environ["TMPDIR"] + "/t"); os.chmod("workspace/d/b", 0o755); '
        'put("/dev/null"); os.symlink("d/b", "workspace/l"); os.unlink("workspace/l"); print("all of it")'
    )
    assert field.play(Trick("what is granted", code), way).strip() == "all of it"
    assert (field.root / "workspace/d/b").read_text() == "an agent was here\n"


def test_both_hold_where_there_is_no_perl_to_start_by(field: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    if machine.bubblewrap_fault() or landlock.abi() < 3:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("needs Landlock and bubblewrap")
    found = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name, **more: None if name == "perl" else found(name, **more))
    before = field.content()
    code = 'put("workspace/a.txt"); put("/dev/shm/x"); print("so far", flush=True); put("drafts/03/001/prompt.md")'
    assert field.play(Trick("writing to its prompt", code), "both").startswith("so far")
    assert field.harm(before, marks=True) == []


def test_root_is_left_no_right_but_to_write_where_it_was_granted(field: Field, way: str) -> None:
    look = 'sh("grep -h CapEff /proc/self/status")'
    rights = int(field.play(Trick("looking at its rights", look), way).split()[-1], 16)
    assert rights & ~(1 << 1) == 0


def test_it_is_told_nothing_of_how_we_are_run(field: Field, way: str) -> None:
    said = field.play(Trick("looking around", 'print(sorted(n for n in os.environ if "FLAGSTONE" in n))'), way)
    assert said.strip() == "['FLAGSTONE_PROCESS']"


def test_a_link_is_not_granted(field: Field, way: str) -> None:
    (field.root / "drafts/03/001/draft.md").unlink()
    (field.root / "drafts/03/001/draft.md").symlink_to(field.root / "approved/01.flag")
    before = field.content()
    with pytest.raises(StartError, match="a link cannot be granted"):
        field.play(Trick("writing to its draft", 'put("drafts/03/001/draft.md")'), way)
    assert field.harm(before) == []


def test_what_is_hidden_cannot_be_read(field: Field) -> None:
    if machine.bubblewrap_fault():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(machine.bubblewrap_fault())
    hidden = (field.root / "history", field.root / "brief.md")
    confinement = Confinement((field.root / "workspace",), hidden=hidden)
    argv = ("sh", "-c", "ls history; cat brief.md 2>/dev/null; echo nothing")
    run(
        Command(argv, None, field.root, {"PATH": os.environ["PATH"]}, confinement=confinement),
        ProcessLimits(wall_s=20),
        Output(field.project / "out"),
    )
    assert (field.project / "out").read_text() == "nothing\n"


def test_no_network_means_none(field: Field, way: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = f"import socket; socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), 2); print('through')"
        confinement = field.confinement(way)
        assert confinement is not None
        answers = []
        for network in (True, False):
            command = Command(
                (sys.executable, "-I", "-S", "-c", code),
                None,
                field.root,
                {"PATH": os.environ["PATH"]},
                confinement=replace(confinement, network=network),
            )
            run(command, ProcessLimits(wall_s=20), Output(field.project / "out"))
            answers.append("through" in (field.project / "out").read_text())
    assert answers == [True, False]


def test_shared_memory_of_other_programs_is_out_of_reach(field: Field) -> None:
    if machine.bubblewrap_fault():
        pytest.skip(machine.bubblewrap_fault())
    argv, env = ("readlink", "/proc/self/ns/ipc"), {"PATH": os.environ["PATH"]}
    command = Command(argv, None, field.root, env, confinement=field.confinement("both"))
    run(command, ProcessLimits(wall_s=20), Output(field.project / "out"))
    said = (field.project / "out").read_text()
    assert said.startswith("ipc:") and said.strip() != os.readlink("/proc/self/ns/ipc")


def test_a_request_to_stop_is_heard_by_the_program_itself(field: Field, way: str) -> None:
    argv = ("sh", "-c", 'trap "echo in order; exit 5" TERM; sleep 60 & wait')
    command = Command(argv, None, field.root, {"PATH": os.environ["PATH"]}, confinement=field.confinement(way))
    result = run(command, ProcessLimits(wall_s=1, stop_s=5), Output(field.project / "out"))
    assert (result.exit_code, result.survivors) == (5, ())
    assert (field.project / "out").read_text() == "in order\n"


def test_the_victim_of_these_tests_is_alive_until_it_is_ended(field: Field) -> None:
    assert field.victim.poll() is None
    field.victim.send_signal(signal.SIGKILL)
    field.victim.wait()
    assert field.harm(field.content()) == ["a process of ours was ended"]


def test_no_file_of_a_grant_gets_a_name_elsewhere_and_nothing_is_mounted_in_the_whole_sandbox(field: Field) -> None:
    """What the kernel reports of a folder is believed for that reason."""
    if not strength().keeps_names:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("needs Landlock and bubblewrap")
    code = """
for place in (os.environ["TMPDIR"], "drafts/03/001", "/tmp", "/dev/shm"):
    try: os.link("workspace/a.txt", f"{place}/second")
    except OSError as error: print("link:", error.errno)
    else: print("linked:", place)
os.mkdir("workspace/mounted")
for words in ("--bind drafts/03/001 workspace/mounted", "-t tmpfs none workspace/mounted"):
    done = subprocess.run(["unshare", "-Urm", "mount", *words.split()], capture_output=True)
    print("mount:", "refused" if done.returncode else "done")
"""
    said = field.play(Trick("second name", code), "both")
    assert said.count("link: ") == 4 and said.count("mount: refused") == 2, said
