"""`flagstone setup --yes` in the example projects: every row of the check that can be proven is."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from test_projects import FLAGSTONE, make_copy


def setup(name: str, root: Path, *words: str) -> tuple[str, dict[str, Any]]:
    """The marks of the check after setup, and the spec that it wrote."""
    copy = make_copy(name, root)
    before = copy.content()
    env = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"} | {"PYTHONDONTWRITEBYTECODE": "1"}
    command = [FLAGSTONE, "setup", "one", "--yes", "--seconds", "60", *words]
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert copy.content() == before
    marks = "".join(line[0] for line in done.stdout.splitlines() if line[:1] in "✓✗–" and line[2:3].isdigit())
    return marks, yaml.safe_load((root / ".flagstone" / "experiments" / "one" / "experiment.yaml").read_text())


def test_a_package_in_src_that_is_installed_in_editable_mode(tmp_path: Path) -> None:
    marks, spec = setup("pytorch", tmp_path / "project")
    assert marks == "✓✓✓✓✓–✓✓"
    assert spec["harness"]["argv"][:3] == [".venv/bin/python", "-m", "waves.train"]
    assert spec["subject"]["mutable"] == ["src/waves/model.py", "src/waves/train.py"]


def test_the_settings_of_hydra_become_arguments_and_give_the_projects_own_number(tmp_path: Path) -> None:
    marks, spec = setup("hydra", tmp_path / "project", "--direction", "min")
    assert marks[0] + marks[2] + marks[7] == "✓✓✓"
    assert spec["arguments"]["style"] == "hydra"
    assert set(spec["arguments"]["allow"]) == {"optimizer.lr", "optimizer.momentum"}
    assert spec["arguments"]["fixed"]["hydra.run.dir"] == "{run_dir}/hydra"
    assert not (tmp_path / "project" / "outputs" / "new").exists()


def test_a_number_in_a_json_file(tmp_path: Path) -> None:
    marks, spec = setup("sklearn", tmp_path / "project")
    assert marks == "✓✓✓–✓–✓✓"
    assert spec["metric"] == {
        "name": "accuracy",
        "direction": "max",
        "backend": "json",
        "path": "results/metrics.json",
    }


@pytest.mark.parametrize("words", [(), ("--", "make", "bench")])
def test_a_benchmark_in_c_is_set_up_by_what_a_person_says(tmp_path: Path, words: tuple[str, ...]) -> None:
    root = tmp_path / "project"
    make_copy("c", root)
    given = ("--metric", "comparisons_per_number", "--direction", "min", "--mutable", "src/sort.c") if words else ()
    command = [FLAGSTONE, "setup", "one", "--yes", *given, "--scratch", "build", *words]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == (0 if words else 2), done.stdout + done.stderr
    assert ("✓ 8 same" in done.stdout) == bool(words)
