"""GPUs and the machine itself, shared by everything that runs on it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from flagstone.errors import FlagstoneError, Interrupted
from flagstone.loop import leases

CONTENDER = """
import sys, os, time
from pathlib import Path
from flagstone.loop import leases
folder, place = Path(sys.argv[1]), Path(sys.argv[2])
for _ in range(6):
    with leases.lease(1, folder=folder) as held:
        (name,) = held.names
        mark = place / name
        handle = os.open(mark, os.O_CREAT | os.O_EXCL)   # somebody else holds it: this fails
        time.sleep(0.005)
        os.close(handle)
        mark.unlink()
"""


@pytest.mark.parametrize("count", [2, 3])
def test_no_two_processes_ever_hold_one_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setenv("FLAGSTONE_GPUS", ",".join(map(str, range(count))))
    (tmp_path / "marks").mkdir()
    words = [sys.executable, "-c", CONTENDER, str(tmp_path / "leases"), str(tmp_path / "marks")]
    contenders = [subprocess.Popen(words, stderr=subprocess.PIPE) for _ in range(4)]
    assert [each.wait() for each in contenders] == [0, 0, 0, 0], [each.stderr.read() for each in contenders]  # type: ignore[union-attr]


def test_a_lease_names_its_devices_and_lets_them_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLAGSTONE_GPUS", "0,GPU-a/b")
    with leases.lease(2, folder=tmp_path / "l") as held:
        assert held.environment() == {"CUDA_VISIBLE_DEVICES": "0,GPU-a/b"}
        with pytest.raises(Interrupted), leases.lease(1, folder=tmp_path / "l", stop=lambda: True):
            pass
    with leases.lease(1, folder=tmp_path / "l") as held:
        assert held.names == ("0",)


def test_more_devices_than_there_are_is_an_error_and_none_need_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLAGSTONE_GPUS", "0")
    with pytest.raises(FlagstoneError, match="needs 2 GPUs, and this machine has 1"), leases.lease(2, folder=tmp_path):
        pass
    with leases.lease(0, folder=tmp_path) as held:
        assert held.environment() == {}


def test_under_slurm_the_devices_are_the_schedulers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    with leases.lease(1, folder=tmp_path) as held:
        assert held.environment() == {}


def test_a_run_whose_time_is_measured_is_alone(tmp_path: Path) -> None:
    folder = tmp_path / "l"
    with leases.beside_others(folder), leases.beside_others(folder), pytest.raises(Interrupted):
        leases.alone_on_machine(folder, stop=lambda: True).__enter__()
    with leases.alone_on_machine(folder):
        for other in (leases.alone_on_machine, leases.beside_others):
            with pytest.raises(Interrupted), other(folder, stop=lambda: True):
                pass
    with leases.beside_others(folder):
        pass


def test_a_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "l").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FlagstoneError, match="is no folder"), leases.beside_others(tmp_path / "l"):
        pass
