"""A search tries constants, values of files and words of the command line; each is a part of its candidate."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from laboratory import ROOT, Laboratory

from flagstone.errors import FlagstoneError
from flagstone.experiments.engine.engine import engine_of
from flagstone.experiments.proposers.registry import proposer_for
from flagstone.setup.parameters import with_parameters

TRAIN = """import sys, tomllib
WIDTH = 1
lr = float(sys.argv[sys.argv.index("--lr") + 1])
drop = tomllib.load(open("conf.toml", "rb"))["net"]["drop"]
print(f"val_loss: {(lr - 3) ** 2 + (WIDTH - 4) ** 2 + (drop - 0.5) ** 2}")
"""
PLAN: dict[str, Any] = {
    "subject": {"mutable": ["conf.toml"]},
    "harness": {"argv": [sys.executable, "train.py", "--lr", "1"], "seconds": 30},
}


@pytest.fixture
def searched(laboratory: Laboratory) -> Laboratory:
    laboratory.files = {"train.py": TRAIN, "conf.toml": "[net] # the net\ndrop = 0.1  # keep\n"}
    laboratory.make()
    texts = ["lr=0:6", "WIDTH=1:6", "drop=0.0:0.9"]
    plan = with_parameters(PLAN, laboratory.project, texts)
    return laboratory.make(**plan, stopping={"max_runs": 12}, seed=3)


def run(laboratory: Laboratory, limit: int | None = None) -> None:
    opened = laboratory.open()
    with engine_of(opened, proposer_for(opened.spec, ROOT / "prompts"), laboratory.said.append) as engine:
        engine.run(limit)


def test_each_value_reaches_the_run_and_the_rest_of_its_file_stays(searched: Laboratory) -> None:
    run(searched)
    first, *later = searched.entries()
    assert first.value == pytest.approx(13.16)
    for entry in later:
        found = entry.proposal["parameters"]
        is_value = (found["lr"] - 3) ** 2 + (found["WIDTH"] - 4) ** 2 + (found["net.drop"] - 0.5) ** 2
        assert entry.value == pytest.approx(is_value)
    work = searched.home.working
    best = next(each for each in later if each.run_id == later[-1].best_run).proposal["parameters"]
    assert json.loads((work / "flagstone-arguments.json").read_text()) == {"lr": best["lr"]}
    assert (work / "conf.toml").read_text() == f"[net] # the net\ndrop = {best['net.drop']}  # keep\n"
    assert not (searched.project / "flagstone-arguments.json").exists()


def test_the_words_of_a_candidate_are_part_of_its_tree(searched: Laboratory) -> None:
    run(searched, 4)
    subject, entries = searched.open().subject, searched.entries()
    for entry in entries[1:]:
        stored = json.loads(subject.files(entry.tree)["flagstone-arguments.json"])
        assert stored == {"lr": entry.proposal["parameters"]["lr"]}


def plan_for(folder: Path, *texts: str, argv: tuple[str, ...] = ("python", "train.py")) -> dict[str, Any]:
    plan = {"subject": {"mutable": ["*.yaml"]}, "harness": {"argv": list(argv)}}
    return with_parameters(plan, folder, texts)


def test_a_word_of_the_command_goes_before_a_value_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("lr: 1\nseed: 2\n")
    for argv, before in ((("python", "t", "lr=0.5"), "lr="), (("python", "t", "--lr=0.5"), "--lr=")):
        plan = plan_for(tmp_path, "lr=0.1:1:log", argv=argv)
        assert plan["harness"]["argv"][2] == f"{before}{{lr}}"
        assert plan["subject"]["arguments"] == {"lr": 0.5}
        assert plan["search"]["parameters"]["lr"]["file"] == "flagstone-arguments.json"
    plan = plan_for(tmp_path, "learning_rate=1,2", argv=("python", "t", "--learning-rate", "1"))
    assert plan["harness"]["argv"][3] == "{learning_rate}"
    assert plan["search"]["parameters"]["learning_rate"]["choices"] == [1, 2]
    plan = plan_for(tmp_path, "seed=1:9", argv=("python", "t", "--seed", "1"))
    assert plan["harness"]["argv"][3] == "{seed_value}", "{seed} is the seed of the run"


def test_a_name_that_several_files_have_is_asked_for_by_its_file(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("optim: {lr: 1}\n")
    (tmp_path / "b.yaml").write_text("optim: {lr: 1}\n")
    with pytest.raises(FlagstoneError, match="several of this name") as caught:
        plan_for(tmp_path, "lr=1:2")
    assert "--param a.yaml:optim.lr=…, --param b.yaml:optim.lr=…" in caught.value.hint
    plan = plan_for(tmp_path, "a.yaml:lr=1:2", "b.yaml:lr=1:3")
    rows = plan["search"]["parameters"]
    assert rows["optim.lr"] == {"file": "a.yaml", "low": 1, "high": 2}
    assert rows["b.yaml:optim.lr"] == {"file": "b.yaml", "key": "optim.lr", "low": 1, "high": 3}


def test_a_word_of_the_command_that_is_named_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FlagstoneError, match="--param lr is given twice"):
        plan_for(tmp_path, "lr=1:2", "lr=2:3", argv=("python", "t", "--lr", "1"))


@pytest.mark.parametrize("text", ["lr", "lr=", "lr=1", "lr=1:", "lr=a:b", "lr=1:2:lin", "=1:2"])
def test_what_is_no_range_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(FlagstoneError, match="is no range"):
        plan_for(tmp_path, text)


def test_a_name_that_is_nowhere_is_refused_with_where_it_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("x: 1\n")
    with pytest.raises(FlagstoneError, match=r"--param lr: .* a\.yaml"):
        plan_for(tmp_path, "lr=1:2")
