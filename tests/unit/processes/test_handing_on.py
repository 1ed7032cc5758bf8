"""What a child gets of ours: its streams, and no more; and nothing that acts before its sandbox holds."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from flagstone.processes import Command, Confinement, Output, ProcessLimits, run
from flagstone.processes.confinement import landlock, machine, wrapping

Shell = Callable[..., Command]


@pytest.fixture
def both(tmp_path: Path) -> Confinement:
    if machine.bubblewrap_fault() or landlock.abi() < 3:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("needs Landlock and bubblewrap")
    (tmp_path / "own").mkdir()
    return Confinement((tmp_path / "own",))


def said(command: Command, output: Output) -> str:
    run(command, ProcessLimits(wall_s=20), output)
    return output.stdout.read_text()


@pytest.mark.parametrize("is_confined", [False, True])
@pytest.mark.parametrize("has_close_range", [True, False])
def test_a_file_that_a_shell_left_open_does_not_reach_the_child(
    *,
    shell: Shell,
    output: Output,
    tmp_path: Path,
    both: Confinement,
    monkeypatch: pytest.MonkeyPatch,
    is_confined: bool,
    has_close_range: bool,
) -> None:
    if not has_close_range:
        monkeypatch.setattr(wrapping, "range_closer", lambda: lambda: -1)
    handle = os.open(tmp_path / "outside", os.O_WRONLY | os.O_CREAT)
    os.set_inheritable(handle, True)
    try:
        command = shell(f"ls /proc/self/fd | wc -w; echo x >&{handle}")
        assert said(replace(command, confinement=both if is_confined else None), output).strip() == "4"
    finally:
        os.close(handle)
    assert (tmp_path / "outside").read_text() == ""


def test_the_way_to_daemons_of_the_person_s_is_not_told(shell: Shell, output: Output, both: Confinement) -> None:
    command = shell(
        "env", TMUX="/tmp/x,1,0", SSH_AUTH_SOCK="/tmp/y", DBUS_SESSION_BUS_ADDRESS="unix:path=/z", OTHER="o"
    )
    told = said(replace(command, confinement=both), output)
    assert "OTHER=o" in told and not {"TMUX", "SSH_AUTH_SOCK", "DBUS_SESSION_BUS_ADDRESS"} & {
        line.partition("=")[0] for line in told.splitlines()
    }
    assert "TMUX=/tmp/x,1,0" in said(command, output)


def test_no_code_is_loaded_into_what_stands_around_a_confined_program(
    shell: Shell, output: Output, tmp_path: Path, both: Confinement
) -> None:
    if shutil.which("cc") is None:
        pytest.skip("there is no C compiler here")
    (tmp_path / "evil.c").write_text(
        f"""#include <fcntl.h>
        __attribute__((constructor)) void act() {{ open("{tmp_path}/escaped", O_CREAT | O_WRONLY, 0600);
        open("{tmp_path}/own/loaded", O_CREAT | O_WRONLY, 0600); }}"""
    )
    library = str(tmp_path / "evil.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, str(tmp_path / "evil.c")], check=True)
    command = shell("echo $LD_PRELOAD", LD_PRELOAD=library)
    assert said(replace(command, confinement=both), output).strip() == library
    assert (tmp_path / "own" / "loaded").exists(), "the program itself has it"
    assert not (tmp_path / "escaped").exists()
