"""Installs the pinned Claude Code below .cache/, once for each version."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from flagstone.agents.claude.driver import VERSION

CACHE = Path(__file__).resolve().parents[2] / ".cache"
PACKAGE = f"@anthropic-ai/claude-code@{VERSION}"
FOLDER = CACHE / f"claude-{VERSION}"
LIMIT_S = 600


class CannotInstallError(Exception):
    """Why there is no Claude Code here."""


def program_in(folder: Path) -> Path:
    return folder / "node_modules" / ".bin" / "claude"


def is_right(program: Path) -> bool:
    """Whether this is a program that calls itself by the pinned version."""
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=300, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return said.stdout.startswith(f"{VERSION} ")


def install() -> Path:
    """The pinned program, installed if need be."""
    program = program_in(FOLDER)
    if is_right(program):
        return program
    npm = shutil.which("npm")
    if npm is None:
        raise CannotInstallError("npm is not installed")
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="installing-") as part:
        run([npm, "install", "--prefix", part, "--ignore-scripts", "--no-audit", "--no-fund", "--silent", PACKAGE])
        # its one script puts the binary in place; newer versions of npm do not run it by themselves
        run(["node", str(Path(part) / "node_modules" / "@anthropic-ai" / "claude-code" / "install.cjs")])
        if not is_right(program_in(Path(part))):
            raise CannotInstallError(f"what npm installed is not Claude Code {VERSION}")
        shutil.rmtree(FOLDER, ignore_errors=True)
        # another one may have been quicker; theirs is as good
        with suppress(OSError):
            os.rename(part, FOLDER)
            os.mkdir(part)
    return program


def run(argv: list[str]) -> None:
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotInstallError(f"{argv[0]}: {error}") from error
    if done.returncode:
        raise CannotInstallError(f"{Path(argv[0]).name} failed: {done.stderr.strip()[-500:]}")


def main() -> int:
    """In CI a suite that cannot run is a failure; elsewhere its tests say that they were skipped."""
    try:
        install()
    except CannotInstallError as error:
        sys.stderr.write(f"Claude Code {VERSION} cannot be installed: {error}\n")
        return 1 if os.environ.get("CI") else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
