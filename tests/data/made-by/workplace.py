"""A neutral folder in which fixtures are made, and the real commands that make them."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
COPIED = ("Snakefile", "workflow", "config", "prompts", "schemas", "profiles")
PROGRAMS = Path(sys.executable).parent
FOREIGN = ("FLAGSTONE", "SNAKEMAKE", "PYTEST", "PYTHON", "GIT_")
PATIENCE_S = 60


@dataclass(frozen=True)
class Workplace:
    """A folder of its own: a project of Flagstone, or anybody's project with a program in it."""

    root: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def start(self, program: str, *words: str, **variables: str) -> subprocess.Popen[bytes]:
        path = PROGRAMS / program
        return subprocess.Popen(
            [str(path) if path.exists() else program, *words],
            cwd=self.root,
            env={**environment(), **self.variables, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def call(self, program: str, *words: str, code: int = 0) -> str:
        """What a command says. One that ends in another way than it should is an error: the fixture would be wrong."""
        process = self.start(program, *words)
        output, _ = process.communicate(timeout=3 * PATIENCE_S)
        said = output.decode(errors="replace")
        if process.returncode != code:
            raise SystemExit(f"{program} {' '.join(words)} ended with {process.returncode}, not {code}:\n{said}")
        return said

    def flagstone(self, *words: str, code: int = 0) -> str:
        return self.call("flagstone", *words, code=code)

    def experiment(self, *words: str, code: int = 0) -> str:
        return self.call("flagstone", "experiment", *words, code=code)

    def snakemake(self, run: str, code: int = 0) -> str:
        return self.call("snakemake", "--cores", "2", "--config", f"run={run}", code=code)

    def kill(self, is_there: Callable[[], bool], program: str, *words: str, **variables: str) -> None:
        """Starts a command, and kills it with all it started once something is there: as a power cut does."""
        process = self.start(program, *words, **variables)
        try:
            wait_until(is_there, f"{program} {' '.join(words)}")
        finally:
            strike(working_below(self.root))
            output, _ = process.communicate()
        print(f"killed {program} {' '.join(words)}: {output.decode(errors='replace').splitlines()[-1:]}")  # noqa: T201


def environment() -> dict[str, str]:
    """What a command finds around it; nothing of a test runner's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return {**kept, "PATH": f"{PROGRAMS}{os.pathsep}{kept.get('PATH', '')}"}


def strike(pids: list[int]) -> None:
    """Ends processes at one moment: none of them is left to see that another one died."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


def working_below(folder: Path) -> list[int]:
    """The processes that work in a folder which nobody but us has made."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            place = Path(os.readlink(entry / "cwd"))
        except OSError:
            continue
        if place.is_relative_to(folder) and int(entry.name) != os.getpid():
            found.append(int(entry.name))
    return found


def wait_until(is_there: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not is_there():
        if time.monotonic() > end:
            raise SystemExit(f"waited in vain for {what}")
        time.sleep(0.01)


def flagstone_project(root: Path) -> Workplace:
    """A project of Flagstone: copies of what a checkout holds; the code itself is linked."""
    root.mkdir(parents=True)
    for name in COPIED:
        source = CHECKOUT / name
        copy = shutil.copytree if source.is_dir() else shutil.copyfile
        copy(source, root / name)
    (root / "src").symlink_to(CHECKOUT / "src")
    return Workplace(root)


def pack(folder: Path, archive: Path) -> None:
    """Keeps a folder exactly: names, modes, times, links. Owners are left out."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    exact = ("--format=posix", "--pax-option=delete=atime,delete=ctime", "--sort=name")
    nobody = ("--owner=0", "--group=0", "--numeric-owner")
    words = [
        "tar",
        *exact,
        *nobody,
        "--use-compress-program=gzip -9n",
        "-cf",
        archive,
        "-C",
        folder.parent,
        folder.name,
    ]
    subprocess.run(words, check=True)


def unpack(archive: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["tar", "--no-same-owner", "-xzf", archive, "-C", folder], check=True)
