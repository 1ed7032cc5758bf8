"""`flagstone plugin status`: shows whether Claude Code has the plugin."""

from __future__ import annotations

import click

from flagstone.cli.location import Location
from flagstone.cli.plugin.installation import INSTALL, NAME, PluginState, state_of_plugin, state_record
from flagstone.text import one_line


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
@click.pass_obj
def command(location: Location, as_json: bool) -> None:
    """Show whether Claude Code is installed, and whether it has this version of the plugin.

    \b
    flagstone plugin status
    """
    state = state_of_plugin(location.here)
    click.echo(state_record(state) if as_json else "\n".join(state_lines(state)))


def state_lines(state: PluginState) -> list[str]:
    rows = [f"plugin: version {state.ours} in {state.folder}"]
    if not state.claude:
        return [*rows, "Claude Code: not on the PATH", f"next: {INSTALL}"]
    rows.append(f"Claude Code: {one_line(state.claude, 60)}")
    rows += [
        f"installed: {one_line(each.version, 30)} ({one_line(each.scope, 20)}{'' if each.enabled else ', disabled'})"
        for each in state.plugins
    ]
    if not state.plugins:
        return [*rows, "installed: no", "next: flagstone plugin install"]
    if state.scopes_to_update:
        return [
            *rows,
            f"next: claude plugin update {NAME} --scope {one_line(state.scopes_to_update[0], 20)}",
        ]
    return [*rows, "next: /flagstone:setup in a session of Claude Code"]
