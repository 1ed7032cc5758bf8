"""Claude Code and the plugin as they are on this machine, and the commands that install it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.layout import shipped_files
from flagstone.processes import run_quietly
from flagstone.records import content_of, decode_or_none

NAME = "flagstone@flagstone"
LIMIT_S = 60
INSTALL = "npm install -g @anthropic-ai/claude-code"


@dataclass(frozen=True)
class InstalledPlugin:
    """One entry of the list of Claude Code."""

    id: str
    version: str = ""
    scope: str = ""
    enabled: bool = True


@dataclass(frozen=True)
class PluginState:
    """What is installed: the version of Claude Code, and of the plugin in it, for each scope."""

    ours: str
    folder: Path
    claude: str = ""
    plugins: tuple[InstalledPlugin, ...] = ()

    @property
    def scopes_to_update(self) -> list[str]:
        """The scopes in which another version than ours is installed."""
        return [each.scope for each in self.plugins if each.version != self.ours]


@dataclass(frozen=True)
class PluginManifest:
    """What we read of plugin.json."""

    version: str


def plugin_folder() -> Path:
    folder = shipped_files() / "plugin"
    if not (folder / ".claude-plugin" / "plugin.json").is_file():
        raise FlagstoneError(f"the plugin is missing: {folder}", hint="install Flagstone again")
    return folder


def plugin_version(folder: Path) -> str:
    found = decode_or_none(content_of(folder / ".claude-plugin" / "plugin.json") or b"", PluginManifest)
    return found.version if found else ""


def state_of_plugin(here: Path) -> PluginState:
    """What Claude Code says that it has installed. It is asked in the folder that a person is in, for its scopes."""
    folder = plugin_folder()
    ours = plugin_version(folder)
    program = shutil.which("claude")
    if program is None:
        return PluginState(ours, folder)
    code, version, _ = run_quietly([program, "--version"], here, LIMIT_S)
    if code:
        return PluginState(ours, folder)
    code, listed, failure = run_quietly([program, "plugin", "list", "--json"], here, LIMIT_S)
    found = decode_or_none(listed, tuple[InstalledPlugin, ...])
    if code or found is None:
        said = (failure or listed).decode("utf-8", "replace").strip()[-200:]
        raise FlagstoneError(f"Claude Code does not list its plugins: {said}", hint="try: claude plugin list")
    plugins = tuple(each for each in found if each.id == NAME)
    return PluginState(ours, folder, version.decode("utf-8", "replace").strip(), plugins)


def install_commands(scope: str) -> tuple[list[str], list[str]]:
    """The two commands that install the plugin from the folder that belongs to this Flagstone."""
    return (
        ["claude", "plugin", "marketplace", "add", str(plugin_folder().parent)],
        ["claude", "plugin", "install", NAME, "--scope", scope],
    )


def run_command(argv: list[str], here: Path) -> None:
    code, said, failure = run_quietly(argv, here, LIMIT_S)
    if code:
        words = (failure or said).decode("utf-8", "replace").strip()[-300:]
        raise FlagstoneError(f"`{' '.join(argv)}` failed: {words}", hint="give it yourself, and see what it says")


def state_record(state: PluginState) -> str:
    plugins = [vars(each) for each in state.plugins]
    record = {"version": state.ours, "folder": str(state.folder), "claude": state.claude or None, "installed": plugins}
    return json.dumps(record, indent=1)
