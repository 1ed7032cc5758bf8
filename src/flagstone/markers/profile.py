"""The profile of a marker's agent: the files that a person keeps for it, and its keys in the marker file."""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterator
from pathlib import Path
from typing import Any

from flagstone.agents import strength
from flagstone.agents.claude import taken_flags
from flagstone.errors import FlagstoneError
from flagstone.experiments.proposers import AgentSetup
from flagstone.markers.marker import Marker, Profile
from flagstone.plans import FOLDER
from flagstone.processes import has_short_secret
from flagstone.records import content_of, decode_or_none

FOLDERS = (f"{FOLDER}/agents", ".autoresearch/agents")
SETTINGS = "settings.json"
LONGEST = 8000  # of the instructions, in characters
MOST_BYTES = 1_000_000
CLAUDE = ("", "auto", "claude")
TAKE_VARIABLES = (*CLAUDE, "command")
WEB_TOOLS = ("WebSearch", "WebFetch")
BYPASS = "bypassPermissions"
VARIABLE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")


def profile_folder(marker: Marker) -> Path | None:
    """Where a person keeps the files of the profile. Returns None if there is no such folder."""
    places = (marker.repository / place / marker.agent.name for place in FOLDERS)
    return next((place for place in places if place.is_dir()), None)


def secret_files(marker: Marker) -> list[str]:
    """What neither the agent nor a run can read: its variables are in them."""
    folder = profile_folder(marker)
    return [str(path) for path in (folder, env_file(marker)) if path]


def env_file(marker: Marker) -> Path | None:
    named = marker.agent.env_file
    return marker.repository / os.path.expanduser(named) if named else None


def agent_setup(marker: Marker, driver: str = "") -> AgentSetup:
    """What the profile says to every call of the agent. Raises an error if it asks for what cannot be done."""
    folder, chosen = profile_folder(marker), driver or marker.agent.driver
    settings = settings_in(folder)
    variables = variables_of(marker, settings.pop("env", {}))
    refuse_others(marker, chosen, has_settings=bool(settings), has_variables=bool(variables))
    options = claude_options(marker.agent, settings, variables) if chosen in CLAUDE else {}
    return AgentSetup(options, instructions=instructions_in(folder)[:LONGEST], environment=variables)


def claude_options(agent: Profile, settings: dict[str, Any], variables: dict[str, str]) -> dict[str, object]:
    options: dict[str, object] = {
        "effort": agent.effort,
        "permission_mode": "dontAsk" if agent.permission_mode == BYPASS else agent.permission_mode,
        "allowed_tools": [rule for rule in agent.allowed_tools if not is_web(rule)],
        "disallowed_tools": list(agent.disallowed_tools),
        "extra_flags": list(agent.extra_flags),
        "settings": settings,
        "variables": sorted(variables),
    }
    if taken := taken_flags(options):
        hint = "leave them out; model, effort, tools and permissions have keys of their own"
        raise FlagstoneError(f"agent.extra_flags: every call sets {', '.join(taken)} itself", hint=hint)
    return {key: value for key, value in options.items() if value}


def is_web(rule: str) -> bool:
    return rule.partition("(")[0].strip() in WEB_TOOLS


def search_tools(agent: Profile) -> list[str]:
    """The tools for the step `search`: those of the web that are allowed."""
    return [rule for rule in agent.allowed_tools if is_web(rule) and rule not in agent.disallowed_tools]


def file_in(folder: Path | None, name: str) -> Path | None:
    """A file of the profile. Returns None if there is none. One that leads out of the repository is refused."""
    path = folder / name if folder else None
    if folder is None or path is None or not path.exists():
        return None
    top, real = folder.parents[2].resolve(), path.resolve()
    is_inside = real.is_relative_to(top) and ".git" not in real.relative_to(top).parts
    if not (is_inside and real.is_file() and real.stat().st_size <= MOST_BYTES):
        raise FlagstoneError(
            f"{path} is not a plain file of at most 1 MB in this repository", hint="put one in its place, or remove it"
        )
    return path


def instructions_in(folder: Path | None) -> str:
    path = file_in(folder, "CLAUDE.md")
    return (content_of(path) or b"").decode("utf-8", "replace") if path else ""


def settings_in(folder: Path | None) -> dict[str, Any]:
    """The settings of Claude Code in the profile. Empty if there is no file."""
    path = file_in(folder, SETTINGS)
    content = content_of(path) if path else None
    if content is None:
        return {}
    found = decode_or_none(content, dict[str, Any])
    if found is None or not isinstance(found.get("env", {}), dict):
        raise FlagstoneError(f"{path} is no JSON object of settings", hint="correct it, or remove it")
    return found


def variables_of(marker: Marker, from_settings: dict[str, Any]) -> dict[str, str]:
    """The variables of the agent alone: those of settings.json, then of env_file, then of .env."""
    named = env_file(marker)
    if named and not named.is_file():
        raise FlagstoneError(f"there is no file {named}, which agent.env_file names", hint="create it, or drop the key")
    files = [path for path in files_with_variables(marker) if path.name != SETTINGS]
    found = {str(name): str(value) for name, value in from_settings.items()}
    for path in files:
        found |= read_variables(path)
    short = [name for name, value in found.items() if has_short_secret(name, value)]
    if short:
        why = f"the value of {', '.join(short)} is too short to be kept out of logs and commits"
        raise FlagstoneError(f"profile {marker.agent.name}: {why}", hint="use a secret of at least 8 characters")
    return found


def files_with_variables(marker: Marker) -> list[Path]:
    """The files that are there: settings.json, the one that is named, and .env."""
    folder, named = profile_folder(marker), env_file(marker)
    found = [file_in(folder, SETTINGS), named, file_in(folder, ".env")]
    return [path for path in found if path and path.is_file()]


def read_variables(path: Path) -> dict[str, str]:
    """The variables in a file, one NAME=value a line. An error names the line, and not what stands in it."""
    found = {}
    for number, raw in enumerate(path.read_text("utf-8", "replace").splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        match = VARIABLE.fullmatch(line)
        if match is None:
            raise FlagstoneError(f"{path}:{number} is no line of the form NAME=value", hint="correct that line")
        found[match[1]] = bare_value(match[2])
    return found


def bare_value(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value.partition(" #")[0].rstrip()


def refuse_others(marker: Marker, driver: str, *, has_settings: bool, has_variables: bool) -> None:
    """Raises an error that names what only Claude Code could obey, if the agent is another one."""
    agent, plain = marker.agent, Profile()
    names = ("effort", "permission_mode", "allowed_tools", "disallowed_tools", "extra_flags")
    found = [f"agent.{name}" for name in names if getattr(agent, name) != getattr(plain, name)]
    found += ["settings.json"] if has_settings else []
    found = [] if driver in CLAUDE else found
    found += ["variables in .env or env_file"] if has_variables and driver not in TAKE_VARIABLES else []
    if found:
        raise FlagstoneError(
            f"marker {marker.name}: the agent {driver} cannot obey {', '.join(found)}",
            hint="leave them out, or use the agent claude; agent.options are those of the agent itself",
        )


def profile_notices(marker: Marker, committed: Container[str] = ()) -> Iterator[str]:
    """What a person should know of how the profile is used. `committed` are the files of the last commit."""
    agent, folder = marker.agent, profile_folder(marker)
    if folder is None and agent.name != Profile().name:
        yield f"there is no profile {FOLDERS[0]}/{agent.name}, so the agent has the default one"
    if agent.permission_mode == BYPASS:
        yield f"permission_mode {BYPASS} is run as dontAsk: the agent may use the tools that are granted, and no others"
    if len(instructions_in(folder)) > LONGEST:
        yield f"CLAUDE.md of profile {agent.name} is longer than {LONGEST} characters; the agent gets its beginning"
    if any(map(is_web, agent.allowed_tools)):
        yield "the agent has tools for the web only at the step SEARCH of the escalation"
    for path in files_with_variables(marker):
        name = os.path.relpath(path, marker.repository)
        if name in committed:
            yield f"{name} is committed, so everybody who has the repository can read it, and every run"
    can_hide = strength().has_bubblewrap and marker.run.get("sandbox", "auto") not in ("off", False)
    if secret_files(marker) and not can_hide:
        yield "without bubblewrap, runs can read the files of the profile: keep no secret in them"
