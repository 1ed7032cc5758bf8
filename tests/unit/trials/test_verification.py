"""Whatever is changed in a trial after the fact, `verify` names it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from whole_trial import ROOT, TRAIN, copy_trial, make_trial, run_trial

from flagstone.plans import TrialPlan
from flagstone.records import Ledger, read_record, write_record
from flagstone.trials import Outcome, lines_in, read_story, trial_fault, trial_problems
from flagstone.trials.running import take_step

SCHEMAS = ROOT / "schemas"


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> TrialPlan:
    """A trial that ended as SUPPORTED. Tests change copies of it."""
    return run_trial(make_trial(tmp_path_factory.mktemp("trials") / "project"))


@pytest.fixture
def plan(ended: TrialPlan, tmp_path: Path) -> TrialPlan:
    return copy_trial(ended, tmp_path / "copy")


def rewrite_ledger(plan: TrialPlan, change: Callable[[dict[str, Any]], object]) -> None:
    """Changes lines as somebody does who knows how they are chained: each line follows from the one before."""
    rows = Ledger(plan.folder.ledger).entries()
    plan.folder.ledger.unlink()
    for row in rows:
        if change(row) is not False:
            Ledger(plan.folder.ledger).append({key: row[key] for key in row if key not in ("before", "version")})


def problems(plan: TrialPlan) -> str:
    return "; ".join(trial_problems(plan, SCHEMAS))


def edit(path: Path, **changes: Any) -> None:
    write_record(path, {**(read_record(path) or {}), **changes})


def test_a_trial_that_nobody_touched_has_nothing_to_name(plan: TrialPlan) -> None:
    story = read_story(plan.folder.ledger)
    assert story.verdict and story.verdict.outcome == Outcome.SUPPORTED, story.verdict
    assert trial_problems(plan, SCHEMAS) == []


def test_an_edited_line_breaks_the_chain(plan: TrialPlan) -> None:
    text = plan.folder.ledger.read_text()
    plan.folder.ledger.write_text(text.replace('"slot":"a2"', '"slot":"a3"', 1))
    assert "of ledger.jsonl does not follow from the line before it" in problems(plan)


def test_a_chain_is_held_before_anything_is_sealed(tmp_path: Path) -> None:
    plan = run_trial(make_trial(tmp_path / "project"), steps=1)
    plan.folder.ledger.write_text(plan.folder.ledger.read_text().replace('"before":"0', '"before":"1', 1))
    assert "line 1 of ledger.jsonl does not follow from the line before it" in problems(plan)


def test_an_unreadable_last_line_is_named(plan: TrialPlan) -> None:
    rows = plan.folder.ledger.read_text().splitlines()
    plan.folder.ledger.write_text("\n".join([*rows[:-1], "{garbage"]) + "\n")
    assert "the last line of ledger.jsonl cannot be read" in problems(plan)


@pytest.mark.parametrize("slot", ["a1", "b2"])
def test_another_value_in_a_run_line_is_not_that_of_its_record(plan: TrialPlan, slot: str) -> None:
    def change(row: dict[str, Any]) -> None:
        if row["kind"] == "run" and (row["arm"], row["slot"]) == ("treated", slot):
            row["value"] = 0.1

    rewrite_ledger(plan, change)
    assert f"the record of treated-{slot} is not what the ledger says: value is 0.1" in problems(plan)


def test_a_record_that_was_changed_along_with_its_line_is_not_what_was_measured(plan: TrialPlan) -> None:
    def change(row: dict[str, Any]) -> None:
        if row["kind"] == "run" and (row["arm"], row["slot"]) == ("treated", "b2"):
            row["value"] = 0.1

    rewrite_ledger(plan, change)
    edit(plan.folder.record("treated", "b2"), value=0.1)
    assert "the ledger does not say what was measured of treated-b2: value is 0.1" in problems(plan)


def test_a_failure_that_became_a_number_is_named(plan: TrialPlan) -> None:
    edit(plan.folder.run("treated", "a2") / "measured-first.json", status="crash")
    assert "treated-a2: status is ok, and has to be crash" in problems(plan)


def test_a_number_that_became_a_failure_is_named(plan: TrialPlan) -> None:
    def change(row: dict[str, Any]) -> None:
        if row["kind"] == "run" and (row["arm"], row["slot"]) == ("control", "b2"):
            row.update(status="crash", value=None)

    rewrite_ledger(plan, change)
    edit(plan.folder.record("control", "b2"), status="crash", value=None)
    assert "control-b2: status is crash, and has to be ok" in problems(plan)


def test_a_measurement_is_held_against_its_log(plan: TrialPlan) -> None:
    log = plan.folder.run("control", "b1") / "run.log"
    log.write_text("val_loss: 0.5\n")
    assert "the log of control-b1 does not say" in problems(plan)


def test_a_missing_record_or_measurement_is_named(plan: TrialPlan) -> None:
    plan.folder.record("control", "a4").unlink()
    (plan.folder.run("control", "a5") / "measured-first.json").unlink()
    found = problems(plan)
    assert "the record of control-a4 is missing" in found and "the measurement of control-a5 is missing" in found


def test_a_run_on_another_seed_is_named(plan: TrialPlan) -> None:
    edit(plan.folder.run("treated", "b3") / "measured-first.json", seed=1)
    assert "treated-b3 was measured on another seed than that of its slot" in problems(plan)


def test_a_run_with_another_basis_is_named(plan: TrialPlan) -> None:
    def change(row: dict[str, Any]) -> None:
        if row["kind"] == "run" and (row["arm"], row["slot"]) == ("treated", "b2"):
            row["basis"] = "0" * 64

    rewrite_ledger(plan, change)
    edit(plan.folder.record("treated", "b2"), basis="0" * 64)
    assert problems(plan) == (
        "treated-b2 ran with another tree, command, seed, data or environment than this trial asks for"
    )


@pytest.mark.parametrize(
    ("what", "change", "said"),
    [
        ("screen", lambda row: row["screen"].update(d=9.0), "look 3 (screen of treated) does not follow"),
        ("checks", lambda row: row["checks"][1].update(is_passed=False), "look 2 (checks of treated) does not follow"),
        ("baseline", lambda row: row["facts"].update(sd=0.001), "look 1 (baseline of control) does not follow"),
        ("confirm", lambda row: row["looks"][0].update(p=0.2), "look 4 (confirm) does not follow"),
        ("confirm", lambda row: row["looks"][0].update(alpha=0.05), "look 4 (confirm) does not follow"),
    ],
)
def test_a_look_that_does_not_follow_from_its_runs_is_named(
    plan: TrialPlan, what: str, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    rewrite_ledger(plan, lambda row: change(row) if row.get("what") == what else None)
    assert said in problems(plan)


def test_a_look_that_was_left_out_is_missed(plan: TrialPlan) -> None:
    rewrite_ledger(plan, lambda row: row.get("what") != "screen")
    assert "look 4 (confirm) was not due: look 3 (screen) was" in problems(plan)


@pytest.mark.parametrize("arm", ["control", "treated"])
def test_a_run_that_was_left_out_is_missed(plan: TrialPlan, arm: str) -> None:
    rewrite_ledger(plan, lambda row: not (row["kind"] == "run" and (row["arm"], row["slot"]) == (arm, "b1")))
    assert f"the ledger has no run {arm}-b1" in problems(plan)


def test_a_verdict_before_its_time_is_named(plan: TrialPlan) -> None:
    rewrite_ledger(plan, lambda row: row.get("what") != "confirm")
    assert "the verdict came before look 4 (confirm)" in problems(plan)


def test_another_word_or_number_in_the_verdict_is_named(plan: TrialPlan) -> None:
    def change(row: dict[str, Any]) -> None:
        if row["kind"] == "verdict":
            row["ideas"][0]["confirmation"]["g"] = 9.0

    rewrite_ledger(plan, change)
    assert "the verdict does not follow from the looks: ideas.0.confirmation.g is 9.0" in problems(plan)


def test_an_exploratory_verdict_that_became_confirmed_is_named(tmp_path: Path) -> None:
    plan = run_trial(make_trial(tmp_path / "project", sandbox="off"))
    assert trial_problems(plan, SCHEMAS) == []

    def change(row: dict[str, Any]) -> None:
        if row["kind"] == "verdict":
            row["exploratory"] = ""

    rewrite_ledger(plan, change)
    assert "the verdict does not follow from the looks: exploratory is " in problems(plan)


def test_seeds_that_were_not_sealed_are_named(plan: TrialPlan) -> None:
    def change(row: dict[str, Any]) -> None:
        if row["kind"] == "verdict":
            row["seeds"]["b8"] += 1

    rewrite_ledger(plan, change)
    assert "the seeds and salt of the verdict are not those of prereg.json" in problems(plan)


@pytest.mark.parametrize("name", ["prereg.json", "trial.yaml"])
def test_an_edit_of_what_was_sealed_is_named(plan: TrialPlan, name: str) -> None:
    path = plan.folder.root / name
    path.write_text(path.read_text().replace("0.05", "0.04"))
    assert f"{name} was edited after" in problems(plan)


def test_a_pre_registration_that_is_not_the_plans_is_named(plan: TrialPlan) -> None:
    from flagstone.records import digest_file

    sealed = json.loads(plan.folder.prereg.read_text())
    sealed["minimum_effect"] = 0.01
    plan.folder.prereg.write_text(json.dumps(sealed))
    digest = digest_file(plan.folder.prereg)
    rewrite_ledger(plan, lambda row: row.update(digest=digest) if row["kind"] == "prereg" else None)
    assert "prereg.json is not what the plan says" in problems(plan)


def test_a_number_that_the_journal_does_not_have_is_named(plan: TrialPlan) -> None:
    (plan.folder.root.parent / "preregistrations.jsonl").unlink()
    assert "prereg.json has number 1, and preregistrations.jsonl another" in problems(plan)


def test_alpha_in_the_ledger_is_that_of_the_pre_registration(plan: TrialPlan) -> None:
    rewrite_ledger(plan, lambda row: row.update(alpha=0.1) if row["kind"] == "prereg" else None)
    assert "prereg.json and its line in the ledger differ" in problems(plan)


@pytest.mark.parametrize(
    ("name", "counts"), [("report.md", False), ("forest.svg", False), ("verdict.json", True), ("forest.csv", True)]
)
def test_a_gate_asks_for_the_numbers_and_not_for_how_a_version_words_and_draws_them(
    ended: TrialPlan, tmp_path: Path, name: str, counts: bool
) -> None:
    plan = copy_trial(ended, tmp_path / "project")
    (plan.folder.root / name).write_text("something else")
    assert bool(trial_fault(plan, SCHEMAS)) == counts


@pytest.mark.parametrize("name", ["verdict.json", "report.md", "forest.svg", "ideas/treated/pairs.csv"])
def test_a_derived_file_is_held_byte_for_byte(plan: TrialPlan, name: str) -> None:
    path = plan.folder.root / name
    path.write_bytes(path.read_bytes() + b"\n")
    assert problems(plan) == f"{name} is not what the ledger says"


def test_another_outcome_where_gates_look_is_named(plan: TrialPlan) -> None:
    edit(plan.folder.done, outcome="HARMFUL")
    assert problems(plan) == "done.json has another outcome than the verdict"


def test_a_trial_under_way_can_be_verified(tmp_path: Path) -> None:
    plan = run_trial(make_trial(tmp_path / "project"), steps=3)
    assert [line.kind for line in lines_in(plan.folder.ledger)][-1] == "look"
    assert trial_problems(plan, SCHEMAS) == []


def test_a_line_that_a_power_cut_left_is_no_tampering(tmp_path: Path) -> None:
    plan = run_trial(make_trial(tmp_path / "project"), steps=2)
    with open(plan.folder.ledger, "a") as ledger:
        ledger.write('{"before":"12')
    assert trial_problems(plan, SCHEMAS) == []
    take_step(plan, 2, SCHEMAS, lambda _: None) if plan.folder.look(2).exists() else run_trial(plan)
    assert trial_problems(plan, SCHEMAS) == []


NOISY = """import os, random, sys
loss = 1.0 + 0.05 * random.random() - 0.3 * ("--fast" in sys.argv)
print(f"val_loss: {loss}")
"""
FAILING = """import os, random, sys
seed = int(os.environ["SEED"])
random.seed(seed)
if seed > 2000 and seed % 3 == 0:
    raise SystemExit("failed")
print(f"val_loss: {'nan' if seed % 7 == 1 and '--fast' in sys.argv else 1.0 - 0.02 * random.random()}")
"""
WITHOUT_EFFECT = """import os, random
random.seed(int(os.environ["SEED"]))
print(f"val_loss: {random.random()}")
"""
WORSE = """import os, random, sys
random.seed(int(os.environ["SEED"]))
print(f"val_loss: {random.random() + len(sys.argv)}")
"""
TWO_ARMS = {"arms": {"fast": {"switch": ["--fast"]}, "slow": {"switch": ["--slow"]}}, "screen": "off"}


@pytest.mark.parametrize(
    ("train", "changes", "outcome"),
    [
        (NOISY, {}, Outcome.SUPPORTED),
        (TRAIN, {"gate": "cohens_d"}, Outcome.PROCEED),
        (WORSE, {"gate": "cohens_d"}, Outcome.REVERT),
        (WITHOUT_EFFECT, {"minimum_effect": 1}, Outcome.FAILED_CHECK),
        (WORSE, {"minimum_effect": 1}, Outcome.DROPPED),
        (TRAIN, TWO_ARMS | {"looks": [{"pairs": 3, "alpha": 0.02}, {"pairs": 4, "alpha": 0.03}]}, None),
        (FAILING, {"screen": "off", "minimum_effect": "0.5 sd", "underpowered": "accept"}, None),
    ],
    ids=["noisy", "cohens_d", "cohens_d-worse", "no-effect", "worse", "two-arms", "failing"],
)
def test_honest_trials_of_every_kind_have_nothing_to_name(
    tmp_path: Path, train: str, changes: dict[str, Any], outcome: Outcome | None
) -> None:
    plan = make_trial(tmp_path / "project", train=train, **changes)
    run_trial(plan)
    story = read_story(plan.folder.ledger)
    assert story.verdict is not None and outcome in (None, story.verdict.outcome), story.verdict
    assert trial_problems(plan, SCHEMAS) == []
