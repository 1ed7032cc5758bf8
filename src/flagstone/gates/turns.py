"""What is asked of a stage at one moment, and why it has to be built again. Nothing here reads a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flagstone.gates.moment import Moment
from flagstone.gates.runs import Publication, Turn
from flagstone.stages import Stage

NO_REASON = {"limits"}  # records of earlier versions have them: how long work may take says nothing about it


def next_turn(moment: Moment, stage: Stage) -> Turn:
    """What people, settings and upstream stages ask of this stage."""
    files = moment.stages[stage.nr]
    was = files.publication
    turn = Turn(
        feedback=files.feedback if files.feedback is not None else (was.turn.feedback if was else ""),
        redo=files.redo,
        upstream={up.nr: moment.stages[up.nr].digest for up in moment.table.ancestors(stage.nr)},
        settings=files.settings,
    )
    if was is None or replace(turn, settings=was.turn.settings) != was.turn:
        return turn
    was_approved = files.seal is not None and files.seal.attempt == was.attempt
    # approved work is not thrown away over a changed setting: the gate says so instead
    return was.turn if was_approved or not changed_settings(turn.settings, was.turn.settings) else turn


def may_stand(moment: Moment, stage: Stage) -> bool:
    """Whether only a person's request keeps the last version from being the one that counts."""
    files = moment.stages[stage.nr]
    if files.publication is None:
        return False
    was = files.publication.turn
    calm = replace(files, feedback=None, redo=was.redo)
    now = next_turn(replace(moment, stages={**moment.stages, stage.nr: calm}), stage)
    return now.key == was.key


def changed_settings(now: Mapping[str, Any], before: Mapping[str, Any]) -> list[str]:
    """Which settings differ, in words."""
    found = []
    for key in sorted({*now, *before} - NO_REASON):
        if now.get(key) == before.get(key):
            continue
        if key in ("prompt", "brief"):
            found.append(f"the {key} changed")
        elif isinstance(now.get(key), dict) and isinstance(before.get(key), dict):
            found.extend(f"{key}.{phrase}" for phrase in changed_settings(now[key], before[key]))
        else:
            found.append(f"{key} {value_text(before.get(key))} → {value_text(now.get(key))}")
    return found


def value_text(value: object) -> str:
    return "the default" if value is None else str(value)


def rebuild_reasons(stage: Stage, turn: Turn, was: Publication) -> list[str]:
    """Why a stage has to be built again, in words a person knows."""
    found = []
    if turn.feedback != was.turn.feedback:
        found.append(f"feedback/{stage.nr}.md asks for changes")
    if turn.redo != was.turn.redo:
        found.append(f"redo/{stage.nr} asks for a new start")
    changed = [nr for nr in turn.upstream if turn.upstream[nr] != was.turn.upstream.get(nr)]
    if changed:
        found.append(f"stage {', '.join(changed)} changed")
    return found + changed_settings(turn.settings, was.turn.settings)
