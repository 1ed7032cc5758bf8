"""A throw-away project, and what happens in it: real `snakemake` and `flagstone`, and the files they leave."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import warm_start
import yaml
from warm_start import DOUBLES

from flagstone.cli.new import parse_settings
from flagstone.gates.content import content_of
from flagstone.gates.runs import copies
from flagstone.gates.runs.run_config import RunConfig, open_run
from flagstone.layout import Run
from flagstone.records import Ledger
from flagstone.settings import find_project
from flagstone.setup.new_run import NewRun, create

CHECKOUT = Path(__file__).resolve().parents[2]
COPIED = ("Snakefile", "workflow", "config", "prompts", "schemas", "profiles")
PROGRAMS = Path(sys.executable).parent
STAGES = ("01", "02", "03", "04", "05", "06", "07", "08")
RECORDS = CHECKOUT / "src" / "flagstone" / "agents" / "demo" / "material" / "citations"
INSTANT = {"*": {"*": "instant"}}
LIMIT_S = 300


@dataclass(frozen=True)
class Said:
    """How a command ended, with its output and errors together as a terminal shows them."""

    code: int
    text: str

    @property
    def lines(self) -> list[str]:
        return [line for line in self.text.splitlines() if line.strip()]

    @property
    def last(self) -> str:
        return self.lines[-1]

    @property
    def has_traceback(self) -> bool:
        return "Traceback (most recent call last)" in self.text


@dataclass(frozen=True)
class Study:
    """One run, looked at from outside."""

    files: Run

    @property
    def root(self) -> Path:
        return self.files.root

    @property
    def opened(self) -> RunConfig:
        """The run as it is now: nothing is remembered between two looks."""
        return open_run(find_project(self.root), self.files)

    def key(self, nr: str) -> str:
        return self.opened.table.stage(nr).key

    def summary(self, nr: str) -> Path:
        return self.files.summary(self.key(nr))

    def calls(self, nr: str) -> list[dict[str, Any]]:
        """Every call of the agent for a stage, oldest first."""
        return [json.loads(path.read_bytes()) for path in sorted(self.files.drafts(nr).glob("*/commands/call.json"))]

    def counts(self) -> dict[str, int]:
        """How many calls of the agent each stage has had."""
        return {nr: sum(1 for _ in self.files.drafts(nr).glob("*/commands/call.json")) for nr in STAGES}

    def prompt(self, nr: str, attempt: int) -> str:
        return (self.files.drafts(nr) / f"{attempt:03d}" / "prompt.md").read_text()

    def built(self) -> list[str]:
        """The stages whose document is there."""
        return [nr for nr in STAGES if self.summary(nr).is_file()]

    def seals(self, nr: str, event: str = "approved") -> list[dict[str, Any]]:
        entries = Ledger(self.files.seals).entries()
        return [entry for entry in entries if entry.get("stage") == nr and entry.get("event") == event]

    def digest(self, nr: str) -> str:
        """The digest of what a stage offers now."""
        opened = self.opened
        content = content_of(opened, opened.table.stage(nr))
        return content.digest if content else ""

    def versions(self, nr: str) -> list[Path]:
        return sorted(self.files.history(nr).glob("[0-9][0-9][0-9][0-9]-*"))

    def touch(self, *nrs: str) -> None:
        """Approves as a person does."""
        for nr in nrs:
            self.files.flag(nr).touch()

    def append(self, path: str | Path, words: str = "\nA person was here.\n") -> None:
        with open(self.root / path, "a") as stream:
            stream.write(words)

    def ask(self, nr: str, words: str) -> None:
        self.files.feedback(nr).write_text(words)

    def set(self, **values: Any) -> None:
        """Changes run.yaml as a person does in an editor."""
        settings = yaml.safe_load(self.files.settings.read_text())
        self.files.settings.write_text(yaml.safe_dump({**settings, **values}, sort_keys=False))

    def tree(self) -> dict[str, str]:
        return tree(self.root)


def tree(top: Path) -> dict[str, str]:
    """Every path below a folder with its content and time, but for Snakemake's own folder and compiled code."""
    return {str(path.relative_to(top)): state_of(path) for path in walk(top)}


def walk(top: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(top):
        folders[:] = [name for name in folders if name not in (".snakemake", "__pycache__", "src")]
        yield from (Path(folder) / name for name in [*folders, *names])


def state_of(path: Path) -> str:
    stat = path.lstat()
    if path.is_symlink():
        return f"-> {os.readlink(path)}"
    if path.is_dir():
        return f"{stat.st_mode:o}"
    return f"{stat.st_mode:o} {stat.st_mtime_ns} {hashlib.sha256(path.read_bytes()).hexdigest()}"


@dataclass(frozen=True)
class Place:
    """A project root of its own: copies of what a checkout holds, and its own runs/."""

    root: Path

    def study(self, name: str = "t") -> Study:
        return Study(find_project(self.root).run(name))

    def script(self, table: object = None, name: str = "script.yaml") -> Path:
        """Writes down how the agent `scripted` is to behave."""
        path = self.root / name
        path.write_text(yaml.safe_dump(INSTANT if table is None else table))
        return path

    def new(self, name: str = "t", *sets: str, script: object = None) -> Study:
        """A new run of the agent `scripted`, as `flagstone new` makes it; `sets` are like limits.attempts=2."""
        path = self.script(script, f"{name}.script.yaml")
        settings = parse_settings((f"scripted.script={path}", "agent=scripted", f"citations.records={RECORDS}", *sets))
        create(find_project(self.root), NewRun(name, "Does it work?", sets=settings))
        return self.study(name)

    def snakemake(self, *words: str, run: str | None = "t", cwd: Path | None = None) -> Said:
        return run_warm("snakemake", *snakemake_words(words, run), cwd=cwd or self.root)

    def start_snakemake(self, *words: str, run: str | None = "t", cwd: Path | None = None) -> subprocess.Popen[bytes]:
        return start(PROGRAMS / "snakemake", *snakemake_words(words, run), cwd=cwd or self.root)

    def flagstone(self, *words: str, cwd: Path | None = None) -> Said:
        return run_warm("flagstone", *words, cwd=cwd or self.root)

    def start_flagstone(self, *words: str, cwd: Path | None = None) -> subprocess.Popen[bytes]:
        return start(PROGRAMS / "flagstone", *words, cwd=cwd or self.root)


def snakemake_words(words: tuple[str, ...], run: str | None) -> list[str]:
    return ["--cores", "2", *words, *(["--config", f"run={run}"] if run else [])]


def run_warm(program: str, *words: str, cwd: Path) -> Said:
    """A whole command in a process of its own, without the time that it takes to load Snakemake and other libraries."""
    return Said(*warm_start.run([str(PROGRAMS / program), *words], cwd, environment(), LIMIT_S))


def run_command(*words: str, cwd: Path, env: Mapping[str, str] = os.environ) -> subprocess.CompletedProcess[str]:
    """The same with output and errors apart, and in the environment of the test if no other is given."""
    argv = [str(PROGRAMS / words[0]), *words[1:]]
    with tempfile.TemporaryFile() as errors:
        code, output = warm_start.run(argv, cwd, dict(env), LIMIT_S, errors.fileno())
        errors.seek(0)
        return subprocess.CompletedProcess(argv, code, output, errors.read().decode(errors="replace"))


def start(program: Path, *words: str, cwd: Path) -> subprocess.Popen[bytes]:
    """Starts a command in a process group of its own, as a terminal does."""
    return subprocess.Popen(
        [str(program), *words],
        cwd=cwd,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # the tests may run under nohup
    )


def in_the_background(program: str, *words: str, cwd: Path) -> subprocess.Popen[bytes]:
    """Starts a command as cron, `nohup … &` or the background of a script does: with SIGINT ignored."""
    ignoring = 'trap "" INT; exec "$@"'
    return start(Path("/bin/sh"), "-c", ignoring, "sh", str(PROGRAMS / program), *words, cwd=cwd)


def environment() -> dict[str, str]:
    """What a command finds around it: the agent `scripted`, and nothing of a test runner's own."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("FLAGSTONE", "SNAKEMAKE", "PYTEST", "PYTHON"))
    }
    return {**kept, "PATH": f"{PROGRAMS}{os.pathsep}{kept.get('PATH', '')}", "PYTHONPATH": str(DOUBLES)}


def ended(process: subprocess.Popen[bytes], limit_s: float = LIMIT_S) -> Said:
    """Waits for a command; one that hangs is killed with all it started, and that is a failure."""
    try:
        output, _ = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        raise AssertionError(f"{process.args} hung; it said:\n{output.decode(errors='replace')}") from None
    return Said(process.returncode, output.decode(errors="replace"))


def wait_until(found: Any, what: str, limit_s: float = 300) -> None:
    """Looks again and again, so that no test waits longer than it must."""
    end = time.monotonic() + limit_s
    while not found():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.02)


def make_place(root: Path) -> Place:
    """Copies what a checkout holds; the code itself is linked."""
    root.mkdir(parents=True)
    for name in COPIED:
        source = CHECKOUT / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, root / name)
    (root / "src").symlink_to(CHECKOUT / "src")
    return Place(root)


def prepared_once(folder: Path, build: Callable[[Place], object]) -> Study:
    """The run of a project that the first worker who needs it builds; the others wait for it."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        place = Place(folder / "project")
        if not (folder / "ready").exists():
            shutil.rmtree(place.root, ignore_errors=True)
            build(make_place(place.root))
            (folder / "ready").touch()
        return place.study()


def copy_run(study: Study, place: Place, name: str = "t") -> Study:
    """A copy of a run, as `cp -a` makes it, after a first call in its new place."""
    copy = place.study(name)
    copy.root.parent.mkdir(exist_ok=True)
    shutil.copytree(study.root, copy.root, symlinks=True)
    copies.note_arrival(copy.opened.run, copy.opened.table, "created")
    return copy


def pids_in(group: int) -> list[int]:
    """The processes of a session that are still alive, orphans included."""
    listed = subprocess.run(["ps", "-e", "-o", "pid=,sid=,stat="], capture_output=True, text=True, check=True)
    rows = (line.split() for line in listed.stdout.splitlines())
    return [int(pid) for pid, session, state in rows if int(session) == group and not state.startswith("Z")]
