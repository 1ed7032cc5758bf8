"""Every problem of a file is said at once, in the user's words."""

from __future__ import annotations

from pathlib import Path

import pytest

from flagstone import schemas
from flagstone.errors import FlagstoneError

FOLDER = Path(__file__).parents[2] / "schemas"


def test_all_problems_are_named_at_once_with_the_nearest_key() -> None:
    value = {"modle": "opus", "agent": "clade", "limits": {"attempts": "three", "turn": 3}}
    found = schemas.problems(FOLDER, "settings", value)
    assert "unknown key 'modle' (did you mean 'model'?)" in found
    assert (
        "'clade' in agent is not one of auto, claude, command, demo, replay, scripted (did you mean 'claude'?)" in found
    )
    assert "'three' in limits.attempts should be a whole number" in found
    assert "unknown key 'turn' in limits (did you mean 'turns'?)" in found
    missing = [each for each in schemas.problems(FOLDER, "experiment", {}) if each.startswith("missing")]
    assert missing == [f"missing key {key!r}" for key in ("goal", "subject", "harness", "metric")]


def test_a_valid_value_has_no_problems() -> None:
    assert schemas.problems(FOLDER, "settings", {"agent": "demo", "limits": {"attempts": 1}}) == []


def test_a_syntax_error_names_the_line() -> None:
    with pytest.raises(FlagstoneError, match=r"run\.yaml line 2 is not readable YAML"):
        schemas.parse_yaml("goal: x\n  bad: [", "run.yaml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("harness:\n  seconds: 5\n  gpus: 1\n  seconds: 500\n", "x.yaml line 4 .*the key 'seconds' occurs twice"),
        ("a: 1\nb: {c: 1, 'c': 2}\n", "x.yaml line 2 .*the key 'c'"),
        ("- x: 1\n- y: 1\n  y: 1\n", "x.yaml line 3 .*the key 'y'"),
    ],
)
def test_a_key_that_stands_twice_is_refused_where_it_stands(text: str, words: str) -> None:
    with pytest.raises(FlagstoneError, match=words):
        schemas.parse_yaml(text, "x.yaml")


def test_a_key_may_be_set_over_a_merged_one() -> None:
    text = "a: &a {x: 1, y: 1}\nb: &b {<<: *a, x: 2}\nc: {<<: *b, x: 3}\n1: one\n'1': text\n"
    found = {"a": {"x": 1, "y": 1}, "b": {"x": 2, "y": 1}, "c": {"x": 3, "y": 1}, 1: "one", "1": "text"}
    assert schemas.parse_yaml(text, "x.yaml") == found


@pytest.mark.parametrize("value", [".nan", ".inf", "-.inf"])
def test_what_is_no_finite_number_is_no_number(value: str) -> None:
    plan = schemas.parse_yaml(
        "{goal: x, subject: {mutable: [a]}, metric: {name: l, direction: min}, "
        f"harness: {{argv: [a], seconds: {value}}}, stopping: {{threshold: {value}}}}}",
        "x.yaml",
    )
    assert len(schemas.problems(FOLDER, "experiment", plan)) >= 2


def test_binary_and_bottomless_yaml_are_errors_not_crashes() -> None:
    for text in (b"\xff\xfe\x00", "[" * 20_000, "- " * 1_000_000 + "a", "a: &a [*a", "a: &a [*a]"):
        with pytest.raises(FlagstoneError):
            schemas.parse_yaml(text, "run.yaml")


def test_aliases_that_would_fill_the_memory_when_they_are_written_out_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(FlagstoneError, match="expand"):
        schemas.parse_yaml("\n".join(lines), "plan.yaml")
    assert schemas.parse_yaml("a: &x [1]\nb: *x\n", "plan.yaml") == {"a": [1], "b": [1]}


def test_a_file_that_is_far_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_bytes(b"#" * (schemas.MAX_YAML_BYTES + 1))
    with pytest.raises(FlagstoneError, match="larger than"):
        schemas.read_yaml(path)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.schema.yaml")), ids=lambda path: path.name)
def test_every_schema_is_valid_closed_and_described(path: Path) -> None:
    from jsonschema import Draft202012Validator

    schema = schemas.schema_of(FOLDER, path.name.removesuffix(".schema.yaml"))
    Draft202012Validator.check_schema(schema)
    assert schema.get("description")
    assert list(undescribed(schema, path.name)) == []


def undescribed(schema: object, place: str) -> list[str]:
    """Where a field has no description, or an object is open without saying what its keys are."""
    found: list[str] = []
    if not isinstance(schema, dict):
        return found
    for key, field in schema.get("properties", {}).items():
        target = field if "$ref" not in field else {"description": "by reference", **field}
        if not target.get("description"):
            found.append(f"{place}.{key}")
        found += undescribed(field, f"{place}.{key}")
    if schema.get("properties") and schema.get("additionalProperties") is not False:
        found.append(f"{place} is open")
    return found


def test_of_several_forms_the_one_that_was_meant_is_held_against_the_value() -> None:
    value = {"noise": {"alhpa": 0.1}}
    found = [each for each in schemas.problems(FOLDER, "experiment", value) if "noise" in each]
    assert found == ["unknown key 'alhpa' in noise (did you mean 'alpha'?)"]
    found = [each for each in schemas.problems(FOLDER, "experiment", {"noise": 3}) if "noise" in each]
    assert found == ["3 in noise has no allowed form"]
