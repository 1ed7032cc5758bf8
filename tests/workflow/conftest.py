"""What every test of the workflow starts from: a project of its own, and runs prepared once a session."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from planned_experiments import plan
from planned_trials import plan_trial
from workbench import Place, Study, copy_run, make_place, prepared_once


@pytest.fixture(scope="session")
def fonts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where Matplotlib lists the fonts of the machine: it looks for them once."""
    return tmp_path_factory.mktemp("matplotlib")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, fonts: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What commands remember between two calls, away from the person's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("MPLCONFIGDIR", str(fonts))
    return tmp_path / "cache" / "flagstone"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An empty project."""
    return make_place(tmp_path / "project")


@pytest.fixture
def fresh(place: Place) -> Study:
    """A run that nothing was done with yet."""
    return place.new()


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where runs are prepared that tests take copies of; all workers have the same."""
    own = tmp_path_factory.getbasetemp()
    return (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "workshop"


@pytest.fixture(scope="session")
def prepared_first(workshop: Path) -> Study:
    def build(place: Place) -> None:
        place.new()
        assert place.snakemake().code == 0

    return prepared_once(workshop / "first", build)


@pytest.fixture(scope="session")
def prepared_third(workshop: Path) -> Study:
    def build(place: Place) -> None:
        place.new()
        assert place.flagstone("run", "t", "--yes", "--to", "02").code == 0
        assert place.snakemake().code == 0

    return prepared_once(workshop / "third", build)


@pytest.fixture(scope="session")
def prepared_whole(workshop: Path) -> Study:
    def build(place: Place) -> None:
        place.new()
        assert place.flagstone("run", "t", "--yes").code == 0

    return prepared_once(workshop / "whole", build)


@pytest.fixture(scope="session")
def prepared_planned(workshop: Path) -> Study:
    def build(place: Place) -> None:
        plan(place.new("t", "sandbox=off"))
        assert place.flagstone("run", "t", "--yes", "--to", "04").code == 0

    return prepared_once(workshop / "planned", build)


@pytest.fixture(scope="session")
def prepared_trial(workshop: Path) -> Study:
    def build(place: Place) -> None:
        plan_trial(place.new())
        assert place.flagstone("run", "t", "--yes", "--to", "04").code == 0

    return prepared_once(workshop / "trial", build)


@pytest.fixture
def first(place: Place, prepared_first: Study) -> Study:
    """Stage 01 is built and waits; nothing was ever approved."""
    return copy_run(prepared_first, place)


@pytest.fixture
def third(place: Place, prepared_third: Study) -> Study:
    """Stages 01 and 02 are approved, stage 03 waits."""
    return copy_run(prepared_third, place)


@pytest.fixture
def whole(place: Place, prepared_whole: Study) -> Study:
    """All eight stages are approved."""
    return copy_run(prepared_whole, place)


@pytest.fixture
def planned(place: Place, prepared_planned: Study) -> Study:
    """A run whose stages 01 to 04 are approved, with one plan among what was approved."""
    return copy_run(prepared_planned, place)


@pytest.fixture
def trial(place: Place, prepared_trial: Study) -> Study:
    """A run whose stages 01 to 04 are approved, with the plan of one trial among what was approved."""
    return copy_run(prepared_trial, place)
