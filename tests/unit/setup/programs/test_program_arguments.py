"""The arguments of a program, from the syntax tree of its parser: defaults, kinds, and what may change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flagstone.setup import look_at

ARGPARSE = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--lr", "--learning-rate", type=float, default=1e-3, dest="lr")
parser.add_argument("-b", "--batch-size", type=int, default=2**5)
parser.add_argument("--amp", action="store_true")
parser.add_argument("--nesterov-momentum", action=argparse.BooleanOptionalAction, default=True)
parser.add_argument("--hidden", type=int, nargs="+", default=[64, 32])
parser.add_argument("--depth", type=int, default=int(4))
parser.add_argument("--optimizer", choices=["sgd", "adam"], default="sgd")
parser.add_argument("--epochs", type=int, default=10)
parser.set_defaults(lr=0.5)
if __name__ == "__main__":
    loss = parser.parse_args().lr
"""
SIMPLE = """
from dataclasses import dataclass
import simple_parsing
@dataclass
class Options:
    lr: float = 0.1
    dropout: float = 0.0
    hidden: list[int] = (1, 2)
parser = simple_parsing.ArgumentParser()
parser.add_arguments(Options, dest="options")
if __name__ == "__main__":
    loss = parser.parse_args()
"""
TYRO = """
from dataclasses import dataclass
import tyro
@dataclass
class Args:
    env_id: str = "CartPole-v1"
    learning_rate: float = 2.5e-4
    anneal_lr: bool = True
    batch_size: int = 0
    hidden_dims: tuple[int, ...] = (64, 64)
    seed: int = 1
if __name__ == "__main__":
    loss = tyro.cli(Args)
"""
CLICK = """
import click
@click.command()
@click.option("--lr", "-l", default=0.1, type=float)
@click.option("--momentum/--no-momentum", default=True)
@click.option("--warmup", is_flag=True)
@click.option("--rate", default=0.5)
@click.option("--sample-rate", default=16000)
@click.option("--seed", default=7)
def main(lr, momentum, warmup, seed):
    loss = lr
if __name__ == "__main__":
    main()
"""
TYPER = """
import typer
from typing import Annotated
app = typer.Typer()
@app.command()
def train(data: str, lr: float = 0.1, batch_size: Annotated[int, typer.Option()] = 32, momentum: bool = False):
    loss = lr
if __name__ == "__main__":
    app()
"""
ABSL = """
from absl import app, flags
from ml_collections import config_flags
flags.DEFINE_string("workdir", None, "where to store")
flags.DEFINE_float("dropout", 0.1, "rate")
flags.DEFINE_boolean("warmup", False, "slowly")
config_flags.DEFINE_config_file("config", None, "settings")
def main(argv):
    loss = 1
if __name__ == "__main__":
    app.run(main)
"""
ABSL_CONFIG = """
import ml_collections
def get_config():
    config = ml_collections.ConfigDict()
    config.learning_rate = 0.1
    config.batch_size = 128
    config.num_epochs = 10
    return config
"""
FIRE = """
import fire
def train(data="x", lr=0.1, layers=[64, 64], verbose=False):
    loss = lr
if __name__ == "__main__":
    fire.Fire(train)
"""
JSONARGPARSE = """
from jsonargparse import CLI
def train(lr: float = 0.1, depth: int = 3):
    loss = lr
if __name__ == "__main__":
    CLI(train)
"""
HF = """
from dataclasses import dataclass, field
from transformers import HfArgumentParser, TrainingArguments
@dataclass
class ModelArguments(TrainingArguments):
    hidden_dropout: float = field(default=0.1, metadata={})
    use_warmup: bool = field(default=False)
if __name__ == "__main__":
    loss = HfArgumentParser(ModelArguments).parse_args_into_dataclasses()
"""
CASES = [
    ("argparse", ARGPARSE, "", {"lr": 0.5, "batch-size": 32, "optimizer": "sgd", "hidden": [64, 32]}),
    ("argparse", ARGPARSE, "--learning-rate 0.2 -b 8", {"lr": 0.2, "batch-size": 8}),
    ("argparse", ARGPARSE, "--hidden 8 4 --amp", {"hidden": [8, 4]}),
    ("argparse", ARGPARSE, "--optimizer=adam", {"optimizer": "adam"}),
    ("simple-parsing", SIMPLE, "--lr 1e-4", {"lr": 1e-4, "dropout": 0.0}),
    ("tyro", TYRO, "--learning-rate 1", {"learning-rate": 1.0, "hidden-dims": [64, 64]}),
    ("click", CLICK, "-l 0.3", {"lr": 0.3, "momentum": True, "warmup": False}),
    ("typer", TYPER, "digits --lr 0.2", {"lr": 0.2, "batch-size": 32, "momentum": False}),
    ("absl", ABSL, "--config=cfg.py --workdir=/tmp/x", {"dropout": 0.1, "config.learning_rate": 0.1}),
    ("fire", FIRE, "--lr=0.2", {"lr": 0.2, "layers": [64, 64]}),
    ("jsonargparse", JSONARGPARSE, "--depth=4", {"lr": 0.1, "depth": 4}),
    ("hfargumentparser", HF, "--learning_rate 1e-4", {"learning_rate": 1e-4, "hidden_dropout": 0.1}),
]
KINDS = [
    (ARGPARSE, {"lr": "number", "batch-size": "integer", "nesterov-momentum": "negatable", "hidden": "words"}),
    (TYRO, {"anneal-lr": "negatable", "hidden-dims": "words"}),
    (CLICK, {"momentum": "negatable", "warmup": "presence", "lr": "number"}),
    (TYPER, {"momentum": "negatable", "batch-size": "integer"}),
    (ABSL, {"warmup": "boolean", "config.batch_size": "integer"}),
    (FIRE, {"layers": "list"}),
    (HF, {"use_warmup": "boolean", "learning_rate": "number"}),
]


def arguments(root: Path, source: str, words: str = "") -> tuple[str, dict[str, Any]]:
    (root / "train.py").write_text(source)
    (root / "cfg.py").write_text(ABSL_CONFIG)
    (root / "README.md").write_text(f"```\npython train.py {words}\n```\n")
    look = look_at(root)
    return look.program.parser, look.findings["arguments"].value


@pytest.mark.parametrize(("parser", "source", "words", "expected"), CASES)
def test_the_command_beats_the_default(
    tmp_path: Path, parser: str, source: str, words: str, expected: dict[str, Any]
) -> None:
    found, value = arguments(tmp_path, source, words)
    assert found == parser
    assert {key: value["changeable"].get(key) for key in expected} == expected


@pytest.mark.parametrize(("source", "kinds"), KINDS)
def test_each_argument_is_written_as_its_parser_reads_it(tmp_path: Path, source: str, kinds: dict[str, str]) -> None:
    _, value = arguments(tmp_path, source, "--config=cfg.py" if source is ABSL else "")
    assert {key: value["kinds"].get(key) for key in kinds} == kinds


def test_budget_data_seed_and_output_stay_fixed(tmp_path: Path) -> None:
    source = ARGPARSE.replace("--optimizer", "--data-dir").replace("--depth", "--eval-steps")
    _, value = arguments(tmp_path, source, "--epochs 3 --data-dir digits --eval-steps 5 --amp")
    assert value["fixed"] == {"epochs": 3, "data-dir": "digits", "eval-steps": 5, "amp": True}
    assert not {"epochs", "data-dir", "eval-steps", "seed"} & set(value["changeable"])


def test_a_rate_is_a_learning_rate_unless_it_says_of_what(tmp_path: Path) -> None:
    _, value = arguments(tmp_path, CLICK)
    assert value["changeable"]["rate"] == 0.5
    assert "sample-rate" not in value["changeable"]


def test_a_value_that_only_a_run_would_show_is_left_out(tmp_path: Path) -> None:
    _, value = arguments(tmp_path, ARGPARSE)
    assert "depth" not in value["changeable"]


def test_words_that_are_no_options_stay_in_the_command(tmp_path: Path) -> None:
    _, value = arguments(tmp_path, TYPER, "digits --lr 0.2")
    assert value["argv"] == ["python", "train.py", "digits", "{arguments}"]


def test_a_text_that_looks_like_a_number_stays_text(tmp_path: Path) -> None:
    source = ARGPARSE.replace('choices=["sgd", "adam"], ', "type=str, ")
    assert arguments(tmp_path, source, "--optimizer 007")[1]["changeable"]["optimizer"] == "007"


def test_an_unknown_boolean_word_is_written_as_it_was(tmp_path: Path) -> None:
    """A fixed true is written as a bare flag: that would not be the project's own command."""
    assert arguments(tmp_path, ARGPARSE, "--compile=False --fast=True")[1]["fixed"] == {
        "compile": "False",
        "fast": "True",
    }


def test_a_program_that_needs_more_than_is_said_is_asked_about(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(ARGPARSE.replace('"--epochs", ', '"data", '))
    command = look_at(tmp_path).findings["command"]
    assert command.confidence == "unclear"
    assert "data" in command.note


def test_the_parameters_of_a_function_are_given_as_one_json_text(tmp_path: Path) -> None:
    (tmp_path / "training.py").write_text(
        "def main(lr: float = 0.1, epochs: int = 3):\n    loss = lr\n    return loss\n"
    )
    found = look_at(tmp_path).findings
    assert found["entry"].value == {"file": "training.py", "pattern": "function", "function": "main"}
    value = found["arguments"].value
    assert (value["style"], value["changeable"]) == ("json", {"lr": 0.1})
    assert value["argv"][-1] == "{arguments}"


HYDRA = """
import hydra
@hydra.main(config_path="conf", config_name="config", version_base=None)
def main(cfg):
    loss = cfg.lr
if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("", {"lr": 0.1, "model.dropout": 0.5}),
        ("model=large", {"lr": 0.1, "model.dropout": 0.3}),
        ("lr=1e-3 +model.momentum=0.9", {"lr": 1e-3}),
        ("--config-name=other", {"lr": 0.7}),
        ("--config-name other lr=2", {"lr": 2.0}),
    ],
)
def test_hydra_is_read_as_it_would_compose(tmp_path: Path, words: str, expected: dict[str, Any]) -> None:
    (tmp_path / "conf/model").mkdir(parents=True)
    (tmp_path / "conf/config.yaml").write_text("defaults:\n  - model: small\n  - _self_\nlr: 0.1\nepochs: 3\n")
    (tmp_path / "conf/other.yaml").write_text("lr: 0.7\n")
    (tmp_path / "conf/model/small.yaml").write_text("dropout: 0.5\n")
    (tmp_path / "conf/model/large.yaml").write_text("defaults: [small]\ndropout: 0.3\n")
    _, value = arguments(tmp_path, HYDRA, words)
    assert (value["style"], {key: value["changeable"].get(key) for key in expected}) == ("hydra", expected)
    assert "epochs" not in value["changeable"]


SUBCOMMANDS = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--weight-decay", type=float, default=0.1)
commands = parser.add_subparsers(dest="command")
p = commands.add_parser("train")
p.add_argument("--lr", type=float, default=0.1)
p = commands.add_parser("evaluate")
p.add_argument("checkpoint")
p.add_argument("--dropout", type=float, default=0.1)
if __name__ == "__main__":
    loss = parser.parse_args().lr
"""


def test_arguments_of_another_subcommand_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(SUBCOMMANDS)
    (tmp_path / "README.md").write_text("    python main.py train --lr 0.2\n")
    findings = look_at(tmp_path).findings
    assert findings["arguments"].value["changeable"] == {"lr": 0.2}
    assert findings["resume"].value is None
