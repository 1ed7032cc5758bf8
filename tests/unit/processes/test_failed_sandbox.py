"""A sandbox that cannot be set up says nothing about the program: it is tried once more, and then named."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from flagstone.processes import Command, Confinement, Output, ProcessLimits, SandboxError, run
from flagstone.processes.confinement import machine

pytestmark = pytest.mark.skipif(bool(machine.bubblewrap_fault()), reason="needs bubblewrap")
FAULT = "bwrap: Can't create file at /var/spool/x: Read-only file system"


@pytest.fixture
def fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Path]:
    """Lets bubblewrap fail so often before it works."""
    real, folder, count = shutil.which("bwrap"), tmp_path / "bin", tmp_path / "count"
    folder.mkdir()

    def prepared(times: int) -> Path:
        lines = (
            "#!/bin/sh",
            f'echo x >> "{count}"',
            f'if [ $(wc -l < "{count}") -le {times} ]; then echo "{FAULT}" >&2; exit 1; fi',
            f'exec {real} "$@"',
        )
        (folder / "bwrap").write_text("\n".join(lines))
        (folder / "bwrap").chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        return count

    return prepared


@pytest.fixture
def confined(shell: Callable[..., Command], tmp_path: Path) -> Callable[[str], Command]:
    held = Confinement((tmp_path,), use_landlock=False)
    return lambda line: replace(shell(line), confinement=held)


LIMITS = ProcessLimits(stop_s=0.3)


def test_a_sandbox_that_failed_once_is_tried_again(
    fail: Callable[[int], Path], confined: Callable[[str], Command], output: Output
) -> None:
    count = fail(1)
    assert run(confined("echo ran; exit 3"), LIMITS, output).exit_code == 3
    assert output.stdout.read_text() == "ran\n" and len(count.read_text().split()) == 2


def test_a_sandbox_that_fails_twice_is_named_by_the_words_of_bubblewrap(
    fail: Callable[[int], Path], confined: Callable[[str], Command], output: Output
) -> None:
    count = fail(9)
    with pytest.raises(SandboxError, match="the sandbox could not be set up: bwrap: Can't create file"):
        run(confined("echo ran"), LIMITS, output)
    assert len(count.read_text().split()) == 2


@pytest.mark.parametrize(
    ("line", "code"), [(f'echo "{FAULT}" >&2; exit 1', 1), ("exit 0", 0), ("kill -9 $$", 137), ("exec ./nowhere", 127)]
)
def test_what_the_program_does_is_never_taken_for_the_sandbox(
    fail: Callable[[int], Path], confined: Callable[[str], Command], output: Output, line: str, code: int
) -> None:
    count = fail(0)
    assert run(confined(line), LIMITS, output).exit_code == code
    assert len(count.read_text().split()) == 1


def test_a_program_that_cannot_be_executed_is_the_fault_of_the_program(
    fail: Callable[[int], Path], confined: Callable[[str], Command], output: Output, tmp_path: Path
) -> None:
    count = fail(0)
    (tmp_path / "bench.sh").write_text("#!/no/such/shell\n")
    (tmp_path / "bench.sh").chmod(0o755)
    assert run(replace(confined(""), argv=("./bench.sh",)), LIMITS, output).exit_code == 1
    assert len(count.read_text().split()) == 1
