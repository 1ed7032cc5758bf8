"""The profile of a marker's agent: each key and file of it is obeyed, or refused in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flagstone.errors import FlagstoneError
from flagstone.experiments.proposers import AgentSetup
from flagstone.markers import Marker, Metric, Profile, agent_setup, spec_values
from flagstone.markers.profile import profile_notices, read_variables

METRIC = Metric("true", "cat", "max")
SECRET = "a long secret"


def marker(root: Path, **agent: Any) -> Marker:
    return Marker("m", root, ("src/**",), METRIC, agent=Profile(**agent))


def write(root: Path, name: str, text: str, place: str = ".flagstone/agents/default") -> Path:
    path = root / place / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def notices(asked: Marker) -> str:
    return "\n".join(profile_notices(asked))


def test_without_files_the_agent_has_the_effort_that_is_set_and_nobody_is_asked(tmp_path: Path) -> None:
    assert agent_setup(marker(tmp_path)) == AgentSetup({"effort": "medium", "permission_mode": "dontAsk"})


def test_every_key_becomes_an_option_of_claude_code(tmp_path: Path) -> None:
    asked = marker(
        tmp_path,
        effort="high",
        permission_mode="acceptEdits",
        allowed_tools=("Bash(pytest *)",),
        disallowed_tools=("Bash(rm:*,mv:*)",),
        extra_flags=("--betas", "x"),
    )
    assert agent_setup(asked).options == {
        "effort": "high",
        "permission_mode": "acceptEdits",
        "allowed_tools": ["Bash(pytest *)"],
        "disallowed_tools": ["Bash(rm:*,mv:*)"],
        "extra_flags": ["--betas", "x"],
    }


def test_to_bypass_permissions_is_run_with_the_grant_and_says_so(tmp_path: Path) -> None:
    asked = marker(tmp_path, permission_mode="bypassPermissions")
    assert agent_setup(asked).options["permission_mode"] == "dontAsk"
    assert "permission_mode bypassPermissions is run as dontAsk" in notices(asked)


@pytest.mark.parametrize("place", [".flagstone/agents/default", ".autoresearch/agents/default"])
def test_the_files_of_a_profile_are_read_from_either_folder(tmp_path: Path, place: str) -> None:
    write(tmp_path, "CLAUDE.md", "prefer small steps", place)
    write(
        tmp_path, "settings.json", json.dumps({"cleanupPeriodDays": 1, "env": {"A": "from settings", "B": "b"}}), place
    )
    write(tmp_path, ".env", f"# a comment\nexport A='{SECRET}'\n\nC=c # another\n", place)
    setup = agent_setup(marker(tmp_path))
    assert setup.instructions == "prefer small steps"
    assert setup.options["settings"] == {"cleanupPeriodDays": 1}
    assert setup.environment == {"A": SECRET, "B": "b", "C": "c"}
    assert SECRET not in repr(setup)


def test_the_file_of_the_key_comes_before_that_of_the_profile(tmp_path: Path) -> None:
    (tmp_path / "mine.env").write_text("A=1\nB=2\n")
    write(tmp_path, ".env", "B=3\n")
    assert agent_setup(marker(tmp_path, env_file="mine.env")).environment == {"A": "1", "B": "3"}


def test_neither_runs_nor_agents_can_read_those_files(tmp_path: Path) -> None:
    write(tmp_path, ".env", "A=1\n")
    hidden = spec_values(marker(tmp_path, env_file="mine.env"))["agent"]["secret_files"]
    assert hidden == [str(tmp_path / ".flagstone/agents/default"), str(tmp_path / "mine.env")]


def test_the_tools_of_the_web_are_kept_for_the_step_that_searches(tmp_path: Path) -> None:
    asked = marker(tmp_path, allowed_tools=("WebSearch", "Bash", "WebFetch(domain:example.org)"))
    assert agent_setup(asked).options["allowed_tools"] == ["Bash"]
    assert spec_values(asked)["agent"]["search_tools"] == ["WebSearch", "WebFetch(domain:example.org)"]
    assert "only at the step SEARCH" in notices(asked)


@pytest.mark.parametrize(
    ("files", "agent", "words"),
    [
        ({"settings.json": "[1]"}, {}, r"settings\.json is no JSON object"),
        ({".env": "A=1\nBROKEN my-secret\n"}, {}, r"\.env:2 is no line of the form NAME=value"),
        ({".env": "API_TOKEN=short\n"}, {}, "API_TOKEN is too short to be kept out of logs"),
        ({}, {"env_file": "none.env"}, r"there is no file .*none\.env, which agent\.env_file names"),
        ({}, {"extra_flags": ("--model=x", "-p")}, "every call sets --model, -p itself"),
        ({}, {"driver": "command", "allowed_tools": ("Bash",)}, r"command cannot obey agent\.allowed_tools"),
        ({"settings.json": '{"hooks": {}}'}, {"driver": "command"}, r"cannot obey settings\.json"),
        ({".env": "A=1\n"}, {"driver": "demo"}, r"demo cannot obey variables in \.env"),
    ],
)
def test_what_cannot_be_obeyed_is_refused_in_words(
    tmp_path: Path, files: dict[str, str], agent: dict[str, Any], words: str
) -> None:
    for name, text in files.items():
        write(tmp_path, name, text)
    with pytest.raises(FlagstoneError, match=words) as caught:
        agent_setup(marker(tmp_path, **agent))
    assert "my-secret" not in str(caught.value)


def test_an_agent_that_is_named_for_one_call_has_to_obey_as_well(tmp_path: Path) -> None:
    with pytest.raises(FlagstoneError, match="effort"):
        agent_setup(marker(tmp_path, effort="low"), "replay")


def test_a_profile_without_a_folder_is_said_to_be_the_default_one(tmp_path: Path) -> None:
    assert "there is no profile .flagstone/agents/careful" in notices(marker(tmp_path, name="careful"))
    assert "no profile" not in notices(marker(tmp_path))


def test_without_a_sandbox_it_is_said_who_can_read_the_files(tmp_path: Path) -> None:
    write(tmp_path, ".env", "A=1\n")
    asked = Marker("m", tmp_path, ("src/**",), METRIC, run={"sandbox": False})
    assert "runs can read the files of the profile" in notices(asked)


def test_instructions_that_are_too_long_are_cut_and_it_is_said(tmp_path: Path) -> None:
    write(tmp_path, "CLAUDE.md", "x" * 9000)
    assert len(agent_setup(marker(tmp_path)).instructions) == 8000
    assert "longer than 8000 characters" in notices(marker(tmp_path))


def test_a_value_may_be_empty_or_hold_signs(tmp_path: Path) -> None:
    path = tmp_path / "x.env"
    path.write_text('A=\nB="a = b # c"\nC=x=y\n')
    assert read_variables(path) == {"A": "", "B": "a = b # c", "C": "x=y"}


@pytest.mark.parametrize("name", ["CLAUDE.md", "settings.json", ".env"])
@pytest.mark.parametrize("target", ["/dev/zero", "../../../../secret", "../../../.git/config", "."])
def test_a_file_of_the_profile_that_leads_out_of_the_repository_is_refused(
    tmp_path: Path, name: str, target: str
) -> None:
    root = tmp_path / "repository"
    (tmp_path / "secret").write_text("A=a key of the user")
    (root / ".git").mkdir(parents=True)
    (root / ".git/config").write_text("A=a token in a url")
    write(root, "other.md", "")
    (root / ".flagstone/agents/default" / name).symlink_to(target)
    with pytest.raises(FlagstoneError, match="not a plain file of at most 1 MB in this repository"):
        agent_setup(marker(root))


def test_a_file_of_the_profile_may_lead_to_one_of_the_repository(tmp_path: Path) -> None:
    (tmp_path / "CLAUDE.md").write_text("be brief")
    write(tmp_path, "other.md", "")
    (tmp_path / ".flagstone/agents/default/CLAUDE.md").symlink_to("../../../CLAUDE.md")
    assert agent_setup(marker(tmp_path)).instructions == "be brief"
