"""Until the verdict no file outside `sealed` tells a confirmation seed, and nobody is given one too early."""

from __future__ import annotations

from pathlib import Path

import pytest
from whole_trial import ROOT, make_trial, measure_due_runs, run_trial

from flagstone.errors import FlagstoneError
from flagstone.plans import TrialPlan
from flagstone.processes.confinement import machine
from flagstone.records import read_record
from flagstone.trials import Outcome, lines_in, read_story
from flagstone.trials.running import measure_run, take_step
from flagstone.trials.sealing import sealed_seeds

# tells its seed wherever it can: in its output, its files, its number of another name, and as the reason of a failure
TELLTALE = """import os, random, sys
seed = int(os.environ["SEED"])
random.seed(seed)
print(f"seed: {seed}")
open("seed.txt", "w").write(str(seed))
print(f"val_loss: {1.0 + 0.05 * random.random() - 0.2 * ('--fast' in sys.argv)}")
if seed > 2000 and seed % 2:
    raise SystemExit(f"failed on seed {seed}")
"""


@pytest.fixture(scope="module")
def confirming(tmp_path_factory: pytest.TempPathFactory) -> TrialPlan:
    """A trial whose first confirmation runs are over, and whose look at them is due."""
    plan = run_trial(make_trial(tmp_path_factory.mktemp("trials") / "project", train=TELLTALE), steps=4)
    assert (read_record(plan.folder.look(3)) or {})["next"]["what"] == "confirm"
    measure_due_runs(plan, 4)
    return plan


def files_with(plan: TrialPlan, word: str) -> list[str]:
    found = (path for path in plan.base.rglob("*") if path.is_file() and not path.is_symlink())
    return [str(path.relative_to(plan.folder.root)) for path in found if word.encode() in path.read_bytes()]


def test_no_file_outside_the_sealed_folder_tells_a_seed_or_the_salt(confirming: TrialPlan) -> None:
    known = sealed_seeds(confirming.folder)
    assert known is not None
    for word in (known.salt, *map(str, known.seeds.values())):
        places = files_with(confirming, word)
        assert "sealed/seeds.json" in places
        assert [place for place in places if not place.startswith("sealed/")] == []


def test_a_seed_that_is_not_due_is_refused_and_the_ledger_says_so(tmp_path: Path) -> None:
    plan = run_trial(make_trial(tmp_path / "project"), steps=2)
    with pytest.raises(FlagstoneError, match="slot b1 has a seed for the confirmation only"):
        measure_run(plan, ("treated", "b1"), ROOT / "schemas", lambda _: None)
    (denied,) = read_story(plan.folder.ledger).denials
    assert denied.asked == "b1"
    assert not plan.folder.record("treated", "b1").exists() and not plan.folder.sealed_run("treated", "b1").exists()


def test_the_folder_for_seeds_is_there_before_anything_runs(tmp_path: Path) -> None:
    plan = run_trial(make_trial(tmp_path / "project"), steps=1)
    assert plan.folder.sealed.stat().st_mode & 0o777 == 0o700
    assert not any(line.kind == "run" for line in lines_in(plan.folder.ledger))


THIEF = """import os, random, sys
top = {sealed!r}
seen = [os.path.join(place, name) for place, _, names in os.walk(top) for name in names]
own = os.path.realpath(os.getcwd())
print("foreign files:", sum(not path.startswith(own) for path in seen), "seeds:", os.path.exists(top + "/seeds.json"))
random.seed(int(os.environ["SEED"]))
print(f"val_loss: {{1.0 + 0.05 * random.random() - 0.2 * ('--fast' in sys.argv)}}")
"""


@pytest.mark.skipif(bool(machine.bubblewrap_fault()), reason="needs bubblewrap")
def test_no_run_of_a_trial_sees_the_seeds_or_another_confirmation_run(tmp_path: Path) -> None:
    sealed = tmp_path / "project" / ".flagstone" / "trials" / "fast" / "sealed"
    plan = run_trial(make_trial(tmp_path / "project", train=THIEF.format(sealed=str(sealed))), steps=4)
    measure_due_runs(plan, 4)
    logs = {path.parent.name: path.read_text() for path in plan.folder.root.glob("**/run.log")}
    assert {"treated-a1", "treated-a3", "control-b1", "treated-b4"} <= set(logs)
    assert {log.splitlines()[0] for log in logs.values()} == {"foreign files: 0 seeds: False"}


def test_an_edited_pre_registration_can_support_nothing_even_if_it_is_put_back(tmp_path: Path) -> None:
    plan = run_trial(make_trial(tmp_path / "project"), steps=3)
    measure_due_runs(plan, 3)
    sealed = plan.folder.prereg.read_text()
    plan.folder.prereg.write_text(sealed.replace('"minimum_effect":0.05', '"minimum_effect":0.01'))
    take_step(plan, 3, ROOT / "schemas", lambda _: None)
    plan.folder.prereg.write_text(sealed)
    run_trial(plan)
    verdict = read_story(plan.folder.ledger).verdict
    assert verdict is not None and verdict.outcome == Outcome.INCONCLUSIVE
    assert verdict.exploratory == "prereg.json was edited after it was sealed"
