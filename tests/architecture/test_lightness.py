"""What every `snakemake`, and every job of a cluster, loads before it does anything."""

from __future__ import annotations

import os
import subprocess
import sys

from sources import ROOT

HEAVY = ("pandas", "numpy", "scipy", "matplotlib", "tensorboard", "jinja2", "rich", "click", "subprocess", "snakemake")


def loaded_after(statement: str) -> set[str]:
    """Which of the heavy modules are loaded after a statement, in a Python of its own."""
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    ended = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return set(HEAVY) & set(ended.stdout.split())


def test_what_the_snakefile_imports_stays_light() -> None:
    assert loaded_after("import flagstone.errors, flagstone.gates.frontier, flagstone.gates.session") == set()


def test_what_status_imports_stays_light() -> None:
    assert loaded_after("import flagstone.cli.main, flagstone.cli.looking.status") <= {"click", "rich"}


def test_statistics_loads_numpy_only_when_it_simulates() -> None:
    rooms = "import flagstone.statistics; from flagstone.statistics import effect_d, ladder_power, sign_flip, welch"
    assert (
        loaded_after(
            f"{rooms}, off_tolerance, paired_test; sign_flip([1.0, 2.0]); effect_d([1.0, 2.0], [2.0, 4.0], 'max')"
        )
        == set()
    )
