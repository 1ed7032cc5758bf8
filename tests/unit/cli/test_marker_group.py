"""`flagstone marker`: what a command answers, as text or as one JSON document, wherever --json stands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from flagstone.cli.location import Location
from flagstone.cli.main import flagstone
from flagstone.cli.markers.group import Answer, MarkerGroup
from flagstone.cli.markers.marker import command
from flagstone.errors import FlagstoneError, WorkFailed


@click.command()
@click.argument("how")
def work(how: str) -> Answer:
    """A command that can end in every way."""
    click.echo("a line that was printed meanwhile")
    if how == "yours":
        raise FlagstoneError("there is no marker 'x'", hint="name one of: y")
    if how == "failed":
        raise WorkFailed("the baseline does not run", hint="fix it")
    if how == "interrupted":
        raise KeyboardInterrupt
    if how == "bug":
        raise ZeroDivisionError("nobody foresaw this")
    if how == "some":
        return Answer({"kept": 1}, "one of two failed", "b: it does not run", 3)
    return Answer({"kept": 1, "best": float("nan"), "where": Path("/x")}, "kept 1")


class Group(MarkerGroup):
    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        return work if name == "run" else None


@click.group()
@click.pass_context
def above(ctx: click.Context) -> None:
    """As `flagstone` is."""


above.add_command(Group({}, {}, name="marker"))


def asked(*words: str) -> Result:
    return CliRunner().invoke(above, ["marker", *words])


def document(said: Result) -> dict[str, Any]:
    found = json.loads(said.stdout)
    assert isinstance(found, dict) and said.stdout.count("\n") == 1
    return found


@pytest.mark.parametrize("words", [("--json", "run", "well"), ("run", "--headless", "well"), ("run", "well", "--json")])
def test_json_is_valid_in_any_position_and_stdout_is_one_document(words: tuple[str, ...]) -> None:
    said = asked(*words)
    assert said.exit_code == 0
    assert document(said) == {"status": "ok", "data": {"kept": 1, "best": "nan", "where": "/x"}}
    assert "printed meanwhile" in said.stderr


@pytest.mark.parametrize(
    ("how", "code", "message"),
    [
        ("yours", 2, "there is no marker 'x'\nname one of: y"),
        ("failed", 3, "the baseline does not run\nfix it"),
        ("interrupted", 130, "interrupted\nnothing is lost; run the same command again"),
        ("bug", 1, "ZeroDivisionError: nobody foresaw this"),
    ],
)
def test_every_error_is_a_document_and_an_exit_code(how: str, code: int, message: str) -> None:
    said = asked("run", how, "--json")
    assert said.exit_code == code
    assert document(said) == {"status": "error", "message": message, "code": code}
    assert ("Traceback" in said.stderr) == (how == "bug")


@pytest.mark.parametrize(
    "words", [("--json", "--no-such"), ("run", "--json"), ("run", "--bogus", "--json"), ("rum", "--json")]
)
def test_wrong_words_are_a_document_too(words: tuple[str, ...]) -> None:
    said = asked(*words)
    assert said.exit_code == 2 and document(said)["status"] == "error"


def test_work_that_failed_in_part_has_its_data_and_exit_3() -> None:
    said = asked("run", "some", "--json")
    assert said.exit_code == 3
    assert document(said) == {"status": "error", "message": "b: it does not run", "code": 3, "data": {"kept": 1}}
    assert asked("run", "some").exit_code == 3


def test_without_json_the_text_is_printed() -> None:
    said = asked("run", "well")
    assert said.exit_code == 0 and said.stdout == "a line that was printed meanwhile\nkept 1\n"
    with pytest.raises(FlagstoneError):
        CliRunner().invoke(above, ["marker", "run", "yours"], catch_exceptions=False)


def test_what_stands_after_two_dashes_is_left_alone() -> None:
    assert asked("run", "--", "--json").stdout.endswith("kept 1\n")


def test_json_before_the_group_is_valid_for_markers_only(tmp_path: Path) -> None:
    found = CliRunner().invoke(flagstone, ["--json", "marker", "no-such-verb"], obj=Location(tmp_path))
    assert json.loads(found.stdout)["code"] == 2
    assert CliRunner().invoke(flagstone, ["--json", "doctor"]).exit_code == 2


MARKERS = """markers:
- {name: warnings, description: fewer warnings, target: {mutable: [a.py]},
   metric: {command: ./lint, extract: cat, direction: lower}}
- {name: run time, status: paused, target: {mutable: [a.py]},
   metric: {command: ./time, extract: cat, direction: lower}}
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".flagstone").mkdir()
    (tmp_path / ".flagstone" / "config.yaml").write_text(MARKERS)
    (tmp_path / "below").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    "words", [("status", "run time"), ("status", "-m", "run time"), ("-m", "run time", "status"), ("list", "run time")]
)
def test_a_marker_is_named_in_every_way_and_found_from_below(repository: Path, words: tuple[str, ...]) -> None:
    said = CliRunner().invoke(command, [*words, "--json"], obj=Location(repository / "below"))
    found = document(said)["data"]
    assert [(each["marker"], each["status"], each["runs"]) for each in found] == [("run time", "paused", 0)]


@pytest.mark.parametrize("words", [("--repo", "R", "status"), ("status", "--repo", "R")])
def test_a_repository_elsewhere_is_named(repository: Path, words: tuple[str, ...]) -> None:
    named = [str(repository) if word == "R" else word for word in words]
    said = CliRunner().invoke(command, named, obj=Location(Path("/")))
    assert said.stdout == (
        "marker    status  last run  baseline → best  runs  kept  conf.   cost\n"
        "warnings  active  never                         0     0         $0.00\n"
        "run time  paused  never                         0     0         $0.00\n"
    )


def test_two_names_that_differ_are_refused(repository: Path) -> None:
    said = CliRunner().invoke(command, ["status", "warnings", "-m", "run time", "--json"], obj=Location(repository))
    assert said.exit_code == 2 and "two markers are named" in document(said)["message"]
