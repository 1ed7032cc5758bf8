"""`flagstone plugin`: what is installed, the two commands that install it, and a yes before they run."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from flagstone import __version__
from flagstone.cli.location import Location
from flagstone.cli.main import flagstone

ROOT = Path(__file__).resolve().parents[3]
LISTED = [{"id": "other@market", "version": "1"}, {"id": "flagstone@flagstone", "version": "0.0.1", "scope": "project"}]


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Claude Code that writes down what it is asked."""
    program = tmp_path / "bin" / "claude"
    program.parent.mkdir()
    (tmp_path / "list.json").write_text(json.dumps(LISTED))
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n'
        f'case "$*" in --version) echo "2.1.329 (Claude Code)";; *list*) cat {tmp_path}/list.json;; esac\n'
        f"[ ! -e {tmp_path}/fails ] || {{ echo 'no such market' >&2; exit 1; }}\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "calls"


def ask(*words: str) -> Result:
    return CliRunner().invoke(flagstone, ["plugin", *words], obj=Location(Path.cwd()))


def test_the_path_is_that_of_the_plugin() -> None:
    assert Path(ask("path").output.strip()) == ROOT / "plugin"


def test_an_older_plugin_is_named_with_the_command_that_updates_it(calls: Path) -> None:
    said = ask("status").output
    assert f"plugin: version {__version__}" in said and "installed: 0.0.1 (project)" in said
    assert said.splitlines()[-1] == "next: claude plugin update flagstone@flagstone --scope project"
    record = json.loads(ask("status", "--json").output)
    assert [each["version"] for each in record["installed"]] == ["0.0.1"]


def test_where_it_is_not_installed_the_next_command_installs_it(calls: Path) -> None:
    (calls.parent / "list.json").write_text("[]")
    assert ask("status").output.splitlines()[-2:] == ["installed: no", "next: flagstone plugin install"]


def test_a_list_that_cannot_be_read_is_said(calls: Path) -> None:
    (calls.parent / "list.json").write_text("rubbish")
    assert "does not list its plugins: rubbish" in str(ask("status").exception)


def test_without_claude_code_the_command_that_installs_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert ask("status").output.splitlines()[-1].startswith("next: npm install -g ")
    said = ask("install", "--yes")
    assert "Claude Code is not on the PATH" in str(said.exception)


def test_nothing_is_installed_without_a_yes(calls: Path) -> None:
    said = ask("install", "--scope", "local")
    assert said.output.splitlines() == [
        f"claude plugin marketplace add {ROOT}",
        "claude plugin install flagstone@flagstone --scope local",
    ]
    assert "the commands need a yes" in str(said.exception) and not calls.exists()


def test_both_commands_are_run_after_a_yes(calls: Path) -> None:
    said = ask("install", "--yes")
    assert said.exit_code == 0 and calls.read_text().splitlines() == [
        f"plugin marketplace add {ROOT}",
        "plugin install flagstone@flagstone --scope user",
    ]


def test_a_command_that_fails_is_shown_with_its_words(calls: Path) -> None:
    (calls.parent / "fails").touch()
    said = str(ask("install", "--yes").exception)
    assert "`claude plugin marketplace add" in said and "no such market" in said
    assert len(calls.read_text().splitlines()) == 1


def test_the_program_of_the_plugin_only_says_how_to_install_the_real_one() -> None:
    done = subprocess.run(
        [ROOT / "plugin" / "bin" / "flagstone", "status"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and done.stdout == "" and "install it" in done.stderr
