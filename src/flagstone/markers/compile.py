"""A marker as the experiment that the engine runs."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flagstone.globs import matches
from flagstone.markers.marker import Check, Marker
from flagstone.markers.profile import search_tools, secret_files
from flagstone.plans import FOLDER, MEASURED

# what Python imports before any program: it could answer in place of the metric and of every check
IMPORTED = ("**/sitecustomize.py", "**/usercustomize.py")
NEVER = (".git/**", f"{FOLDER}/**", ".autoresearch/**", ".autoresearch.yaml", *IMPORTED)


def spec_values(marker: Marker, *, at_head: bool = False) -> dict[str, Any]:
    """The experiment.yaml of a marker. With `at_head` it starts from the last commit, whatever is edited since."""
    found: dict[str, Any] = {
        "goal": marker.description or f"improve {marker.name}",
        "subject": subject_values(marker, at_head),
        "harness": harness_values(marker),
        "metric": metric_values(marker),
        "noise": noise_values(marker),
        "stopping": stopping_values(marker),
        "escalation": asdict(marker.escalation),
        "simplicity": marker.simplicity,
        "proposer": marker.loop.proposer,
        "agent": agent_values(marker),
        "sandbox": marker.run.get("sandbox", "auto"),
    }
    if marker.guard:
        found |= {"guard": check_values(marker, marker.guard), "rework": marker.guard.rework_attempts}
    if marker.hidden:
        found["hidden"] = check_values(marker, marker.hidden)
    if marker.loop.parallel > 1 and not marker.metric.timing:
        found |= {"lag": marker.loop.parallel + 1, "rebase": True}
    if marker.loop.script:
        found["script"] = marker.loop.script
    return found


def subject_values(marker: Marker, at_head: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "kind": "git",
        "root": ".",
        "mutable": list(marker.mutable),
        "immutable": [*marker.immutable, *NEVER],
        "uncommitted": "none",
        "at_head": at_head,
    }
    held_out, scratch = held_out_globs(marker), marker.run.get("scratch")
    return found | ({"held_out": held_out} if held_out else {}) | ({"scratch": list(scratch)} if scratch else {})


def harness_values(marker: Marker) -> dict[str, Any]:
    run = marker.run
    return {
        "argv": shell(marker.metric.command),
        "seconds": marker.metric.seconds or marker.loop.budget_per_experiment_s,
        "env": dict(run.get("env", {})),
        "gpus": run.get("gpus", 0),
        "exclusive": marker.metric.timing,
        "network": run.get("network", False),
        "ok_exit": list(marker.metric.ok_exit),
    }


def shell(command: str) -> list[str]:
    return ["bash", "-c", command]


def metric_values(marker: Marker) -> dict[str, Any]:
    metric = marker.metric
    # under these names an experiment has what it measures itself
    name = f"{marker.name} number" if marker.name in MEASURED else marker.name
    found: dict[str, Any] = {"name": name, "direction": metric.direction, "backend": "command"}
    found |= {"extract": metric.extract, "stderr": metric.stderr}
    found |= {"locale": metric.locale} if metric.locale else {}
    return found | ({} if metric.empty is None else {"empty": metric.empty})


def check_values(marker: Marker, check: Check) -> dict[str, Any]:
    """The guard or the hidden check. It reads numbers as the metric does."""
    found: dict[str, Any] = {
        "argv": shell(check.command),
        "seconds": check.seconds or marker.loop.budget_per_experiment_s,
        "passes": asdict(check.passes),
    }
    if not check.extract:
        return found
    found |= {"extract": check.extract, "threshold": check.threshold, "direction": check.direction}
    return found | {"stderr": marker.metric.stderr, "locale": marker.metric.locale}


def noise_values(marker: Marker) -> str | dict[str, Any]:
    if marker.noise is None:
        return "off"
    repeats = {} if marker.metric.repeats is None else {"baseline_repeats": marker.metric.repeats}
    return asdict(marker.noise) | repeats


def stopping_values(marker: Marker) -> dict[str, Any]:
    """When it ends. What a session may take, and how many experiments it makes, is counted by the session."""
    found = {"threshold": marker.metric.target, "on_halt": True}
    return {key: value for key, value in found.items() if value is not None}


def agent_values(marker: Marker) -> dict[str, Any]:
    agent, seconds = marker.agent, marker.loop.budget_per_experiment_s
    found: dict[str, Any] = {"driver": agent.driver, "mode": "work", "wall_s": seconds, "silence_s": seconds}
    found |= {"model": agent.model, "cost_usd": agent.max_cost, "options": dict(agent.options)}
    found |= {"rework_cost_usd": marker.loop.rework_cost, "issues_command": marker.metric.issues_command}
    found |= {"search_tools": search_tools(agent), "secret_files": secret_files(marker)}
    return {key: value for key, value in found.items() if value not in (None, "", {}, [])}


def held_out_globs(marker: Marker) -> list[str]:
    """The files that only the hidden check sees: those that are set, or those that its command alone names."""
    if marker.hidden is None:
        return []
    if marker.hidden.held_out:
        return list(marker.hidden.held_out)
    commands = [marker.metric.command, marker.guard.command if marker.guard else ""]
    used = {path for command in commands for path in paths_named(command, marker.repository)}
    named = paths_named(marker.hidden.command, marker.repository)
    alone = [path for path in named if not any(is_within(other, path) for other in used)]
    return [glob for path in dict.fromkeys(alone) for glob in globs_of(path, marker)]


def paths_named(command: str, repository: Path) -> Iterator[str]:
    """The words of a shell command that are paths of the repository, relative to its top."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError:  # an open quote: bash says so when the command is run
        words = command.split()
    for word in words:
        path = os.path.normpath(word) if word and not os.path.isabs(word) else ".."
        if len(path) < 1000 and path.split("/")[0] not in ("..", ".", ".git") and (repository / path).exists():
            yield path


def is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def globs_of(path: str, marker: Marker) -> Iterator[str]:
    """The glob of a file or a folder; none if a marker may change something in it."""
    place: Path = marker.repository / path
    below = (each.relative_to(marker.repository).as_posix() for each in place.rglob("*")) if place.is_dir() else [path]
    if not any(matches(each, marker.mutable) for each in below):
        yield f"{path}/**" if place.is_dir() else path


def has_open_hold_out(marker: Marker) -> bool:
    """Whether the hidden check names no file that the agent cannot see."""
    if marker.hidden is None or held_out_globs(marker):
        return False
    return not any(Path(word).is_absolute() and Path(word).exists() for word in marker.hidden.command.split())
