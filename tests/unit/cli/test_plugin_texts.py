"""The texts of the plugin: each command in them exists, they are short, and they give nothing away."""

from __future__ import annotations

import json
import re
import shlex
import struct
from pathlib import Path

import click
import pytest
import yaml

from flagstone import __version__
from flagstone.cli.main import flagstone

ROOT = Path(__file__).resolve().parents[3]
PLUGIN = ROOT / "plugin"
TEXTS = [path for path in sorted(PLUGIN.rglob("*")) if path.suffix in (".md", ".sh") or path.parent.name == "bin"]
SKILLS = sorted(PLUGIN.glob("skills/*/SKILL.md"))
AGENTS = sorted(PLUGIN.glob("agents/*.md"))
CODE = re.compile(r"^```[a-z]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
GIVEN = re.compile(r"\bflagstone +[a-z].*")
TOOL = re.compile(r"Bash\((flagstone [^)]*)\)")


def name_of(path: Path) -> str:
    return path.relative_to(PLUGIN).as_posix()


def commands_in(path: Path) -> list[str]:
    """Every command of ours in a text: in its code, in its permissions, and in what the script starts."""
    text = path.read_text()
    spans = [*SPAN.findall(CODE.sub("", text)), *(line for block in CODE.findall(text) for line in block.splitlines())]
    return [*(found.group() for span in spans if (found := GIVEN.match(span))), *TOOL.findall(text)]


def problem(line: str) -> str:
    """Why the command line would not be understood. Placeholders and values are not looked at."""
    words = shlex.split(line.replace("…", "x").split(" <<")[0], posix=True)[1:]
    command, ctx = flagstone, click.Context(flagstone, info_name="flagstone")
    while isinstance(command, click.Group) and words:
        found = command.get_command(ctx, words[0])
        if found is None:
            return "" if words[0] == "*" else f"there is no command {words[0]!r}"
        ctx = click.Context(found, info_name=words[0], parent=ctx)
        command, words = found, words[1:]
    own = words[: words.index("--")] if "--" in words else words
    known = {each for param in command.get_params(ctx) for each in (*param.opts, *param.secondary_opts)}
    unknown = [word for word in own if word.startswith("-") and word != "-" and word.split("=")[0] not in known]
    return f"no option {', '.join(unknown)}" if unknown else ""


@pytest.mark.parametrize("path", TEXTS, ids=name_of)
def test_every_command_in_it_exists_with_its_options(path: Path) -> None:
    assert {line: words for line in commands_in(path) if (words := problem(line))} == {}


def test_a_command_or_an_option_that_does_not_exist_is_noticed() -> None:
    assert problem("flagstone experiment fly NAME") and problem("flagstone experiment step NAME --swim 3")
    assert len([line for path in TEXTS for line in commands_in(path)]) > 60


def front_matter(path: Path) -> dict[str, str]:
    found = yaml.safe_load(path.read_text().split("---\n")[1])
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("path", SKILLS, ids=name_of)
def test_a_skill_is_short_and_its_references_are_there(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 150 and front_matter(path)["name"] == path.parent.name
    for link in re.findall(r"\]\(([^)]+)\)", text):
        assert (path.parent / link).is_file(), link


def test_what_every_session_pays_for_is_little() -> None:
    shown = [front_matter(path) for path in (*SKILLS, *AGENTS)]
    letters = sum(len(each["name"]) + len(each["description"]) + 12 for each in shown)
    assert len(SKILLS) == 6 and letters / 4 <= 400, "four letters are about a token"


@pytest.mark.parametrize("path", AGENTS, ids=name_of)
def test_an_agent_only_reads(path: Path) -> None:
    assert front_matter(path)["tools"] == "Read, Grep, Glob"


def test_no_skill_may_approve() -> None:
    allowed = " ".join(front_matter(path)["allowed-tools"] for path in SKILLS)
    for word in ("approve", "review", "rollback", "Bash(flagstone *)", "Bash,"):
        assert word not in allowed


def test_plugin_and_program_have_one_version() -> None:
    manifest = json.loads((PLUGIN / ".claude-plugin" / "plugin.json").read_text())
    market = json.loads((ROOT / ".claude-plugin" / "marketplace.json").read_text())
    assert manifest["version"] == __version__
    assert market["plugins"] == [{"name": "flagstone", "source": "./plugin", "description": manifest["description"]}]


def test_the_icon_is_square_and_large_enough() -> None:
    width, height = struct.unpack(">II", (PLUGIN / ".claude-plugin" / "icon.png").read_bytes()[16:24])
    assert width == height >= 512
