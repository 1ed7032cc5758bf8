"""A pre-registration is sealed once, before any treated run; an edit afterwards makes the rest exploratory."""

from __future__ import annotations

import json
import os
import signal
import time
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest
from sealed_trial import SealedTrial

from flagstone.agents.sandbox import Strength
from flagstone.errors import FlagstoneError
from flagstone.locks import hold
from flagstone.plans import Look
from flagstone.records import Ledger, digest_file, ledger
from flagstone.trials.lines import DenialLine, Line, LookLine, PreregLine, RunLine
from flagstone.trials.sealing import FAULT, hiding_fault, next_number, prereg, prereg_fault, seed_for
from flagstone.trials.sealing.seeds import draw_seeds, sealed_seeds, seeds_path

FORK = get_context("fork")
AT = "2026-01-01T00:00:00.000Z"


@pytest.fixture(autouse=True)
def hides(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests hold wherever they run: with a machine that can hide the seeds."""
    monkeypatch.setattr(prereg, "hiding_fault", lambda sandbox: "the sandbox is off" if sandbox == "off" else "")


def lines_of(trial: SealedTrial) -> list[Line]:
    return Ledger(trial.folder.ledger).entries(PreregLine)


def test_seeds_are_distinct_of_31_bits_and_none_of_the_screening() -> None:
    drawn = [draw_seeds((42, 137), 8) for _ in range(50)]
    assert all(
        len(set(each.seeds.values())) == 8 and list(each.seeds) == [f"b{n}" for n in range(1, 9)] for each in drawn
    )
    assert all(0 <= seed < 2**31 and seed not in (42, 137) for each in drawn for seed in each.seeds.values())
    assert len({each.digest for each in drawn}) == 50


def test_a_screening_seed_that_is_drawn_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    offered = iter([42, 7, 7, 8])
    monkeypatch.setattr("flagstone.trials.sealing.seeds.secrets.randbits", lambda bits: next(offered))
    assert draw_seeds((42,), 2).seeds == {"b1": 7, "b2": 8}


def test_what_is_sealed_names_everything_but_the_seeds(trial: SealedTrial) -> None:
    sealed = trial.seal()
    text = trial.folder.prereg.read_text() + trial.folder.ledger.read_text()
    known = sealed_seeds(trial.folder)
    assert known is not None and known.digest == sealed.seeds
    assert not any(str(seed) in text for seed in known.seeds.values()) and known.salt not in text
    assert str(next(iter(known.seeds.values()))) not in repr(known)
    assert (sealed.number, sealed.alpha, sealed.looks) == (1, 0.05, (Look(4, 0.015), Look(8, 0.035)))
    assert (sealed.minimum_effect, sealed.minimum_effect_from) == (0.02, "set in the plan")
    assert trial.folder.sealed.stat().st_mode & 0o777 == 0o700
    assert seeds_path(trial.folder).stat().st_mode & 0o777 == 0o600


def test_a_minimum_effect_in_sd_is_sealed_in_units(trial: SealedTrial) -> None:
    trial.write(minimum_effect="0.5 sd")
    with pytest.raises(FlagstoneError, match="the baseline has none"):
        trial.seal(sd=0.0)
    sealed = trial.seal(sd=0.01)
    assert sealed.minimum_effect == pytest.approx(0.005)
    assert sealed.minimum_effect_from == "0.5 sd of the baseline, whose sd is 0.01 (n = 5)"


def test_it_is_sealed_once(trial: SealedTrial) -> None:
    first, seeds = trial.seal(), sealed_seeds(trial.folder)
    assert trial.seal() == first and sealed_seeds(trial.folder) == seeds
    assert len(lines_of(trial)) == 1


def test_a_second_one_for_the_same_metric_and_contract_has_half_the_alpha(trial: SealedTrial) -> None:
    trial.seal()
    again = SealedTrial(trial.base, "clip2").write()
    assert next_number(again.folder, again.spec, again.contract) == 2
    second = again.seal()
    assert (second.number, second.alpha, second.looks[0].alpha) == (2, 0.025, 0.0075)
    other = SealedTrial(trial.base, "other").write(metric={"name": "accuracy", "direction": "max"})
    assert other.seal().number == 1
    changed = SealedTrial(trial.base, "changed", contract="e" * 64).write()
    assert changed.seal().number == 1


def test_a_trial_made_anew_does_not_begin_with_its_whole_alpha(trial: SealedTrial) -> None:
    trial.seal()
    os.rename(trial.folder.root, trial.base / "moved-away")
    assert trial.write().seal().number == 2


def test_a_trial_whose_metric_or_contract_was_edited_has_half_the_alpha_too(trial: SealedTrial) -> None:
    trial.seal()
    os.rename(trial.folder.root, trial.base / "moved-away")
    again = SealedTrial(trial.base, contract="e" * 64).write(metric={"name": "val_loss2", "direction": "min"})
    assert next_number(again.folder, again.spec, again.contract) == 2
    assert (again.seal().number, again.seal().alpha) == (2, 0.025)


def test_seeds_of_an_earlier_start_are_never_used_again(trial: SealedTrial) -> None:
    first, known = trial.seal(), sealed_seeds(trial.folder)
    trial.folder.ledger.unlink()
    trial.folder.prereg.unlink()
    Ledger(trial.folder.ledger).append(LookLine(1, "baseline", AT))
    second = trial.seal()
    assert sealed_seeds(trial.folder) != known and second.seeds != first.seeds
    assert second.number == 2 and prereg_fault(trial.folder, lines_of(trial)) == ""


def test_seeds_that_nobody_registered_are_not_used(trial: SealedTrial) -> None:
    trial.seal()
    known = sealed_seeds(trial.folder)
    for path in (trial.folder.ledger, trial.folder.prereg, trial.folder.root.parent / "preregistrations.jsonl"):
        path.unlink()
    trial.seal()
    assert sealed_seeds(trial.folder) not in (None, known)


def test_a_pre_registration_brought_back_with_its_seeds_is_exploratory(trial: SealedTrial) -> None:
    trial.seal()
    trial.folder.ledger.unlink()
    Ledger(trial.folder.ledger).append(LookLine(1, "baseline", AT))
    trial.seal()
    fault = prereg_fault(trial.folder, lines_of(trial))
    assert "drawn for an earlier start of this trial" in fault


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("prereg.json", "prereg.json was edited after it was sealed"),
        ("trial.yaml", "trial.yaml was edited after the pre-registration was sealed"),
        ("ledger.jsonl", "line 2 of ledger.jsonl does not follow"),
        ("sealed/seeds.json", "the confirmation seeds were edited"),
    ],
)
def test_an_edit_afterwards_makes_the_rest_exploratory(trial: SealedTrial, name: str, said: str) -> None:
    trial.seal()
    Ledger(trial.folder.ledger).append(LookLine(2, "screen", AT))
    assert prereg_fault(trial.folder, lines_of(trial)) == ""
    path = trial.folder.root / name
    path.write_text(
        path.read_text().replace("0.02", "0.01").replace('"at":"2', '"at":"1').replace("seeds", "seed\\u0073")
    )
    if name == "sealed/seeds.json":
        known = json.loads(path.read_text())
        known["seeds"]["b1"] += 1
        path.write_text(json.dumps(known))
    assert Path(name).name in prereg_fault(trial.folder, lines_of(trial)) or "seeds were edited" in prereg_fault(
        trial.folder, lines_of(trial)
    )


def test_a_missing_pre_registration_is_no_pre_registration(trial: SealedTrial) -> None:
    assert prereg_fault(trial.folder, []) == "no pre-registration was sealed"
    trial.seal()
    trial.folder.prereg.unlink()
    assert "missing" in prereg_fault(trial.folder, lines_of(trial))
    with pytest.raises(FlagstoneError, match="missing"):
        trial.seal()


def test_an_edit_that_a_look_has_seen_is_not_mended_by_putting_it_back(trial: SealedTrial) -> None:
    trial.seal()
    look = LookLine(2, "screen", AT, facts={FAULT: "prereg.json was edited after it was sealed"})
    assert prereg_fault(trial.folder, [*lines_of(trial), look]) == "prereg.json was edited after it was sealed"


def test_a_treated_run_before_it_is_a_fault(trial: SealedTrial) -> None:
    trial.seal()
    early = RunLine("treated", "a1", "ok", "basis", AT, value=0.5)
    control = RunLine("control", "a1", "ok", "basis", AT, value=0.5)
    assert "treated-a1 ran before" in prereg_fault(trial.folder, [early, *lines_of(trial)])
    assert prereg_fault(trial.folder, [control, *lines_of(trial), early]) == ""


def test_where_nothing_can_be_hidden_it_is_exploratory_from_the_start(trial: SealedTrial) -> None:
    trial.write(sandbox="off")
    assert trial.seal().exploratory == "the sandbox is off"
    assert prereg_fault(trial.folder, lines_of(trial)) == "the sandbox is off"


def test_without_bubblewrap_nothing_is_hidden_whatever_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prereg, "strength", lambda: Strength(7, "bubblewrap is not installed"))
    assert hiding_fault("auto") == "confirmation seeds cannot be hidden: bubblewrap is not installed"
    monkeypatch.setattr(prereg, "strength", lambda: Strength(0, ""))
    assert hiding_fault("auto") == ""
    assert "sandbox is off" in hiding_fault("off")


def test_a_seed_is_given_to_a_confirmation_and_to_nothing_else(trial: SealedTrial) -> None:
    with pytest.raises(FlagstoneError, match="not sealed"):
        seed_for(trial.folder, trial.spec, "b1", "confirm")
    trial.seal()
    known = sealed_seeds(trial.folder)
    assert known is not None
    assert seed_for(trial.folder, trial.spec, "a2", "screen") == 137
    assert seed_for(trial.folder, trial.spec, "b1", "confirm") == known.seeds["b1"]
    for slot, step in (("b1", "screen"), ("b9", "confirm"), ("b2", "flagstone trials run")):
        with pytest.raises(FlagstoneError) as refused:
            seed_for(trial.folder, trial.spec, slot, step)
        assert str(known.seeds["b1"]) not in str(refused.value)
    denied = Ledger(trial.folder.ledger).entries(DenialLine)
    assert [line.asked for line in denied] == ["b1", "b1", "b9", "b2"]


def seal_at(barrier: Barrier, trial: SealedTrial) -> None:
    real = ledger.last_line

    def slow(*args: Any) -> tuple[bytes, bool]:
        found = real(*args)
        time.sleep(0.02)  # so that without a lock all would have read before one writes
        return found

    ledger.last_line = slow
    barrier.wait(30)
    trial.seal()


def test_trials_that_seal_at_once_get_a_number_each(tmp_path: Path) -> None:
    trials = [SealedTrial(tmp_path, f"trial{number}").write() for number in range(8)]
    barrier = FORK.Barrier(len(trials))
    children = [FORK.Process(target=seal_at, args=(barrier, trial)) for trial in trials]
    for child in children:
        child.start()
    for child in children:
        child.join(30)
    assert sorted(trial.seal().number for trial in trials) == list(range(1, 9))
    assert Ledger(tmp_path / "trials" / "preregistrations.jsonl").rewritten_lines() == []


def seal_locked(trial: SealedTrial) -> None:
    with hold(trial.folder.lock, "trial", wait=True):
        trial.seal()


def test_of_many_at_once_one_seals(trial: SealedTrial) -> None:
    children = [FORK.Process(target=seal_locked, args=(trial,)) for _ in range(6)]
    for child in children:
        child.start()
    for child in children:
        child.join(30)
    assert [child.exitcode for child in children] == [0] * 6
    assert len(lines_of(trial)) == 1 and prereg_fault(trial.folder, lines_of(trial)) == ""
    assert trial.seal().number == 1 and next_number(trial.folder, trial.spec, trial.contract) == 2


def test_even_without_a_lock_the_seeds_are_those_that_are_sealed(trial: SealedTrial) -> None:
    children = [FORK.Process(target=trial.seal) for _ in range(6)]
    for child in children:
        child.start()
    for child in children:
        child.join(30)
    known = sealed_seeds(trial.folder)
    assert known is not None and known.digest == trial.seal().seeds
    assert {line.digest for line in lines_of(trial)} == {digest_file(trial.folder.prereg)}


def seal_in_child(trial: SealedTrial, moment: str, at: int) -> None:
    """Seals, and dies at the nth call that changes the disk."""
    calls = 0
    names = {"rename": "replace", "link": "link", "unlink": "unlink", "mkdir": "mkdir", "open": "open"}
    real = getattr(os, names[moment])

    def deadly(*args: object, **keywords: object) -> object:
        nonlocal calls
        calls += 1
        if calls == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **keywords)

    setattr(os, names[moment], deadly)
    trial.seal()


@pytest.mark.parametrize(("moment", "times"), [("rename", 6), ("link", 2), ("unlink", 3), ("open", 16)])
def test_a_kill_at_any_moment_leaves_nothing_half_valid(tmp_path: Path, moment: str, times: int) -> None:
    for at in range(1, times + 1):
        (tmp_path / str(at)).mkdir()
        trial = SealedTrial(tmp_path / str(at)).write()
        child = FORK.Process(target=seal_in_child, args=(trial, moment, at))
        child.start()
        child.join(30)
        was_sealed = bool(lines_of(trial))
        before = trial.folder.prereg.read_bytes() if trial.folder.prereg.exists() else None
        sealed = trial.seal()
        known = sealed_seeds(trial.folder)
        assert known is not None and known.digest == sealed.seeds
        assert sealed.number == 1 and len(lines_of(trial)) == 1
        assert before in (None, trial.folder.prereg.read_bytes())
        assert before is not None or not was_sealed
        assert prereg_fault(trial.folder, lines_of(trial)) == ""
        assert next_number(trial.folder, trial.spec, trial.contract) == 2
