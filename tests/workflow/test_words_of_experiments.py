"""What a person is told of experiments that have not ended: in the last words of a call, and by `status`."""

from __future__ import annotations

import json
import os
import signal

import pytest
from planned_experiments import TRAIN, plan
from workbench import Place, Study, ended, wait_until

from flagstone.locks import holder_of


def test_an_experiment_that_fails_says_why_in_the_last_lines(place: Place) -> None:
    study = place.new("t", "sandbox=off")
    path = plan(study)
    (study.files.workspace / "code" / "tune" / "train.py").write_text("raise ValueError('no data here')\n")
    assert path.is_file()
    assert place.flagstone("run", "t", "--yes", "--to", "04").code == 0
    said = place.snakemake()
    assert said.code == 1
    assert "experiment tune: the unedited files do not run" in said.text
    assert "no data here" in said.text


def test_status_tells_of_experiments_that_have_not_ended(place: Place, planned: Study) -> None:
    assert "experiment tune: 0/4 runs, planned" in place.flagstone("status", "t").text
    assert place.snakemake("experiments/tune/blocks/0001.json").code == 0
    assert "experiment tune: 1/4 runs, best val_loss 4 in r0001, under way" in place.flagstone("status", "t").text
    (planned.files.experiments / "tune" / "stop").touch()
    assert "next: flagstone experiment resume tune --run t" in place.flagstone("status", "t").text
    (planned.files.experiments / "tune" / "stop").unlink()
    assert place.snakemake().code == 0
    assert "experiment tune" not in place.flagstone("status", "t").text


def test_status_says_why_an_experiment_failed(place: Place) -> None:
    study = place.new("t", "sandbox=off")
    plan(study)
    (study.files.workspace / "code" / "tune" / "train.py").write_text("raise ValueError('no data here')\n")
    assert place.flagstone("run", "t", "--yes", "--to", "04").code == 0
    assert place.snakemake().code == 1
    said = place.flagstone("status", "t").text
    assert "experiment tune: 1/4 runs, failed: the unedited files do not run" in said
    (row,) = json.loads(place.flagstone("status", "t", "--json").text)[0]["experiments"]
    assert (row["state"], row["runs"], row["max_runs"], row["best_value"]) == ("failed", 1, 4, None)
    assert row["reason"].startswith("the unedited files do not run")


@pytest.mark.parametrize(
    ("stopped", "words"),
    [
        ("job", "experiment tune: its job was killed or stopped in block 0001"),
        ("snakemake", "experiment tune has not ended; the same command continues after its block 0001"),
    ],
)
def test_the_last_words_say_that_a_call_was_cut_off(place: Place, stopped: str, words: str) -> None:
    study = place.new("t", "sandbox=off")
    plan(study)
    code = study.files.workspace / "code" / "tune" / "train.py"
    code.write_text(f"import time\ntime.sleep(4)\n{TRAIN}")
    assert place.flagstone("run", "t", "--yes", "--to", "04").code == 0
    process, lock = place.start_snakemake(), study.files.experiments / "tune" / "lock"
    wait_until(lambda: (study.files.experiments / "tune" / "state" / "block.json").is_file(), "the block")
    if stopped == "job":
        os.kill(int((holder_of(lock) or {})["pid"]), signal.SIGKILL)
    else:
        process.terminate()
    said = ended(process)
    assert words in said.last, said.text


def test_a_program_that_is_not_there_is_said_once(place: Place) -> None:
    study = place.new("t", "sandbox=off")
    plan(study, harness={"argv": ["no-such-program"], "seconds": 60})
    assert place.flagstone("run", "t", "--yes", "--to", "04").code == 0
    said = place.snakemake()
    assert "the unedited files do not run: cannot start no-such-program" in said.text
    assert "there is no log" not in said.text
