"""A run's record holds for its tree, command, seed, contract, data and environment, and says which of them changed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from sealed_trial import SealedTrial

from flagstone.errors import FlagstoneError
from flagstone.plans import Arm
from flagstone.records import DigestCache
from flagstone.trials.sealing import basis_of, difference_text
from flagstone.trials.sealing.environment import environment_facts, gpu_facts

CONTROL, TREATED = Arm("control"), Arm("treated", ("--clip",))


def python_project(root: Path, numpy: str = "2.4.5") -> dict[str, str]:
    """A project with an environment of its own, and what its runs inherit."""
    packages = root / ".venv" / "lib" / "python3.11" / "site-packages"
    (packages / f"numpy-{numpy}.dist-info").mkdir(parents=True)
    (root / ".venv" / "bin").mkdir()
    (root / ".venv" / "bin" / "python3").write_bytes(b"\x7fELF an interpreter")
    (root / ".venv" / "bin" / "python3").chmod(0o755)
    (root / ".venv" / "pyvenv.cfg").write_text("home = /nowhere\nversion = 3.11.7\n")
    return {"PATH": f"{root}/.venv/bin:/usr/bin:/bin"}


def test_equal_runs_have_equal_bases(trial: SealedTrial) -> None:
    assert basis_of(trial.shared(), "t", TREATED, "42").digest == basis_of(trial.shared(), "t", TREATED, "42").digest


def test_tree_switch_variables_seed_and_contract_each_make_another_basis(trial: SealedTrial) -> None:
    shared = trial.shared()
    trial.contract = "d" * 64
    variants = [
        basis_of(shared, "t", CONTROL, "42"),
        basis_of(shared, "u", CONTROL, "42"),
        basis_of(shared, "t", TREATED, "42"),
        basis_of(shared, "t", Arm("treated", env={"CLIP": "1"}), "42"),
        basis_of(shared, "t", CONTROL, "137"),
        basis_of(trial.shared(), "t", CONTROL, "42"),
    ]
    assert len({each.digest for each in variants}) == len(variants)
    assert (
        difference_text(trial.folder, variants[2], variants[0]) == "argv python3 train.py --clip, was python3 train.py"
    )


def test_data_that_changes_is_named(trial: SealedTrial) -> None:
    data = trial.base / "code" / "data"
    data.mkdir()
    (data / "train.csv").write_text("1,2")
    (data / "test.csv").write_text("3,4")
    trial.write(data=["data"])
    before = basis_of(trial.shared(), "t", CONTROL, "42")
    (data / "train.csv").write_text("1,3")
    after = basis_of(trial.shared(), "t", CONTROL, "42")
    assert after.digest != before.digest
    assert difference_text(trial.folder, after, before).startswith("data/train.csv ")
    assert "test.csv" not in difference_text(trial.folder, after, before)


def test_data_behind_links_and_circles_of_links_is_read(trial: SealedTrial, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x.bin").write_text("1")
    data = trial.base / "code" / "data"
    data.mkdir()
    (data / "deep").symlink_to(tmp_path / "elsewhere")
    (data / "deep" / "circle").symlink_to(data)
    trial.write(data=["data/**"])
    before = trial.shared()
    (tmp_path / "elsewhere" / "x.bin").write_text("2")
    assert trial.shared().data != before.data


def test_a_glob_that_names_no_data_is_refused(trial: SealedTrial) -> None:
    trial.write(data=["data/*.npz"])
    with pytest.raises(FlagstoneError, match=r"data/\*\.npz names no file"):
        trial.shared()


def test_a_package_that_changes_is_named_with_both_versions(trial: SealedTrial) -> None:
    root = trial.base / "code"
    around = python_project(root)
    before = basis_of(trial.shared(**around), "t", CONTROL, "42")
    packages = root / ".venv" / "lib" / "python3.11" / "site-packages"
    os.rename(packages / "numpy-2.4.5.dist-info", packages / "numpy-2.4.6.dist-info")
    after = basis_of(trial.shared(**around), "t", CONTROL, "42")
    assert difference_text(trial.folder, after, before) == "numpy 2.4.6, was 2.4.5"


def test_the_packages_are_those_of_the_project_and_not_ours(trial: SealedTrial) -> None:
    root = trial.base / "code"
    found = environment_facts("python3", root, python_project(root), DigestCache(None))
    assert found["numpy"] == "2.4.5" and found["Python"].startswith("3.11.7 (")
    assert "snakemake" not in found and "flagstone" not in found


@pytest.mark.parametrize("command", ["bash", "tool"])
def test_a_command_that_is_no_python_leads_to_the_projects(trial: SealedTrial, command: str) -> None:
    root = trial.base / "code"
    around = python_project(root)
    (root / ".venv" / "bin" / "python").symlink_to("python3")
    tool = root / ".venv" / "bin" / "tool"
    tool.write_text(f"#!{root}/.venv/bin/python3\nimport project\n")
    tool.chmod(0o755)
    assert environment_facts(command, root, around, DigestCache(None))["numpy"] == "2.4.5"


def test_threads_and_what_is_not_by_version_are_told(trial: SealedTrial) -> None:
    root = trial.base / "code"
    around = {**python_project(root), "OMP_NUM_THREADS": "4", "TORCH_HOME": "/models", "EDITOR": "vi"}
    packages = root / ".venv" / "lib" / "python3.11" / "site-packages"
    (packages / "own_tool-1.0.dist-info").mkdir()
    url = {"url": "https://example.org/x", "vcs_info": {"vcs": "git", "commit_id": "abcdef0123456789"}}
    (packages / "own_tool-1.0.dist-info" / "direct_url.json").write_text(json.dumps(url))
    found = environment_facts("python3", root, around, DigestCache(None))
    assert found["OMP_NUM_THREADS"] == "4" and found["own-tool"] == "1.0 (abcdef012345)"
    assert "TORCH_HOME" not in found and "EDITOR" not in found


def test_folders_that_pth_files_name_are_searched_and_their_code_is_not_run(trial: SealedTrial, tmp_path: Path) -> None:
    root = trial.base / "code"
    around = python_project(root)
    (tmp_path / "more" / "torch-2.9.dist-info").mkdir(parents=True)
    pth = root / ".venv" / "lib" / "python3.11" / "site-packages" / "more.pth"
    pth.write_text(f"import os; os.mkdir({str(tmp_path / 'ran')!r})\n{tmp_path / 'more'}\n")
    assert environment_facts("python3", root, around, DigestCache(None))["torch"] == "2.9"
    assert not (tmp_path / "ran").exists()


def test_gpus_and_their_driver_are_read_from_the_kernel(tmp_path: Path) -> None:
    (tmp_path / "gpus" / "0000:01:00.0").mkdir(parents=True)
    (tmp_path / "gpus" / "0000:01:00.0" / "information").write_text("Model: \t\t NVIDIA H200\nIRQ: 1\n")
    (tmp_path / "version").write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.95.05  Tue Sep 23\n")
    assert gpu_facts(tmp_path) == {"GPU driver": "580.95.05", "GPU 0": "NVIDIA H200"}
    assert gpu_facts(tmp_path / "none") == {}
