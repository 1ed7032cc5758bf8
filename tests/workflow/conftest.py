"""What every test of the workflow starts from: a project of its own, and runs prepared once a session."""

from __future__ import annotations

from pathlib import Path

import pytest
from planned_experiments import plan
from planned_trials import plan_trial
from workbench import Place, Study, copy_run, make_place


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
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Where runs are prepared that tests take copies of."""
    return make_place(tmp_path_factory.mktemp("workshop") / "project")


@pytest.fixture(scope="session")
def prepared_first(workshop: Place) -> Study:
    study = workshop.new("first")
    assert workshop.snakemake(run="first").code == 0
    return study


@pytest.fixture(scope="session")
def prepared_third(workshop: Place) -> Study:
    study = workshop.new("third")
    assert workshop.flagstone("run", "third", "--yes", "--to", "02").code == 0
    assert workshop.snakemake(run="third").code == 0
    return study


@pytest.fixture(scope="session")
def prepared_whole(workshop: Place) -> Study:
    study = workshop.new("whole")
    assert workshop.flagstone("run", "whole", "--yes").code == 0
    return study


@pytest.fixture(scope="session")
def prepared_planned(workshop: Place) -> Study:
    study = workshop.new("planned", "sandbox=off")
    plan(study)
    assert workshop.flagstone("run", "planned", "--yes", "--to", "04").code == 0
    return study


@pytest.fixture(scope="session")
def prepared_trial(workshop: Place) -> Study:
    study = workshop.new("trial")
    plan_trial(study)
    assert workshop.flagstone("run", "trial", "--yes", "--to", "04").code == 0
    return study


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
