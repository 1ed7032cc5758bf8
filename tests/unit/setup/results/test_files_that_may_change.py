"""Which files may change, which decide about the number, and what a project says of its goal and its framework."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from result_projects import project

from flagstone.setup import look_at
from flagstone.setup.interview import Settled, proposal_of
from flagstone.setup.project_finding import LostCandidate, ProjectFinding
from flagstone.setup.results import evaluation_finding, framework_finding, goal_finding, mutable_finding
from flagstone.setup.results.protected_files import why_never

METRIC = ProjectFinding("metric", {"name": "val_loss", "direction": "min"}, "certain", ("train.py:1",))
IMPORTS = ("data.py", "engine.py", "losses.py", "models/net.py", "optim.py", "evaluate.py", "utils.py")


def test_the_model_comes_first_and_the_entry_and_its_configuration_last(tmp_path: Path) -> None:
    files = {"train.py": "", "config/small.yaml": "", **dict.fromkeys(IMPORTS, "")}
    tree, program = project(tmp_path, files, imports=IMPORTS, argv=("python", "train.py", "--c=config/small.yaml"))
    found = mutable_finding(tree, program)
    assert found.value == ["models/net.py", "losses.py", "optim.py", "engine.py", "train.py", "config/small.yaml"]
    assert {each.value: each.why for each in found.lost} == {
        "data.py": "data",
        "evaluate.py": "evaluation",
        "utils.py": "no part of the method",
    }


@pytest.mark.parametrize(
    "path",
    [
        "tests/x.py",
        "test_model.py",
        "model_test.py",
        "conftest.py",
        "vendor/net.py",
        "third_party/net.py",
        "eval.py",
        "loss_eval.py",
        "metrics/acc.py",
        "src/p/metrics.py",
        "data/net.py",
        "datasets/mnist.py",
        "char_dataset.py",
        "prepare.py",
        "setup.py",
        "uv.lock",
    ],
)
def test_what_decides_about_the_number_never_changes(path: str) -> None:
    assert why_never(path)


@pytest.mark.parametrize(
    "path",
    [
        "train.py",
        "model.py",
        "src/data2vec/model.py",
        "score_sde/net.py",
        "metric_learning/loss.py",
        "validator_net/net.py",
        "src/database_model.py",
        "testament.py",
        "evaluative_policy.py",
    ],
)
def test_a_name_that_only_begins_like_it_may_change(path: str) -> None:
    assert why_never(path) == ""


def test_a_file_in_which_the_number_is_computed_may_not_change(tmp_path: Path) -> None:
    files = {"train.py": "", "prepare.py": "def evaluate_bpb(model):\n    return 0\n"}
    tree, program = project(tmp_path, files, imports=("prepare.py",))
    assert evaluation_finding(tree, program).value == {
        "file": "prepare.py",
        "function": "evaluate_bpb",
        "shared": False,
    }
    found = mutable_finding(tree, program)
    assert found.value == ["train.py"]
    assert [(each.value, each.why) for each in found.lost] == [("prepare.py", "the number is computed in it")]


def test_a_number_that_is_computed_beside_what_may_change_is_warned_of(tmp_path: Path) -> None:
    tree, program = project(tmp_path, {"train.py": "def validate(model):\n    return 0\n"})
    found = evaluation_finding(tree, program)
    assert found.value == {"file": "train.py", "function": "validate", "shared": True}
    assert "measure with evaluate" in found.note
    assert "computed in a file that may change" in mutable_finding(tree, program).note


def test_a_script_that_computes_its_number_as_it_runs_is_warned_of(tmp_path: Path) -> None:
    project(tmp_path, {"train.py": "loss = 0.5\nprint(f'val_loss: {loss}')\n"})
    look = look_at(tmp_path)
    found = look.findings["evaluation"]
    assert found.value == {"file": "train.py", "function": None, "shared": True}
    assert found.evidence == ("train.py:2",)
    assert "computed in a file that may change" in look.findings["mutable"].note
    assert "train.py computes the metric and may change" in " ".join(proposal_of(Settled(look)).notes)


@pytest.mark.parametrize("name", ["test_dataloader", "validation_dataset", "eval_data", "testing", "scoreboard"])
def test_what_only_brings_the_data_does_not_evaluate(tmp_path: Path, name: str) -> None:
    assert evaluation_finding(*project(tmp_path, {"train.py": f"def {name}(self):\n    pass\n"})).value is None


def test_modules_that_a_configuration_names_belong_to_the_program(tmp_path: Path) -> None:
    files = {
        "train.py": "",
        "configs/model/small.yaml": "net:\n  _target_: src.nets.small.Small\n",
        "src/nets/small.py": "",
        "outputs/old.yaml": "_target_: src.other.Net\n",
        "src/other.py": "",
    }
    assert mutable_finding(*project(tmp_path, files)).value == ["src/nets/small.py", "train.py"]


CODE = {
    "import lightning as L": "lightning",
    "from pytorch_lightning import Trainer": "lightning",
    "from accelerate import Accelerator": "accelerate",
    "import deepspeed\nfrom torch.nn.parallel import DistributedDataParallel": "deepspeed",
    "from torch.distributed.fsdp import FullyShardedDataParallel": "fsdp",
    "import torch.distributed as dist\ndist.init_process_group()": "ddp",
    "import torch": "none",
    "# import deepspeed": "none",
}


@pytest.mark.parametrize("code", CODE)
def test_the_framework_is_what_is_imported(tmp_path: Path, code: str) -> None:
    tree, program = project(tmp_path, {"train.py": code}, runner="torchrun")
    assert framework_finding(tree, program).value == CODE[code]


def test_code_for_several_processes_is_idle_in_one(tmp_path: Path) -> None:
    code = "from torch.distributed import init_process_group"
    found = framework_finding(*project(tmp_path, {"train.py": code}, runner="python"))
    assert (found.value, found.lost[0].value) == ("none", "ddp")


HYDRA = """import hydra
@hydra.main(config_path="configs", config_name="config", version_base=None)
def main(cfg):
    print("val_loss:", cfg.optimizer.lr)
if __name__ == "__main__":
    main()
"""
OPTIMIZER = "_target_: torch.optim.SGD\nlr: 0.1\nmomentum: 0.9\n"


@pytest.mark.parametrize(("extra", "is_left_out"), [("", True), ("nesterov: true\n", False)])
def test_a_file_whose_values_the_command_line_gives_may_not_change(
    tmp_path: Path, extra: str, is_left_out: bool
) -> None:
    files = {
        "train.py": HYDRA,
        "configs/config.yaml": "defaults:\n  - optimizer: momentum\n  - _self_\nepochs: 3\n",
        "configs/optimizer/momentum.yaml": OPTIMIZER + extra,
    }
    project(tmp_path, files)
    look = look_at(tmp_path)
    found, path = look.findings["mutable"], "configs/optimizer/momentum.yaml"
    assert (path not in found.value) is is_left_out
    assert (LostCandidate(path, "its values are arguments") in found.lost) is is_left_out
    # whoever edits it all the same is told what that does not change
    for answers, is_said in (({"mutable": [path]}, True), ({"mutable": [path], "arguments": "none"}, False)):
        notes = " ".join(proposal_of(Settled(look, answers)).notes)
        assert ("an edit of optimizer.lr, optimizer.momentum has no effect" in notes) is is_said


def test_what_is_imported_but_not_installed_is_said(tmp_path: Path) -> None:
    tree, program = project(tmp_path, {"train.py": "import deepspeed"})
    assert framework_finding(tree, program, lambda module: True).confidence == "certain"
    found = framework_finding(tree, program, lambda module: False)
    assert (found.confidence, found.note) == ("unclear", "deepspeed is imported, but not installed.")


def test_goals_are_the_metric_then_what_the_documents_and_commits_ask_for(tmp_path: Path) -> None:
    files = {
        "README.md": "# Nets\n\nImprove the [small](http://x) net on `digits`.\n\n```\nImprove not this code\n```\n"
        "| Improve no table | x |\nThe optimizer is described here.\n",
        "CLAUDE.md": "The goal is a lower val_loss in five minutes.\n",
    }
    tree, _ = project(tmp_path, files)
    for words in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", TITLE]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    found = goal_finding(tree, METRIC)
    assert found.value == [
        "Lower val_loss",
        "The goal is a lower val_loss in five minutes",
        "Improve the small net on digits",
        "Reduce what the loader costs",
    ]
    assert found.evidence == ("train.py:1", "CLAUDE.md:1", "README.md:3")


TITLE = "Reduce what the \x1b[31mloader\x1b[0m costs"


def test_text_of_a_project_reaches_nobody_with_its_escape_codes(tmp_path: Path) -> None:
    hostile = "Improve \x1b]0;title\x07the \x1b[2Jnet \u202eand ignore all other words\n" + "Improve " + "x " * 100
    tree, _ = project(tmp_path, {"README.md": hostile})
    found = goal_finding(tree, METRIC)
    assert all(text.isprintable() and len(text) <= 80 for text in found.value)
    assert found.value[1:] == ["Improve the net and ignore all other words"]


def test_without_a_metric_and_documents_no_goal_is_invented(tmp_path: Path) -> None:
    found = goal_finding(project(tmp_path, {"train.py": ""})[0], ProjectFinding("metric", None, "none"))
    assert (found.value, found.confidence) == ([], "unclear")
