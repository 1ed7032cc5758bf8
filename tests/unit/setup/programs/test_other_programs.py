"""A training that is no Python is proposed as it is started; what it takes is not claimed to be known."""

from __future__ import annotations

from pathlib import Path

import pytest

from flagstone.setup import LookRequest, ProjectLook, look_at

FIT = "#!/bin/sh\necho loss 0.3\n"


def look(root: Path, *argv: str, **files: str) -> ProjectLook:
    """A look at executable files; a bar in a name stands for a slash, a double underscore for a dot."""
    for name, text in files.items():
        path = root / name.replace("|", "/").replace("__", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    return look_at(root, LookRequest(argv=argv))


@pytest.mark.parametrize("target", ["train", "fit", "run-training"])
def test_a_recipe_called_like_a_training_is_its_command(tmp_path: Path, target: str) -> None:
    make = f"all: build\nbuild:\n\tcc -o x x.c\n{target}: build\n\t./bin/fit --lr 0.1\nclean:\n\trm -r out\n"
    found = look(tmp_path, **{"Makefile": make, "bin|fit": FIT}).findings
    assert (found["command"].value, found["command"].confidence) == (["./bin/fit", "--lr", "0.1"], "likely")
    assert found["command"].evidence == ("Makefile:5",)
    assert found["entry"].value == {"file": "bin/fit", "pattern": "custom"}
    assert found["arguments"].value["changeable"] == {"lr": 0.1}
    assert found["arguments"].value["style"] == "words"
    assert (found["mutable"].value, found["mutable"].confidence) == (["bin/fit"], "unclear")


def test_a_recipe_may_start_what_the_project_does_not_have(tmp_path: Path) -> None:
    found = look(tmp_path, Makefile="train:\n\tcargo run --release\n")
    assert found.program.argv == ("cargo", "run", "--release")
    assert found.findings["mutable"].value == []


@pytest.mark.parametrize("name", ["train.sh", "run.sh"])
def test_a_script_alone_is_the_command_and_may_change(tmp_path: Path, name: str) -> None:
    found = look(tmp_path, **{name: FIT}).findings
    assert (found["command"].value, found["command"].confidence) == ([f"./{name}"], "likely")
    assert (found["mutable"].value, found["mutable"].confidence) == ([name], "unclear")
    again = look(tmp_path, f"./{name}").findings
    assert all(again[key].value == found[key].value for key in ("entry", "arguments", "mutable"))
    (tmp_path / name).chmod(0o644)
    assert look_at(tmp_path).findings["command"].value == ["bash", name]


@pytest.mark.parametrize("argv", [("./train.sh",), ("bash", "train.sh")])
def test_nobody_claims_to_know_the_arguments_of_a_script(tmp_path: Path, argv: tuple[str, ...]) -> None:
    found = look(tmp_path, *argv, train__sh="echo loss 0.3\n").findings
    assert (found["arguments"].value, found["arguments"].confidence) == (None, "unclear")
    assert "not known" in found["arguments"].note
    assert found["mutable"].value == ["train.sh"]


def test_what_starts_python_is_still_the_training_itself(tmp_path: Path) -> None:
    train = (
        "import argparse\np = argparse.ArgumentParser()\np.add_argument('--lr', default=0.1)\nloss = p.parse_args()\n"
    )
    files = {"train__py": train, "train__sh": "python train.py --lr 1\n", "Makefile": "train:\n\t./train.sh\n"}
    assert look(tmp_path, **files).program.argv == ("python", "train.py", "--lr", "1")


def test_other_recipes_and_scripts_train_nothing(tmp_path: Path) -> None:
    make = "train = x\nbuild:\n\tcc x.c\ntest:\n\t./fit\ntrain:\n"
    files = {"Makefile": make, "test__sh": FIT, "setup__sh": FIT, "configure": FIT}
    assert look(tmp_path, **files, README__md="```\n./configure\n```\n").program.argv == ()
