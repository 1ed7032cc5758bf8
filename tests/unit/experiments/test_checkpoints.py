"""What runs save: whose it is, which of it is kept for how long, and that an evaluator finds it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from laboratory import TRAIN, Edits, Laboratory, set_x, whole

from flagstone.experiments.ledger import ledger
from flagstone.experiments.ledger.entry import Entry
from flagstone.experiments.reporting.status import position_of, status_text
from flagstone.records import decode

EPOCHS = "import time\ntime.sleep(0.01)\n".join(
    [TRAIN, *(f"open('step-{step}.pt', 'w').write('{step} ' + str(X))\n" for step in (1, 2, 3))]
)


def test_a_checkpoint_of_another_time_is_not_taken_for_this_runs(laboratory: Laboratory) -> None:
    saving = "open('state.pt', 'w').write('w')\n"
    backdated = saving + "import os, time\nos.utime('state.pt', (1, 1))\n"
    future = saving + "import os, time\nos.utime('state.pt', (time.time() + 9e6,) * 2)\n"
    stolen = "import os\nos.symlink(os.path.abspath(__file__), 'state.pt')\n"
    laboratory.files = {**laboratory.files, "train.py": TRAIN + saving}
    laboratory.make(checkpoint={"glob": "state.pt", "required": True})
    numbers = "print('val_loss: 0.1')\n"
    edits = {2: whole(backdated + numbers), 3: whole(future + numbers), 4: whole(stolen + numbers)}
    laboratory.run(Edits({**edits, 5: whole(saving + numbers)}), limit=5)
    assert [each.verdict for each in laboratory.entries()] == ["advance", "revert", "revert", "revert", "advance"]


def test_only_the_best_and_the_last_checkpoints_are_kept_and_every_source(laboratory: Laboratory) -> None:
    laboratory.files = {**laboratory.files, "train.py": TRAIN + "open('state.pt', 'w').write('w')\n"}
    laboratory.make(checkpoint={"glob": "state.pt", "keep_checkpoints": 2})
    edits = {2: set_x(2.9), **{number: set_x(9.0 + number) for number in range(3, 9)}}
    laboratory.run(Edits(edits), limit=8)
    kept = [name for name in laboratory.home.run_names() if laboratory.home.run(name).checkpoint.is_dir()]
    assert kept == ["r0002", "r0007", "r0008"]
    assert all((laboratory.home.run(name).root / "train.py").is_file() for name in laboratory.home.run_names())


def test_a_checkpoint_folder_stays_a_folder(laboratory: Laboratory) -> None:
    saving = "import os\nos.makedirs('ckpt-1/deep')\nopen('ckpt-1/deep/w.bin', 'w').write('w')\n"
    laboratory.files = {**laboratory.files, "train.py": TRAIN + saving}
    laboratory.make(checkpoint={"glob": "ckpt-*"})
    laboratory.run(Edits({}), limit=1)
    assert (laboratory.home.best_checkpoint / "ckpt-1" / "deep" / "w.bin").read_text() == "w"


def saved_by(laboratory: Laboratory) -> dict[str, list[str]]:
    """What is left of each run's checkpoints, wherever in its folder."""
    found = {name: sorted(laboratory.home.run(name).root.rglob("step-*.pt")) for name in laboratory.home.run_names()}
    return {name: [path.name for path in paths] for name, paths in found.items() if paths}


def test_earlier_checkpoints_of_a_run_go_with_it(laboratory: Laboratory) -> None:
    laboratory.files = {**laboratory.files, "train.py": EPOCHS}
    laboratory.make(checkpoint={"glob": "step-*.pt", "keep_checkpoints": 1})
    laboratory.run(Edits({2: set_x(2.9), 3: set_x(8.0), 4: set_x(9.0)}), limit=4)
    steps = ["step-1.pt", "step-2.pt", "step-3.pt"]
    assert saved_by(laboratory) == {"r0002": steps, "r0004": steps}
    assert (laboratory.home.best_checkpoint / "step-3.pt").read_text() == "3 2.9"


def test_checkpoints_of_repeats_and_of_crashed_runs_are_thinned_out_too(laboratory: Laboratory) -> None:
    crashing = "open('step-1.pt', 'w').write('1')\nraise SystemExit(3)\n"
    laboratory.files = {**laboratory.files, "train.py": EPOCHS}
    laboratory.make(checkpoint={"glob": "step-*.pt", "keep_checkpoints": 1}, noise={"baseline_repeats": 3})
    laboratory.run(Edits({number: whole(crashing + f"# {number}\n") for number in range(2, 7)}), limit=6)
    assert [each.status for each in laboratory.entries()] == ["ok", *["crash"] * 5]
    assert sorted(saved_by(laboratory)) == ["r0001", "r0006"]


NOISY = EPOCHS.replace("print(f", "import random\nloss += random.Random(os.environ['SEED']).gauss(0, 0.1)\nprint(f")


def repeats_saved_by(laboratory: Laboratory) -> list[str]:
    """What is left of the checkpoints of repeats."""
    runs = (laboratory.home.run(name) for name in laboratory.home.run_names())
    parts = [part for run in runs for part in sorted((run.checkpoint / "others").glob("*"))]
    return [f"{part.parents[2].name}/{part.name}" for part in parts if part.name != "first"]


@pytest.mark.parametrize(("count", "kept"), [(0, 0), (2, 2), (3, 3)])
def test_repeats_count_among_the_checkpoints_that_are_kept(laboratory: Laboratory, count: int, kept: int) -> None:
    laboratory.files = {**laboratory.files, "train.py": NOISY}
    laboratory.make(checkpoint={"glob": "step-*.pt", "keep_checkpoints": count}, noise={"baseline_repeats": 6})
    laboratory.run(Edits({}), limit=1)
    assert len(laboratory.entries()[0].measurements) == 6
    assert repeats_saved_by(laboratory) == [f"r0001/repeat-{number}" for number in range(6 - kept, 6)]
    assert (laboratory.home.best_checkpoint / "step-3.pt").is_file()


def test_the_checkpoint_of_a_run_goes_before_those_of_repeats(laboratory: Laboratory) -> None:
    laboratory.files = {**laboratory.files, "train.py": NOISY}
    laboratory.make(checkpoint={"glob": "step-*.pt", "keep_checkpoints": 2}, noise={"baseline_repeats": 3})
    laboratory.run(Edits({2: set_x(3.0)}), limit=2)
    assert laboratory.entries()[1].verdict == "advance" and len(laboratory.entries()[1].measurements) > 3
    assert sorted(saved_by(laboratory)) == ["r0001", "r0002"]
    assert len(repeats_saved_by(laboratory)) == 1, "r0001 is one of the two that are kept beside the best"


@pytest.mark.parametrize(
    ("saving", "why"),
    [
        ("", "the run saved nothing that matches state.pt"),
        ("open('state.pt', 'w').close()\n", "state.pt is empty"),
        ("import os\nos.symlink(os.path.abspath(__file__), 'state.pt')\n", "state.pt is a link"),
        (
            "import os\nopen('state.pt', 'w').write('w')\nos.utime('state.pt', (1, 1))\n",
            "state.pt was not written while the run ran",
        ),
    ],
)
def test_a_checkpoint_that_was_not_taken_says_why(laboratory: Laboratory, saving: str, why: str) -> None:
    laboratory.files = {**laboratory.files, "train.py": TRAIN + saving}
    laboratory.make(checkpoint={"glob": "state.pt"})
    laboratory.run(Edits({}), limit=1)
    assert laboratory.entries()[0].checkpoint_fault == why
    assert f"no checkpoint: {why}" in laboratory.said[-1]
    spec = laboratory.open().spec
    assert f"no checkpoint: {why}" in status_text(position_of(laboratory.home, spec))


def test_as_many_are_kept_as_were_asked_for(laboratory: Laboratory) -> None:
    laboratory.files = {**laboratory.files, "train.py": EPOCHS}
    laboratory.make(checkpoint={"glob": "step-*.pt", "keep_checkpoints": 3})
    laboratory.run(Edits({number: set_x(9.0 + number) for number in range(2, 5)}), limit=4)
    steps = ["step-1.pt", "step-2.pt", "step-3.pt"]
    assert saved_by(laboratory) == dict.fromkeys(("r0001", "r0002", "r0003", "r0004"), steps)


def test_an_evaluator_finds_what_is_also_the_checkpoint(laboratory: Laboratory) -> None:
    scoring = "import os\nstep, x = open(os.environ['AR_ARTIFACT']).read().split()\n"
    scoring += "print(f'val_loss: {float(x) + 3 - int(step)}')\n"
    laboratory.files = {**laboratory.files, "train.py": EPOCHS, "score.py": scoring}
    laboratory.make(
        checkpoint={"glob": "step-*.pt", "required": True},
        evaluate={"argv": [sys.executable, "score.py"], "artifact": "step-*.pt"},
    )
    laboratory.run(Edits({2: set_x(0.5)}), limit=2)
    assert [(each.verdict, each.value) for each in laboratory.entries()] == [("advance", 1.0), ("advance", 0.5)]
    assert (laboratory.home.best_checkpoint / "step-3.pt").read_text() == "3 0.5"


def test_a_former_best_of_long_ago_gives_its_checkpoint_up(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "RECENT", 3)
    laboratory.files = {**laboratory.files, "train.py": EPOCHS}
    laboratory.make(checkpoint={"glob": "step-*.pt", "keep_checkpoints": 1})
    edits = {**{number: set_x(9.0 + number) for number in range(2, 7)}, 7: set_x(2.9)}
    laboratory.run(Edits(edits), limit=7)
    assert sorted(saved_by(laboratory)) == ["r0006", "r0007"]


def test_an_edit_put_onto_the_best_has_its_own_checkpoint(laboratory: Laboratory) -> None:
    body = "A = {}\n\n\n\nB = {}\n\n\n\nprint('val_loss:', A + B)\nopen('step-1.pt', 'w').write(str(A + B))\n"
    laboratory.files = {"train.py": body.format(1.0, 1.0)}
    laboratory.make(checkpoint={"glob": "step-*.pt", "required": True}, lag=2, rebase=True)
    laboratory.run(Edits({2: whole(body.format(0.5, 1.0)), 3: whole(body.format(1.0, 0.5))}), limit=3)
    last = laboratory.entries()[-1]
    assert (last.verdict, last.proposal.get("rebased_from")) == ("advance", "r0001")
    assert (laboratory.home.best_checkpoint / "step-1.pt").read_text() == "1.0"


def test_a_glob_that_names_folders_and_what_is_in_them_keeps_the_newest_file(laboratory: Laboratory) -> None:
    saving = "import os\nos.makedirs('deep/a')\nopen('deep/a/w.pt', 'w').write(str(X))\n"
    laboratory.files = {**laboratory.files, "train.py": TRAIN + saving}
    laboratory.make(checkpoint={"glob": "deep/**", "required": True})
    laboratory.run(Edits({}), limit=1)
    assert (laboratory.home.best_checkpoint / "w.pt").read_text() == "1.0"


@pytest.mark.parametrize("glob", ["data/ckpt_*.pt", "data/*.py", "*.pt"])
def test_a_glob_hides_only_what_it_names(laboratory: Laboratory, glob: str) -> None:
    reading = "from data import net\nprint(open('data/x.txt').read(), os.path.exists('data/ckpt_1.pt'))\n"
    laboratory.files = {
        **laboratory.files,
        "train.py": TRAIN + reading,
        "data/x.txt": "x",
        "data/net.py": "Y = 1\n",
        "data/ckpt_1.pt": "old",
    }
    laboratory.make(subject={"mutable": ["train.py", "data/*.py"], "entry": "train.py"}, checkpoint={"glob": glob})

    def extended(draft: Path) -> str:
        (draft / "data" / "extra.py").write_text("Z = 1\n")
        source = (draft / "train.py").read_text()
        (draft / "train.py").write_text(source.replace("X = 1.0", "X = 2.0\nfrom data import extra"))
        return "a new file"

    laboratory.run(Edits({2: extended}), limit=2)
    assert [each.verdict for each in laboratory.entries()] == ["advance", "advance"]


def test_a_ledger_from_before_a_field_was_added_is_read(laboratory: Laboratory) -> None:
    laboratory.make()
    laboratory.run(Edits({}), limit=1)
    record = json.loads(laboratory.home.ledger.read_text())
    del record["beside"]
    for each in record["measurements"]:
        del each["evaluator_s"]
    assert decode(json.dumps(record).encode(), Entry).value == laboratory.entries()[0].value
