"""The list of repositories: markers are found by name from anywhere, and nobody's entry is lost."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner

from flagstone.cli.location import Location
from flagstone.cli.markers.marker import command
from flagstone.layout import state_folder
from flagstone.locks import sole_use
from flagstone.markers import add_repository, known_repositories
from flagstone.records import write_record

FILE = """markers:
- {name: warnings, target: {mutable: [a.py]}, metric: {command: ./lint, extract: cat, direction: lower}}
- {name: run time, target: {mutable: [a.py]}, metric: {command: ./time, extract: cat, direction: lower}}
"""


@pytest.fixture(autouse=True)
def folders_of_a_person(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def repository(path: Path, text: str = FILE) -> Path:
    (path / ".git").mkdir(parents=True)
    (path / ".flagstone").mkdir()
    (path / ".flagstone/config.yaml").write_text(text)
    return path


def asked(here: Path, *words: str, code: int = 0) -> Any:
    said = CliRunner().invoke(command, [*words, "--json"], obj=Location(here))
    found = json.loads(said.stdout)
    assert said.exit_code == code, found
    return found["data"] if code == 0 else found["message"]


def test_the_markers_of_an_added_repository_are_named_from_anywhere(tmp_path: Path) -> None:
    top = repository(tmp_path / "a place" / "parser")
    assert asked(top, "add")["added"] == ["parser:warnings", "parser:run time"]
    for words in (
        ("status", "parser:run time"), ("status", "-m", "parser:run time"), ("-m", f"{top}:run time", "status")
    ):  # fmt: skip
        assert [each["marker"] for each in asked(Path("/"), *words)] == ["run time"]
    assert [each["marker"] for each in asked(Path("/"), "list")] == ["warnings", "run time"]
    assert asked(Path("/"), "pause", "parser:run time")["status"] == "paused"
    assert "no repository is called 'parse'; known: parser" in asked(Path("/"), "status", "parse:warnings", code=2)
    assert "two repositories are named" in asked(top, "status", "parser:warnings", "--repo", ".", code=2)


def test_repositories_of_one_name_are_told_apart_by_their_paths(tmp_path: Path) -> None:
    tops = [repository(tmp_path / place / "parser") for place in ("a", "b")]
    for top in tops:
        asked(tmp_path, "add", "--path", str(top))
    said = asked(tmp_path, "status", "parser:warnings", code=2)
    assert all(f"{top}:MARKER" in said for top in tops)
    assert asked(tmp_path, "status", f"{tops[1]}:warnings")


def test_a_repository_without_markers_is_not_added(tmp_path: Path) -> None:
    (tmp_path / "empty/.git").mkdir(parents=True)
    assert "flagstone marker init" in asked(tmp_path, "add", "empty", code=2)
    assert known_repositories() == ()


def test_a_repository_is_forgotten_in_every_way_and_when_it_is_gone(tmp_path: Path) -> None:
    top = repository(tmp_path / "parser")
    for here, words in ((top, ()), (tmp_path, ("parser",)), (tmp_path, ("-m", "parser"))):
        asked(top, "add")
        asked(here, "detach", *words)
        assert known_repositories() == ()
    asked(top, "add")
    said = asked(tmp_path, "detach", "-m", "parser:warnings", code=2)
    assert "has other markers too: run time" in said and "flagstone marker skip 'parser:warnings'" in said
    top.rename(tmp_path / "moved")
    asked(tmp_path, "detach", "parser")
    assert "is not on the list" in asked(tmp_path, "detach", "parser", code=2)


def test_a_list_that_cannot_be_read_is_named_and_markers_here_still_work(tmp_path: Path) -> None:
    top = repository(tmp_path / "parser")
    asked(top, "add")
    for damage in ("", "{", "[]", '{"repositories": 3}'):
        (state_folder() / "repositories.json").write_text(damage)
        assert "repositories.json is not a list" in asked(top, "status", "parser:warnings", code=2)
        assert asked(top, "status", "warnings")


def test_whoever_adds_waits_for_the_one_before_so_that_no_entry_is_lost() -> None:
    add_repository(Path("/r/1"))
    adding = Thread(target=add_repository, args=(Path("/r/2"),))
    with sole_use(state_folder() / "repositories.lock"):
        adding.start()
        adding.join(0.3)
        assert adding.is_alive() and known_repositories() == (Path("/r/1"),)
        write_record(state_folder() / "repositories.json", {"repositories": ["/r/1", "/r/3"]})
    adding.join(60)
    assert known_repositories() == (Path("/r/1"), Path("/r/3"), Path("/r/2"))
