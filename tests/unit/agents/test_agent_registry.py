"""The agent that is named is the agent one gets, or a clear word why not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from stand_in import StandIn

from flagstone.agents.claude.driver import ClaudeAgent
from flagstone.agents.registry import AGENTS, agent_named
from flagstone.agents.template.driver import CommandAgent
from flagstone.errors import FlagstoneError
from flagstone.layout import Project, Run
from flagstone.settings import load_settings

CHECKOUT = Path(__file__).parents[3]


@pytest.fixture
def at_home(cli: StandIn, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """This process with the stand-in on PATH and nobody logged in."""
    for name in ("PATH", "HOME"):
        monkeypatch.setenv(name, cli.environ[name])
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN", "CLAUDE_CONFIG_DIR"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.mark.parametrize("name", ["claude", "command", "demo", "replay"])
def test_an_agent_is_found_by_its_name(name: str) -> None:
    assert agent_named(name).name == name


def test_every_agent_that_settings_may_name_can_be_found() -> None:
    schema = yaml.safe_load((CHECKOUT / "schemas" / "settings.schema.yaml").read_text())
    named = schema["properties"]["agent"]["enum"]
    of_a_stage = schema["properties"]["stages"]["additionalProperties"]["properties"]["agent"]["enum"]
    assert set(named) == set(of_a_stage) == set(AGENTS)


def test_a_template_in_run_yaml_becomes_the_agent_of_the_stage(tmp_path: Path) -> None:
    run = Run(tmp_path / "attn")
    run.root.mkdir()
    own = {"goal": "Does it help?", "agent": "command", "command": {"argv": ["mycli", "-"], "text": "answer"}}
    run.settings.write_text(yaml.safe_dump(own))
    settings = load_settings(Project(CHECKOUT, tmp_path), run).for_stage("01")
    agent = agent_named(settings.agent, settings.options)
    assert isinstance(agent, CommandAgent)
    assert (agent.template.argv, agent.template.text) == (("mycli", "-"), "answer")
    assert agent.fault() == ("there is no program mycli on PATH", "install it, or correct command.argv in run.yaml")


def test_an_unknown_agent_is_refused_with_the_known_ones() -> None:
    with pytest.raises(FlagstoneError) as refused:
        agent_named("clade")
    assert "auto, claude, command, demo, replay" in refused.value.hint


def test_auto_is_claude_where_it_can_be_used(at_home: pytest.MonkeyPatch) -> None:
    at_home.setenv("CLAUDE_CODE_OAUTH_TOKEN", "a-token")
    assert agent_named("auto").name == "claude"


def test_auto_never_falls_back_silently(at_home: pytest.MonkeyPatch) -> None:
    with pytest.raises(FlagstoneError, match="not logged in") as refused:
        agent_named("auto")
    assert refused.value.hint.endswith("--agent demo")
    at_home.setenv("PATH", "/nowhere")
    with pytest.raises(FlagstoneError, match="not installed") as refused:
        agent_named("auto")
    assert refused.value.hint.endswith("--agent demo")


def test_a_login_file_counts_as_logged_in(cli: StandIn) -> None:
    del cli.environ["ANTHROPIC_API_KEY"]
    agent = ClaudeAgent(environ=cli.environ)
    assert agent.fault() is not None
    folder = Path(cli.environ["HOME"]) / ".claude"
    folder.mkdir()
    (folder / ".credentials.json").write_text("{}")
    assert agent.fault() is None


def test_finding_agents_loads_none_of_them_and_looks_for_no_plugin() -> None:
    program = (
        "import sys, flagstone.agents.registry, flagstone.plugins as plugins\n"
        "print([name for name in sys.modules if name.endswith(('claude', 'demo', 'agents.template'))])\n"
        "flagstone.agents.registry.agent_named('replay')\n"
        "print(plugins.entry_points_on.cache_info().misses)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert said.stdout == "[]\n0\n"


def test_an_old_run_that_plays_a_script_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert type(agent_named("demo", {"script": "x.yaml"})).__name__ == "ScriptedAgent"
    monkeypatch.setattr("flagstone.agents.registry.plugin_names", lambda kind: ())
    with pytest.raises(FlagstoneError, match=r"demo\.script") as refused:
        agent_named("demo", {"script": "x.yaml"})
    assert "tests/doubles" in refused.value.hint
    assert agent_named("demo").name == "demo"
