"""A number is that of the edit it was measured of; whatever a verdict took is booked; a bad seed decides nothing."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from laboratory import TRAIN, Edits, Laboratory, killed_at, set_x

from flagstone.errors import FlagstoneError, Interrupted, WorkFailed
from flagstone.experiments.candidates.edits.seeds import seed_for
from flagstone.experiments.engine.engine import engine_of
from flagstone.experiments.engine.opening import start_over
from flagstone.experiments.ledger.derived import tail_of
from flagstone.experiments.measuring import leases
from flagstone.experiments.proposers.protocol import Proposed, View
from flagstone.experiments.reporting.status import position_of, status_text

NOISY = """import os, random
X = 1.0
seed = int(os.environ["SEED"])
noise = random.Random(seed + int(X * 1000)).gauss(0, 0.1)
print(f"val_loss: {(X - 3) ** 2 + noise}")
"""
RULE = {"baseline_repeats": 2, "max_repeats": 30}


def edited(laboratory: Laboratory, value: float) -> None:
    path = laboratory.home.working / "train.py"
    lines = [f"X = {value}" if line.startswith("X =") else line for line in path.read_text().splitlines()]
    path.write_text("\n".join(lines) + "\n")


def test_what_an_agent_ahead_had_measured_is_not_credited_to_the_edit_of_a_person(laboratory: Laboratory) -> None:
    nap = TRAIN.replace("import prepare", "import prepare, time\ntime.sleep(0.6 if X == 2.1 else 0.05)")
    laboratory.files = {**laboratory.files, "train.py": nap}
    laboratory.make(lag=3, stopping={"max_runs": 2})
    laboratory.run(Edits({2: set_x(2.1), 3: set_x(2.9), 4: set_x(2.95)}))
    assert laboratory.home.run("r0003").measurement_file("first").exists()
    laboratory.home.spec.write_text(laboratory.home.spec.read_text().replace("max_runs: 2", "max_runs: 9"))
    edited(laboratory, 50.0)
    entry = laboratory.step("mine")
    assert (entry.run_id, entry.verdict, entry.value) == ("r0003", "revert", 47.0**2 + 0.5)
    kept = [path.name for path in laboratory.home.run("r0003").root.iterdir()]
    assert "proposal.json-2" in kept and "measured-first.json-2" in kept


def test_what_was_measured_before_a_kill_is_not_credited_to_another_edit(laboratory: Laboratory) -> None:
    laboratory.make()
    laboratory.run(Edits({}), limit=1)
    edited(laboratory, 2.0)

    def killed() -> None:
        from flagstone.experiments.engine import engine

        engine.Engine.conclude = lambda *_: os.kill(os.getpid(), 9)  # type: ignore[method-assign,assignment]
        laboratory.step("two")

    assert killed_at(10**9, killed)
    edited(laboratory, 100.0)
    assert laboratory.step("a hundred").value == 97.0**2 + 0.5


def test_one_seed_on_which_the_best_fails_is_passed_over_and_remembered(laboratory: Laboratory) -> None:
    bad = seed_for(0, 3)
    source = NOISY.replace("print(", f"if X == 1.0 and seed == {bad}: noise = float('nan')\nprint(")
    laboratory.files = {"train.py": source}
    laboratory.make(noise=RULE)
    laboratory.run(Edits({2: set_x(1.001), 3: set_x(1.4), 4: set_x(2.0)}), limit=4)
    second, third, fourth = laboratory.entries()[1:]
    assert second.verdict == "revert" and third.verdict == "advance" and fourth.verdict == "advance"
    judged = [entry for entry in (second, third) if entry.judgement]
    assert [row for entry in judged for row in entry.reference if row[0] == bad] == [(bad, None)]


def test_a_constraint_that_a_repeat_breaks_is_broken(laboratory: Laboratory) -> None:
    source = NOISY + f"print('mem:', 1 if X == 1.0 or seed == {seed_for(0, 0)} else 99)\n"
    laboratory.files = {"train.py": source}
    laboratory.make(noise=RULE, constraints=["mem <= 10"])
    laboratory.run(Edits({2: set_x(2.0)}), limit=2)
    last = laboratory.entries()[-1]
    assert (last.verdict, last.valid) == (
        "revert",
        False,
    ) and last.reason == "repeat-1: mem <= 10 does not hold: it is 99"


def test_a_test_that_a_crash_ended_has_spent_its_share_of_alpha(laboratory: Laboratory) -> None:
    source = NOISY + f"if X > 1.0 and seed == {seed_for(0, 2)}: raise SystemExit(3)\n"
    laboratory.files = {"train.py": source}
    laboratory.make(noise=RULE)
    laboratory.run(Edits({2: set_x(2.0), 3: set_x(2.1)}), limit=3)
    assert [(each.verdict, each.judgement["test"]) for each in laboratory.entries()[1:]] == [("crash", 1), ("crash", 2)]


def test_everything_that_a_verdict_takes_is_booked(laboratory: Laboratory) -> None:
    count = laboratory.folder / "count"
    laboratory.folder.mkdir(exist_ok=True)
    counting = f"open({str(count)!r}, 'a').write('x')\n"
    laboratory.files = {
        "train.py": NOISY + counting + "open('m.txt', 'w').write(str((X - 3) ** 2 + noise))\n",
        "score.py": "import os, time\ntime.sleep(0.2)\nprint('val_loss:', open(os.environ['AR_ARTIFACT']).read())\n",
        "guard.py": "import time\ntime.sleep(0.3)\n",
    }
    laboratory.make(
        noise=RULE,
        evaluate={"argv": [sys.executable, "score.py"], "artifact": "m.txt"},
        guard={"argv": [sys.executable, "guard.py"]},
    )
    laboratory.run(Edits({2: set_x(2.0)}), limit=2)
    last = laboratory.entries()[-1]
    assert last.verdict == "advance"
    parts = [each.part for each in last.beside]
    assert parts[-1] == "guard" and all(part.startswith("best-r0001-") for part in parts[:-1]) and len(parts) > 5
    runs = [each for entry in laboratory.entries() for each in (*entry.measurements, *entry.beside)]
    assert len([each for each in runs if each.part != "guard"]) == len(count.read_text())
    assert last.wall_s >= 0.3 + 0.2 * (len(runs) - 4)


def test_evaluator_and_guard_have_the_gpus_of_the_run(laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "gpu_ids", lambda: ("GPU-a", "GPU-b"))
    monkeypatch.setenv("FLAGSTONE_LOCKS", str(laboratory.folder / "locks"))
    told = laboratory.folder / "told"
    telling = f"import os\nopen({str(told)!r}, 'a').write(os.environ.get('CUDA_VISIBLE_DEVICES', 'none') + ' ')\n"
    telling += "print('val_loss: 1')\nopen('m.txt', 'w').write('1')\n"
    laboratory.files = dict.fromkeys(("train.py", "score.py", "guard.py"), telling)
    laboratory.make(
        harness={"argv": [sys.executable, "train.py"], "seconds": 30, "gpus": 1},
        evaluate={"argv": [sys.executable, "score.py"], "artifact": "m.txt"},
        guard={"argv": [sys.executable, "guard.py"]},
    )
    laboratory.run(Edits({}), limit=1)
    assert told.read_text().split() == ["GPU-a"] * 3


def test_a_guard_may_be_silent_and_leaves_no_copy_in_each_run(laboratory: Laboratory) -> None:
    laboratory.files = {**laboratory.files, "guard.py": "import time\ntime.sleep(2)\n"}
    laboratory.make(
        harness={"argv": [sys.executable, "train.py"], "seconds": 30, "silence_s": 1},
        guard={"argv": [sys.executable, "guard.py"]},
    )
    laboratory.run(Edits({}), limit=1)
    assert laboratory.words() == [("r0001", "ok", "advance")]
    assert not (laboratory.home.run("r0001").root / "guard").exists()


def test_why_a_guard_did_not_let_pass_is_said(laboratory: Laboratory) -> None:
    laboratory.files = {**laboratory.files, "guard.py": "import os\nos.kill(os.getpid(), 9)\n"}
    laboratory.make(guard={"argv": [sys.executable, "guard.py"]})
    with pytest.raises(WorkFailed, match="the guard was ended by signal 9"):
        laboratory.run(Edits({}), limit=1)


def test_a_guard_that_was_stopped_for_its_time_lets_nothing_pass_though_it_ends_well(laboratory: Laboratory) -> None:
    ends_well = "import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\ntime.sleep(60)\n"
    laboratory.files = {**laboratory.files, "guard.py": ends_well}
    laboratory.make(guard={"argv": [sys.executable, "guard.py"], "seconds": 1})
    with pytest.raises(WorkFailed, match="the guard took longer than 1 s"):
        laboratory.run(Edits({}), limit=1)


def test_a_guard_that_fails_shows_the_end_of_its_log(laboratory: Laboratory) -> None:
    says = "print('looked at 3 files')\nfrom train import X\nassert X == 1.0, 'X has to stay'\n"
    laboratory.files = {**laboratory.files, "guard.py": says}
    laboratory.make(guard={"argv": [sys.executable, "guard.py"]})
    laboratory.run(Edits({2: set_x(2.0)}), limit=2)
    entry, home = laboratory.entries()[-1], laboratory.home
    assert entry.reason == "the guard ended with exit code 1: AssertionError: X has to stay"
    assert entry.reason in laboratory.said[-1]
    assert "looked at 3 files" in tail_of(home, entry) and "X has to stay" in tail_of(home, entry)
    assert "the guard ended with exit code 1: AssertionError" in status_text(position_of(home, laboratory.open().spec))


def test_a_guard_that_raises_nothing_shows_its_last_line(laboratory: Laboratory) -> None:
    laboratory.make(guard={"argv": ["bash", "-c", "echo one of 7 tests failed; exit 1"]})
    with pytest.raises(WorkFailed, match="the guard ended with exit code 1: one of 7 tests failed"):
        laboratory.run(Edits({}), limit=1)


def test_repeats_that_were_done_before_ctrl_c_are_not_done_again(laboratory: Laboratory) -> None:
    count = laboratory.folder / "count"
    laboratory.folder.mkdir(exist_ok=True)
    strike = f"import os, signal\nn = open({str(count)!r}, 'a+')\nn.write('x')\nn.flush()\n"
    strike += f"n.seek(0)\nif len(n.read()) == 3: os.kill({os.getpid()}, signal.SIGINT)\nimport time\ntime.sleep(0.2)\n"
    laboratory.files = {"train.py": strike + NOISY}
    laboratory.make(noise={"baseline_repeats": 5}, sandbox="off")
    with pytest.raises(Interrupted):
        laboratory.run(Edits({}), limit=1)
    assert laboratory.words() == []
    laboratory.run(Edits({}), limit=1)
    assert laboratory.words() == [("r0001", "ok", "advance")]
    assert len(count.read_text()) == 6  # five, and the one that was interrupted


@pytest.mark.parametrize("writes", [True, False])
def test_a_metric_of_an_earlier_run_in_the_project_is_never_read(laboratory: Laboratory, writes: bool) -> None:
    save = "import json\njson.dump({'val_loss': X}, open('metrics.json', 'w'))\n" if writes else ""
    laboratory.files = {"train.py": f"X = 1.0\n{save}", "metrics.json": '{"val_loss": 0.001}'}
    laboratory.make(metric={"name": "val_loss", "direction": "min"}, subject={"mutable": ["train.py", "*.json"]})
    if not writes:
        with pytest.raises(WorkFailed, match="the metric val_loss is missing"):
            laboratory.run(Edits({}), limit=1)
        return
    laboratory.run(Edits({2: set_x(0.5), 3: set_x(2.0)}), limit=3)
    assert [each.value for each in laboratory.entries()] == [1.0, 0.5, 2.0]
    assert [(each.first.backend, each.first.source) for each in laboratory.entries() if each.first] == [
        ("json", "metrics.json")
    ] * 3


def test_two_equal_baselines_suffice(laboratory: Laboratory) -> None:
    laboratory.make(noise={"baseline_repeats": 7})
    laboratory.run(Edits({}), limit=1)
    (baseline,) = laboratory.entries()
    assert [each.value for each in baseline.measurements] == [4.5, 4.5]
    assert baseline.reason == "baseline: 2 runs gave the same value"


def test_a_coarse_metric_that_is_the_same_twice_is_measured_on(laboratory: Laboratory) -> None:
    coarse = "import os, random, time\nloss = random.Random(os.environ['SEED']).random()\n"
    laboratory.files = {"train.py": coarse + "print(f'loss: {loss} val_loss: 0.5')\n"}
    laboratory.make(noise={"baseline_repeats": 4})
    laboratory.run(Edits({}), limit=1)
    assert len(laboratory.entries()[0].measurements) == 4


def test_times_that_a_run_prints_do_not_make_it_noisy(laboratory: Laboratory) -> None:
    laboratory.files = {"train.py": "import time\nprint(f'epoch 1 step_time: {time.time()} val_loss: 0.5')\n"}
    laboratory.make(noise={"baseline_repeats": 4})
    laboratory.run(Edits({}), limit=1)
    assert len(laboratory.entries()[0].measurements) == 2


def test_a_baseline_that_varies_is_measured_as_often_as_the_spec_asks(laboratory: Laboratory) -> None:
    laboratory.files = {"train.py": NOISY}
    laboratory.make(noise={"baseline_repeats": 4})
    laboratory.run(Edits({}), limit=1)
    assert len(laboratory.entries()[0].measurements) == 4


def test_a_spec_that_is_changed_while_the_loop_goes_on_is_noticed(laboratory: Laboratory) -> None:
    laboratory.make()

    def turned(draft: Path) -> str:
        set_x(2.0)(draft)
        laboratory.home.spec.write_text(laboratory.home.spec.read_text().replace("direction: min", "direction: max"))
        return "turned"

    with pytest.raises(
        WorkFailed, match=r"experiment.yaml: what decides .* \(contract [0-9a-f]{16}, now [0-9a-f]{16}\)"
    ):
        laboratory.run(Edits({2: turned}), limit=2)
    assert laboratory.words()[-1] == ("r0002", "invalid", "revert")


def test_limits_may_be_raised_while_the_loop_goes_on(laboratory: Laboratory) -> None:
    laboratory.make(stopping={"max_runs": 7})

    def raised(draft: Path) -> str:
        set_x(2.0)(draft)
        laboratory.home.spec.write_text(laboratory.home.spec.read_text().replace("max_runs: 7", "max_runs: 9"))
        return "raised"

    laboratory.run(Edits({2: raised, 3: set_x(2.5)}), limit=3)
    assert [each.verdict for each in laboratory.entries()] == ["advance"] * 3


@pytest.mark.parametrize("change", ["edited", "doubled", "binary", "swapped"])
def test_nothing_goes_on_from_a_ledger_that_somebody_rewrote(laboratory: Laboratory, change: str) -> None:
    laboratory.make()
    laboratory.run(Edits({2: set_x(2.0), 3: set_x(2.1)}), limit=3)
    lines = laboratory.home.ledger.read_bytes().splitlines(keepends=True)
    made = {
        "edited": [lines[0].replace(b'"value":4.5', b'"value":4.25'), *lines[1:]],
        "doubled": [lines[0], lines[1], *lines[1:]],
        "binary": [b"\xff\x00\n", *lines[1:]],
        "swapped": [lines[1], lines[0], lines[2]],
    }[change]
    assert made != lines
    laboratory.home.ledger.write_bytes(b"".join(made))
    with pytest.raises(FlagstoneError, match="was changed before its line of r000"):
        laboratory.run(Edits({4: set_x(2.9)}), limit=1)


def test_a_ledger_that_is_gone_is_not_begun_again_over_its_runs(laboratory: Laboratory) -> None:
    laboratory.make()
    laboratory.run(Edits({2: set_x(2.0)}), limit=2)
    laboratory.home.ledger.unlink()
    with pytest.raises(FlagstoneError, match="is missing") as caught:
        laboratory.run(Edits({}), limit=1)
    assert "--fresh" in str(caught.value.hint)


def test_beginning_anew_is_whole_or_finished_at_the_next_start(laboratory: Laboratory) -> None:
    laboratory.make()
    laboratory.run(Edits({2: set_x(2.0)}), limit=2)
    for moment in range(1, 40):
        there = laboratory.copy(f"moment-{moment}")
        was_killed = killed_at(moment, lambda here=there: start_over(here.home))  # type: ignore[misc]
        (there.project / "prepare.py").write_text("OFFSET = 0.0\n")
        if there.home.anew.exists() or not there.home.ledger.exists():
            there.run(Edits({2: set_x(2.5)}), limit=2)
            assert [each.value for each in there.entries()] == [4.0, 0.25]
            assert (there.home.root / "history" / "001" / "ledger.jsonl").is_file()
        else:
            with pytest.raises(FlagstoneError, match="has changed since"):
                there.run(Edits({}), limit=1)
        if not was_killed:
            return
    pytest.fail("it never came to its end")


def test_what_we_measure_ourselves_can_be_the_metric_and_is_not_asked_of_the_run(laboratory: Laboratory) -> None:
    laboratory.files = {"train.py": "import time\nX = 1.0\ntime.sleep(0.3 / X)\nprint('wall_s=0.0001')\n"}
    laboratory.make(metric={"name": "wall_s", "direction": "min", "backend": "auto"})
    laboratory.run(Edits({2: set_x(6.0)}), limit=2)
    first, second = laboratory.entries()
    assert first.value is not None and first.value > 0.3 and second.verdict == "advance"
    assert second.first is not None and second.value == second.first.metrics["wall_s"] == second.first.wall_s


def test_calls_that_tell_no_cost_use_up_a_limit_in_dollars(laboratory: Laboratory) -> None:
    class Silent(Edits):
        def propose(self, view: View, draft: Path, record_dir: Path) -> Proposed:
            return replace(super().propose(view, draft, record_dir), facts={"cost_usd": None})

    laboratory.make(stopping={"cost_usd": 1.0}, agent={"cost_usd": 0.4})
    ended = laboratory.run(Silent({number: set_x(9.0 + number) for number in range(2, 99)}))
    assert ended == "cost_usd" and len(laboratory.entries()) == 1 + 3
    assert all(each.cost_usd is None for each in laboratory.entries()[1:])


@pytest.mark.parametrize("sandbox", ["auto", "off"])
def test_what_runs_are_asked_to_leave_may_stand_in_the_project_already(laboratory: Laboratory, sandbox: str) -> None:
    writing = "import json\nX = 1.0\njson.dump({'val_loss': (X - 3) ** 2}, open('results/out.json', 'w'))\n"
    writing += "open('ck.pt', 'w').write(str(X))\nprint(open('results/data.txt').read())\n"
    theirs = {"results/out.json": "{}", "ck.pt": "USER", "results/data.txt": "data"}
    laboratory.files = {"train.py": writing, **theirs}
    laboratory.make(
        metric={"name": "val_loss", "direction": "min", "backend": "json", "path": "results/out.json"},
        checkpoint={"glob": "ck.pt", "required": True},
        sandbox=sandbox,
    )
    laboratory.run(Edits({2: set_x(2.0)}), limit=2)
    assert [each.value for each in laboratory.entries()] == [4.0, 1.0]
    assert {path: (laboratory.project / path).read_text() for path in theirs} == theirs
    assert (laboratory.home.best_checkpoint / "ck.pt").read_text() == "2.0"


def test_a_file_that_runs_write_can_be_named(laboratory: Laboratory) -> None:
    laboratory.files = {**laboratory.files, "train.py": TRAIN + "open('log.txt', 'a').write('x')\n", "log.txt": "mine"}
    laboratory.make(subject={"mutable": ["train.py"], "scratch": ["log.txt"]})
    laboratory.run(Edits({2: set_x(2.0)}), limit=2)
    assert [each.status for each in laboratory.entries()] == ["ok", "ok"]
    assert (laboratory.project / "log.txt").read_text() == "mine"


@pytest.mark.parametrize("sandbox", ["auto", "off"])
def test_sockets_fit_into_the_temporary_folder_of_a_run_however_deep_it_lies(tmp_path: Path, sandbox: str) -> None:
    there = Laboratory(tmp_path / "attention-study-of-rotary-position-embeddings" / "at-one-million-tokens" / sandbox)
    serving = "import multiprocessing, os, tempfile\nif __name__ == '__main__':\n"
    serving += "    with multiprocessing.Manager() as held:\n        print('val_loss:', held.list([1])[0])\n"
    serving += "    open(os.path.join(tempfile.gettempdir(), 'mine'), 'w').write('x')\n"
    there.files = {"train.py": serving}
    there.make(sandbox=sandbox)
    there.run(Edits({}), limit=1)
    assert there.words() == [("r0001", "ok", "advance")]
    assert (there.home.private_folder("0") / "mine").is_file()


def test_unedited_files_that_do_not_run_are_mended_in_the_project(laboratory: Laboratory) -> None:
    laboratory.files = {**laboratory.files, "train.py": "raise SystemExit(3)\n"}
    laboratory.make(stopping={"max_runs": 2})
    for _ in range(4):
        with pytest.raises(WorkFailed, match="the unedited files do not run"):
            laboratory.run(Edits({}))
    (laboratory.project / "train.py").write_text(TRAIN)
    laboratory.run(Edits({2: set_x(2.0)}))
    assert laboratory.words() == [("r0001", "ok", "advance"), ("r0002", "ok", "advance")]
    assert (laboratory.home.root / "history" / "001" / "ledger.jsonl").is_file()


def test_a_job_that_is_ended_in_a_run_does_that_run_again(laboratory: Laboratory) -> None:
    tried = laboratory.folder / "tried"
    laboratory.folder.mkdir(exist_ok=True)
    striking = f"import os, signal, time\nif X == 2.0 and not os.path.exists({str(tried)!r}):\n"
    striking += f"    open({str(tried)!r}, 'w')\n    os.kill({os.getpid()}, signal.SIGTERM)\n    time.sleep(5)\n"
    laboratory.files = {**laboratory.files, "train.py": TRAIN.replace("import prepare", f"{striking}import prepare")}
    laboratory.make()
    edits = Edits({2: set_x(2.0), 3: set_x(2.5)})
    with (
        pytest.raises(Interrupted),
        engine_of(laboratory.open(), edits, laboratory.said.append, tells_interruptions=False) as engine,
    ):
        engine.run(3)
    laboratory.run(edits, limit=2)
    assert laboratory.words() == [(name, "ok", "advance") for name in ("r0001", "r0002", "r0003")]
    assert edits.asked == [2, 3]


def test_what_is_changed_before_the_first_run_is_what_is_begun_with(laboratory: Laboratory) -> None:
    laboratory.make()
    laboratory.open()
    (laboratory.project / "prepare.py").write_text("OFFSET = 0.25\n")
    (laboratory.project / "train.py").write_text(TRAIN.replace("X = 1.0", "X = 2.0"))
    laboratory.home.spec.write_text(laboratory.home.spec.read_text() + "constraints: ['wall_s < 1000']\n")
    laboratory.run(Edits({}), limit=1)
    assert [each.value for each in laboratory.entries()] == [1.25]
    assert "X = 2.0" in (laboratory.home.working / "train.py").read_text()
