"""What other distributions add to Flagstone through entry points: agents, readers of metrics, proposers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import cache, partial
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from flagstone.errors import FlagstoneError, suggestion

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

WORDS = {"agents": "agent", "metrics": "metric backend", "proposers": "proposer"}


def find(kind: str, name: str, built_in: Mapping[str, str | Callable[..., Any]]) -> Callable[..., Any]:
    """The agent, reader or proposer of this name: ours, or else one that a distribution adds.

    Ours may be written as `package.module:name`: then it is loaded only when it is asked for. The error for an unknown
    name suggests the nearest one.
    """
    ours = built_in.get(name)
    if ours is not None:
        return resolve_name(ours) if isinstance(ours, str) else ours
    added = entry_points_on(tuple(sys.path), kind)
    if name in added:
        return partial(call_plugin, added[name], WORDS[kind])
    names = [*built_in, *added]
    hint = f"{suggestion(name, names)} known: {', '.join(names)}".strip()
    raise FlagstoneError(f"unknown {WORDS[kind]} {name!r}", hint=hint)


def plugin_names(kind: str) -> tuple[str, ...]:
    """The names under which distributions add something of a kind."""
    return tuple(entry_points_on(tuple(sys.path), kind))


@cache
def entry_points_on(path: tuple[str, ...], kind: str) -> Mapping[str, EntryPoint]:
    # imported here: looking through all distributions takes milliseconds, and most runs need none of them
    from importlib.metadata import entry_points

    return {each.name: each for each in entry_points(group=f"flagstone.{kind}")}


def call_plugin(plugin: EntryPoint, what: str, *arguments: object) -> Any:
    """Calls what a distribution adds; whatever goes wrong in it names the distribution."""
    try:
        return plugin.load()(*arguments)
    except FlagstoneError:
        raise
    except Exception as error:
        owner = plugin.dist.name if plugin.dist else "another distribution"
        problem = f"the {what} {plugin.name!r} of {owner} failed: {type(error).__name__}: {error}"
        raise FlagstoneError(problem, hint=f"repair {owner}, or choose another {what}") from error
