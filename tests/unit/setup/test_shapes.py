"""The kinds of projects that people have: what is found in each stands beside it in expected.yaml."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from flagstone.plans import CommandArguments
from flagstone.setup import ProjectLook, look_at
from flagstone.setup.programs.arguments import given_arguments
from flagstone.setup.project_finding import ProjectFinding

SHAPES = Path(__file__).resolve().parents[2] / "projects" / "shapes"
CASES = [
    (shape.name, name, expected)
    for shape in sorted(SHAPES.iterdir())
    for name, expected in yaml.safe_load((shape / "expected.yaml").read_text(encoding="utf-8")).items()
]


@functools.cache
def look_of(shape: str) -> ProjectLook:
    return look_at(SHAPES / shape / "project")


def findings_of(shape: str) -> Mapping[str, ProjectFinding]:
    return look_of(shape).findings


@pytest.mark.parametrize(("shape", "name", "expected"), CASES, ids=[f"{case[0]}-{case[1]}" for case in CASES])
def test_what_is_found_in_a_kind_of_project(shape: str, name: str, expected: dict[str, Any]) -> None:
    found = findings_of(shape)[name]
    if "value" in expected:
        assert part_of(found.value, expected["value"]) == expected["value"]
    assert found.confidence == expected.get("confidence", found.confidence)
    assert set(expected.get("evidence", ())) <= set(found.evidence)
    assert expected.get("note", "") in found.note


def part_of(found: Any, expected: Any) -> Any:
    """Of a mapping the keys that are expected, of a list each item likewise; else the value itself."""
    if isinstance(found, dict) and isinstance(expected, dict):
        return {key: part_of(found.get(key), value) for key, value in expected.items()}
    if isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        return [part_of(each, other) for each, other in zip(found, expected, strict=True)]
    return found


@pytest.mark.parametrize("shape", sorted(each.name for each in SHAPES.iterdir()))
def test_every_place_that_is_named_exists(shape: str) -> None:
    root = SHAPES / shape / "project"
    for finding in findings_of(shape).values():
        for place in finding.evidence:
            path, _, line = place.rpartition(":")
            assert 1 <= int(line) <= len((root / path).read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("shape", sorted(each.name for each in SHAPES.iterdir()))
def test_the_arguments_that_are_found_make_the_own_command_again(shape: str) -> None:
    """Nothing of the command is lost, and nothing is written in a way that its parser would read as something else."""
    program, found = look_of(shape).program, look_of(shape).findings["arguments"].value
    if not found:
        return
    arguments = CommandArguments(found["style"], found["fixed"], found["kinds"])
    own = {key: value for key, value in found["changeable"].items() if key in program.arguments}
    at = found["argv"].index("{arguments}")
    words = (*found["argv"][:at], *arguments.words(own, str), *found["argv"][at + 1 :])
    assert words[: program.first_argument] == program.argv[: program.first_argument]
    assert given_arguments(replace(program, argv=words)) == given_arguments(program)
