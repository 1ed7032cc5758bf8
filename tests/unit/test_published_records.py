"""The records that Flagstone publishes have the form their schemas promise, whichever version wrote them."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from flagstone import schemas
from flagstone.errors import FlagstoneError
from flagstone.gates.moment import read_moment
from flagstone.gates.runs.run_config import open_run
from flagstone.layout import Project, Run
from flagstone.status import run_status
from flagstone.status.manifest import check_form, manifest

CHECKOUT = Path(__file__).parents[2]
RUNS = sorted((CHECKOUT / "tests" / "data" / "made-by").glob("*/runs/*.tar.gz"))


@pytest.fixture(params=RUNS, ids=lambda path: f"{path.parts[-3]}-{path.name.removesuffix('.tar.gz')}")
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Run:
    with tarfile.open(request.param) as archive:
        archive.extractall(tmp_path, filter="tar")
    (root,) = tmp_path.iterdir()
    return Run(root)


def records(run: Run) -> Iterator[tuple[str, Path]]:
    """Every published record of a run, with the name of its schema."""
    yield from (("index", path) for path in run.root.glob("index/*.json"))
    yield from (("offer", path) for path in run.root.glob("stages/*.json"))
    yield from (("checks", path) for path in run.root.glob("drafts/*/*/checks.json"))
    yield from (("violations", path) for path in run.root.glob("drafts/*/*/violations.json"))
    yield from (("result", path) for path in run.root.glob("experiments/*/runs/*/result.json"))
    yield from (("best", path) for path in run.root.glob("experiments/*/bests/*/best.json"))
    yield from (("manifest", path) for path in [run.manifest] if path.is_file())


def test_records_on_disk_have_the_form_that_their_schemas_promise(run: Run) -> None:
    found = {
        str(path): schemas.problems(CHECKOUT / "schemas", name, json.loads(path.read_text()))
        for name, path in records(run)
    }
    assert {path: problems for path, problems in found.items() if problems} == {}


def test_a_manifest_that_is_written_now_has_its_form(run: Run) -> None:
    opened = open_run(Project(CHECKOUT, run.root.parent), run, {})
    found = manifest(opened, read_moment(opened), run_status(opened, run.root))
    assert schemas.problems(CHECKOUT / "schemas", "manifest", found) == []


def test_a_manifest_of_another_form_is_refused_and_a_known_form_is_not_checked_again(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = open_run(Project(CHECKOUT, run.root.parent), run, {})
    found = manifest(opened, read_moment(opened), run_status(opened, run.root))
    check_form(opened, found)
    for wrong in ({**found, "state": "lost"}, {**found, "cost_usd": "much"}, {**found, "more": 1}):
        with pytest.raises(FlagstoneError, match=r"manifest\.json"):
            check_form(opened, wrong)
    monkeypatch.setattr(schemas, "check", lambda *words: pytest.fail("the form was known"))
    check_form(opened, {**found, "goal": "another", "written_at": "later"})
