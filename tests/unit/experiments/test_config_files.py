"""Values in YAML, JSON and TOML files are found by their keys, and replaced with everything else as it was."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from flagstone.experiments.proposers.config_files import names_in, set_values, values_in

YAML = """# of the study
defaults: [a, b]
lr: 0.5            # not this one
optim: {name: "adam", lr: 1e-3}   # é
net:\r
  optim:
    lr:   2.0   # nor this
  bias: true
  'drop out': .25
"""
JSON = '{\n\t"lr": 3,\n\t"text": "\\"lr\\": 7",\n\t"optim": { "lr" : 1e-3,\t"on": false }\n}\n'
TOML = """lr = 3 # first
text = "lr = 7"
[optim]   # a table
lr= 1e-3  # this
net = { lr = 4 }
[[layers]]
lr = 9
"""


def edited(path: str, text: str, **values: Any) -> tuple[dict[str, Any], str]:
    """What is found, and the file with other values. In the names `__` stands for a dot."""
    wanted = {name.replace("__", "."): value for name, value in values.items()}
    found, faults = values_in(path, text.encode(), list(wanted))
    assert not faults
    return {key: each.value for key, each in found.items()}, set_values(text.encode(), wanted, found).decode()


def test_a_value_is_replaced_alone_in_each_form() -> None:
    found, now = edited("a.yaml", YAML, optim__lr=0.25, net__bias=False, optim__name="sgd", net__optim__lr=3)
    assert found == {"optim.lr": 1e-3, "net.bias": True, "optim.name": "adam", "net.optim.lr": 2.0}
    assert now == YAML.replace("1e-3", "0.25").replace("true", "false").replace('"adam"', '"sgd"').replace("2.0", "3")
    found, now = edited("a.json", JSON, optim__lr=0.25, optim__on=True, lr=4)
    assert found == {"optim.lr": 1e-3, "optim.on": False, "lr": 3}
    assert now == JSON.replace("1e-3", "0.25").replace("false", "true").replace('"lr": 3', '"lr": 4')
    found, now = edited("a.toml", TOML, optim__lr=0.25, optim__net__lr=5, lr=4)
    assert found == {"optim.lr": 1e-3, "optim.net.lr": 4, "lr": 3}
    assert now == TOML.replace("1e-3", "0.25").replace("lr = 4", "lr = 5").replace("lr = 3", "lr = 4")


@pytest.mark.parametrize("path", ["a.yaml", "a.json", "a.toml"])
def test_a_small_number_is_read_as_a_number_again(path: str) -> None:
    text = {"a.yaml": "x: 1\n", "a.json": '{"x": 1}', "a.toml": "x = 1\n"}[path]
    _, now = edited(path, text, x=1e-05)
    assert values_in(path, now.encode(), ["x"])[0]["x"].value == 1e-05
    if path == "a.yaml":
        assert yaml.safe_load(now) == {"x": 1e-05}


@pytest.mark.parametrize(
    ("path", "text", "key", "fault"),
    [
        ("a.yaml", "base: &b\n  lr: 1\nother: *b\n", "other.lr", "cannot be changed alone"),
        ("a.yaml", "base: &b\n  lr: 1\nother: *b\n", "base.lr", "cannot be changed alone"),
        ("a.yaml", "a: [1, 2]\n", "a", "is not there, or is no number"),
        ("a.yaml", "a: 1\n", "a.b", "is not there"),
        ("a.yaml", "a: 'two words'\nb: two words\n", "b", "cannot be changed alone"),
        ("a.json", "{", "a", "cannot be read"),
        ("a.toml", "a = ", "a", "cannot be read"),
    ],
)
def test_what_cannot_be_replaced_alone_is_named(path: str, text: str, key: str, fault: str) -> None:
    assert fault in "; ".join(values_in(path, text.encode(), [key])[1])


def test_the_names_that_a_search_may_use_are_listed() -> None:
    assert names_in("a.toml", TOML.encode()) == ["lr", "text", "optim.lr", "optim.net.lr"]
    assert names_in("a.py", b"LR = 1\ndef f(): pass\n") == ["LR"]
    assert names_in("a.json", b"{") == []
