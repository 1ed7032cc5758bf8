"""The words that stand for {arguments}, and what arguments.yaml may say."""

from __future__ import annotations

from typing import Any

import pytest

from flagstone.plans import CommandArguments


def words(style: Any, value: Any, kind: Any = "any", key: str = "lr") -> list[str]:
    found = CommandArguments(style, {}, {key: kind})
    assert not list(found.problems(b"")), "an empty file is allowed"
    return list(found.words({key: value}, str))


@pytest.mark.parametrize(
    ("style", "kind", "value", "expected"),
    [
        ("equals", "number", 0.001, ["--lr=0.001"]),
        ("equals", "text", "-1; rm -rf /", ["--lr=-1; rm -rf /"]),
        ("equals", "boolean", False, ["--lr=False"]),
        ("equals", "list", [1, 2], ["--lr=[1, 2]"]),
        ("equals", "words", [1, 2], ["--lr", "1", "2"]),
        ("equals", "presence", True, ["--lr"]),
        ("equals", "presence", False, []),
        ("equals", "negatable", True, ["--lr"]),
        ("equals", "negatable", False, ["--no-lr"]),
        ("equals", "number", None, []),
        ("words", "number", -3, ["--lr", "-3"]),
        ("words", "words", ["a b", "c"], ["--lr", "a b", "c"]),
        ("hydra", "number", 1e-05, ["lr=1e-05"]),
        ("hydra", "boolean", True, ["lr=true"]),
        ("hydra", "list", [1, "a b"], ["lr=[1,'a b']"]),
        ("hydra", "text", "a=b,{c}", ["lr='a=b,{c}'"]),
        ("hydra", "text", "it's", ["lr='it\\'s'"]),
        ("hydra", "text", "end\\", ["lr='end\\\\'"]),
        ("hydra", "text", "true", ["lr='true'"]),
        ("hydra", "text", "12", ["lr='12'"]),
        ("hydra", "text", "models/net.py", ["lr=models/net.py"]),
        ("json", "text", 'a "b"', ['{"lr": "a \\"b\\""}']),
    ],
)
def test_each_style_writes_a_value_as_its_parser_reads_it(
    style: str, kind: str, value: Any, expected: list[str]
) -> None:
    assert words(style, value, kind) == expected


def test_hydra_adds_and_removes_keys_that_are_allowed() -> None:
    assert words("hydra", 2, "number", "+trainer.x") == ["+trainer.x=2"]
    assert words("hydra", True, "presence", "~callbacks") == ["~callbacks"]


def test_a_key_with_a_dash_is_written_as_it_is() -> None:
    assert words("equals", 2, "integer", "-b") == ["-b", "2"]
    assert words("equals", 2, "integer", "--b") == ["--b=2"]


def test_fixed_arguments_come_first_and_only_they_are_filled_in() -> None:
    arguments = CommandArguments("equals", {"seed": "{seed}", "save": True, "dry": False}, {"name": "text"})
    found = arguments.words({"name": "{seed}"}, lambda word: word.replace("{seed}", "7"))
    assert list(found) == ["--seed=7", "--save", "--name={seed}"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("epochs: 9", "epochs is fixed"),
        ("layers: 9", "'layers' may not be set; what may: lr, size, name"),
        ("lr: '0.1; rm -rf /'", "lr is '0.1; rm -rf /', and has to be a number"),
        ("lr: true", "lr is 'True', and has to be a number"),
        ("size: 1.5", "size is '1.5', and has to be a whole number"),
        ("name: {a: 1}", "and has to be text"),
        ('name: "a\\0b"', "and has to be text"),
        ("lr: 1\nlr: 2", "not readable YAML"),
        ("- lr", "has to be a mapping"),
        ("lr: [", "not readable YAML"),
        ("# " + "x" * 70_000, "larger than"),
    ],
)
def test_what_is_not_allowed_is_named(text: str, problem: str) -> None:
    arguments = CommandArguments("equals", {"epochs": 3}, {"lr": "number", "size": "integer", "name": "text"})
    assert problem in "; ".join(arguments.problems(text.encode()))


def test_a_word_of_its_own_may_not_look_like_a_flag() -> None:
    assert list(CommandArguments("words", {}, {"name": "text"}).problems(b"name: --epochs"))
    assert not list(CommandArguments("equals", {}, {"name": "text"}).problems(b"name: --epochs"))


@pytest.mark.parametrize(
    ("key", "kind", "text"), [("tags", "words", "tags: [--epochs, '100']"), ("-b", "text", "-b: -e")]
)
def test_no_value_may_set_another_flag_where_a_parser_gets_it_as_a_word(key: str, kind: Any, text: str) -> None:
    (problem,) = CommandArguments("equals", {"epochs": 3}, {key: kind}).problems(text.encode())
    assert "would be read as a flag" in problem


@pytest.mark.parametrize("text", ["a: 0x" + "f" * 20_000, "a: &a " + "x" * 30_000 + "\nb: [" + "*a, " * 5_000 + "]"])
def test_a_number_that_cannot_be_written_and_aliases_that_grow_are_named(text: str) -> None:
    (problem,) = CommandArguments("equals", {}, {"a": "any", "b": "list"}).problems(text.encode())
    assert "stands for more than" in problem


def test_a_number_with_an_exponent_is_one_though_yaml_reads_text() -> None:
    arguments = CommandArguments("hydra", {}, {"lr": "number", "name": "text"})
    assert not list(arguments.problems(b"lr: 1e-3\nname: 1e-3"))
    assert list(arguments.words(arguments.own_values(b"lr: 1e-3\nname: 1e-3"), str)) == ["lr=0.001", "name='1e-3'"]
    assert list(arguments.problems(b"lr: 1e-3; rm"))
    unknown = CommandArguments("hydra", {}, {"lr": "any"})
    assert list(unknown.words(unknown.own_values(b"lr: 1e-3"), str)) == ["lr=0.001"]
