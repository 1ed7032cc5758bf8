"""Whatever is changed in a trial after the fact, `verify` names it."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from whole_trial import ROOT, TRAIN, copy_trial, make_trial, run_trial

from flagstone.experiments.candidates import Store
from flagstone.experiments.ledger import head_of
from flagstone.plans import TrialPlan
from flagstone.records import Ledger, read_record, write_record
from flagstone.trials import Outcome, lines_in, read_story, trial_fault, trial_problems
from flagstone.trials.running import measure_run, take_step

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
    for path in (plan.folder.done, *plan.folder.look(0).parent.iterdir()):
        edit(path, ledger=head_of(plan.folder.ledger))


def keys_asked(plan: TrialPlan) -> list[tuple[str, str]]:
    return [(run["arm"], run["slot"]) for run in list(plan.looks())[-1]["next"]["runs"]]


def problems(plan: TrialPlan) -> str:
    return "; ".join(trial_problems(plan, SCHEMAS))


def edit(path: Path, **changes: Any) -> None:
    write_record(path, {**(read_record(path) or {}), **changes})


def test_a_trial_that_nobody_touched_has_nothing_to_name(plan: TrialPlan) -> None:
    story = read_story(plan.folder.ledger)
    assert story.verdict and story.verdict.outcome == Outcome.SUPPORTED, story.verdict
    assert trial_problems(plan, SCHEMAS) == []


def test_a_trial_that_stopped_between_two_looks_has_nothing_to_name(tmp_path: Path) -> None:
    plan = run_trial(make_trial(tmp_path / "project"), steps=2)
    (arm, slot) = next(key for key in keys_asked(plan) if not key[1].startswith("b"))
    measure_run(plan, (arm, slot), SCHEMAS, print)
    assert trial_problems(plan, SCHEMAS) == []
    (plan.folder.root / "report.md").write_text("All is well.\n")
    assert problems(plan) == "report.md is not what the ledger says"


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


def in_json(name: str, *keys: str, value: object) -> Callable[[TrialPlan], None]:
    """Edits one value of a JSON file of the trial."""

    def change(plan: TrialPlan) -> None:
        path = plan.folder.root / name
        record = json.loads(path.read_text())
        inner = record
        for key in keys[:-1]:
            inner = inner[key]
        assert inner[keys[-1]] != value
        inner[keys[-1]] = value
        path.write_text(json.dumps(record))

    return change


def in_ledger(kind: str, value: object, *keys: str, arm: str = "", slot: str = "") -> Callable[[TrialPlan], None]:
    """Edits one value in a line of the ledger, and chains the lines after it anew."""

    def change_row(row: dict[str, Any]) -> None:
        if row["kind"] == kind and arm in ("", row.get("arm")) and slot in ("", row.get("slot")):
            inner = row
            for key in keys[:-1]:
                inner = inner[key]
            inner[keys[-1]] = value

    return lambda plan: rewrite_ledger(plan, change_row)


def in_facts(plan: TrialPlan) -> None:
    for path in (plan.folder.root / "facts").glob("*.json"):
        edit(path, Python="3.99")


def in_store(plan: TrialPlan) -> None:
    """Puts another content under the name of an object: git objects are files that anybody can write."""
    store, start = Store(plan.folder.store), read_record(plan.folder.root / "start.json") or {}
    path = store.path_of(next(row.sha for row in store.rows(start["tree"]) if row.path == "train.py"))
    store.unpacked_objects.journal.path.unlink()
    path.chmod(0o600)
    path.write_bytes(zlib.compress(b"blob 2\0x\n"))


RUN = "runs/treated-a2/measured-first.json"
EDITS: dict[str, tuple[Callable[[TrialPlan], None], str]] = {
    "tree of a record": (
        in_json("records/treated-b1.json", "tree", value="0" * 40),
        "record of treated-b1 .*: tree is",
    ),
    "switch of a record": (in_json("records/treated-b1.json", "argv", value=["python"]), "treated-b1 .*: argv is"),
    "variables of a record": (in_json("records/control-a3.json", "env", value={"X": "1"}), "control-a3 .*: env.X is 1"),
    "seed of a record": (in_json("records/control-a3.json", "seed", value=7), "control-a3 .*: seed is 7"),
    "contract of a record": (in_json("records/control-a3.json", "contract", value="1"), "control-a3 .*: contract is 1"),
    "data of a record": (in_json("records/control-a3.json", "data", value="1"), "control-a3 .*: data is 1"),
    "environment of a record": (
        in_json("records/control-a3.json", "environment", value="1"),
        "control-a3 .*environment",
    ),
    "host of a record": (in_json("records/control-a3.json", "host", value="other"), "control-a3 .*: host is"),
    "time of a record": (in_json("records/control-a3.json", "at", value="2020"), "control-a3 .*: at is"),
    "exit code of a record": (in_json("records/treated-b1.json", "exit_code", value=1), "treated-b1 .*: exit_code is"),
    "host of a line": (in_ledger("run", "other", "host", arm="control", slot="b1"), "control-b1 .*: host is other"),
    "environment of a line": (
        in_ledger("run", "1" * 64, "environment", arm="control", slot="b1"),
        "control-b1 ran in another environment than control-a1",
    ),
    "exit code of a measurement": (in_json(RUN, "exit_code", value=3), "measured of treated-a2: exit_code is 0"),
    "time of a measurement": (in_json(RUN, "wall_s", value=99.0), "measured of treated-a2: wall_s is"),
    "folder of a run": (in_json("runs/treated-a2/basis.json", "basis", value="1"), "folder of treated-a2 belongs to"),
    "files of a run": (
        lambda plan: (plan.folder.run("treated", "b2") / "tree/train.py").write_text("print(1)"),
        "folder of treated-b2 no longer holds the files that were run: train.py",
    ),
    "facts": (in_facts, r"facts/\w+\.json was changed"),
    "baseline of the pre-registration": (
        in_json("prereg.json", "baseline", "mean", value=9.0),
        r"prereg.json does not fit the baseline .*: baseline.mean is 9.0",
    ),
    "tree of the pre-registration": (
        in_json("prereg.json", "baseline", "tree", value="0" * 40),
        r"prereg.json does not fit the baseline .*: baseline.tree is 0",
    ),
    "environment of the pre-registration": (
        in_json("prereg.json", "shared", "environment", value="0" * 64),
        r"prereg.json does not fit the baseline .*: shared.environment is 0",
    ),
    "tree of the start": (
        in_json("start.json", "tree", value="0" * 40),
        "prereg.json does not fit .*: baseline.tree is",
    ),
    "contract of the start": (in_json("start.json", "contract", value="0" * 64), "the contract in start.json is not"),
    "files of the start": (in_json("start.json", "files", value={"x": "1"}), "the contract in start.json is not"),
    "switch of an arm": (in_ledger("idea", ["--other"], "switch"), "arm treated in the ledger .*: switch.0 is --other"),
    "size of an arm": (in_ledger("idea", 7, "lines"), "arm treated in the ledger .*: lines is 7"),
    "commit of an arm": (in_ledger("idea", "0" * 40, "commit"), "arm treated in the ledger .*: commit is 0"),
    "ledger of a look": (
        in_json("looks/003.json", "ledger", value=[10, "0" * 64, False]),
        "ledger.jsonl is not the one that look 003 saw",
    ),
    "ledger at the end": (
        in_json("done.json", "ledger", value=[10, "0" * 64, False]),
        "ledger.jsonl is not the one that done.json saw",
    ),
    "stored file": (in_store, r"object \w+ is missing from .*trees\.git, or damaged"),
}


@pytest.mark.parametrize("name", EDITS)
def test_one_value_that_is_edited_by_hand_is_named(plan: TrialPlan, name: str) -> None:
    change, said = EDITS[name]
    change(plan)
    assert re.search(said, problems(plan)), problems(plan)


def test_a_step_before_there_was_a_ledger_names_nothing(plan: TrialPlan) -> None:
    edit(plan.folder.look(0), ledger=head_of(plan.folder.root / "nothing"))  # as in a campaign, which has no arms yet
    assert trial_problems(plan, SCHEMAS) == []


def test_two_lines_of_one_run_are_named(plan: TrialPlan) -> None:
    row = next(row for row in Ledger(plan.folder.ledger).entries() if row.get("slot") == "b1")
    Ledger(plan.folder.ledger).append({key: row[key] for key in row if key not in ("before", "version")})
    assert f"the ledger has two lines of one run, {row['arm']}-b1" in problems(plan)


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
    for path in (plan.folder.record("treated", "b2"), plan.folder.run("treated", "b2") / "basis.json"):
        edit(path, basis="0" * 64)
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
