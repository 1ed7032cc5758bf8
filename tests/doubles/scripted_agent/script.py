"""The script language for tests: which actions the agent takes at which stage and attempt.

    "02":                    a stage, or "*" for all
      "*": instant           an attempt, or "*" for all
      1: [write-garbage]
      2: [hang, 30]          one action with its words, or a list of actions in order
      3: {do: [[sleep, 1], control-characters], then: instant}

Whatever no entry names is done as a genuine study. README.md beside this file lists the actions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flagstone.agents.protocol import AgentCall, CallOutcome
from flagstone.errors import FlagstoneError

# how many words an action takes: at least, at most
ACTIONS: Mapping[str, tuple[int, int]] = {
    "study": (0, 0),
    "instant": (0, 0),
    "instant-of": (1, 1),
    "write-nothing": (0, 0),
    "write-garbage": (0, 0),
    "binary": (0, 0),
    "huge": (1, 1),
    "control-characters": (0, 0),
    "missing-section": (1, 1),
    "placeholder": (0, 0),
    "symlink-out": (0, 0),
    "odd-name": (0, 0),
    "repository": (0, 0),
    "forge": (0, 0),
    "edit-approved": (1, 1),
    "feedback": (1, 1),
    "write": (2, 2),
    "say": (1, 1),
    "print-flood": (1, 1),
    "sleep": (1, 1),
    "hang": (1, 1),
    "daemon": (0, 1),
    "exit": (1, 1),
    "crash": (0, 0),
    "rate-limit": (0, 1),
    "session-lost": (0, 0),
    "outcome": (1, 1),
}
NUMBERS = frozenset({"huge", "print-flood", "sleep", "hang", "daemon", "exit", "rate-limit"})


@dataclass(frozen=True)
class Action:
    """One step of a script, with its words."""

    name: str
    words: tuple[str, ...] = ()

    def number(self, otherwise: float = 0.0) -> float:
        return float(self.words[0]) if self.words else otherwise


STUDY = (Action("study"),)


def actions_of(call: AgentCall) -> tuple[Action, ...]:
    """What this call does; FlagstoneError where the script cannot be read."""
    script = call.options.get("script")
    if not script:
        return STUDY
    table = script if isinstance(script, Mapping) else read_script(Path(str(script)), call.task.run_root)
    entry = entry_for(table, call.task.stage, call.task.attempt)
    return STUDY if entry is None else planned(entry)


def read_script(path: Path, run_root: Path) -> Mapping[object, object]:
    import yaml  # here, not above: most runs have no script

    place = run_root / path
    try:
        table = yaml.load(place.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, yaml.YAMLError) as error:
        problem = f"cannot read the script {path}: {error}"
        raise FlagstoneError(problem, hint="correct `script:` under `scripted:`, or remove it") from error
    if not isinstance(table, Mapping):
        raise unknown(table)
    return table


def entry_for(table: Mapping[object, object], stage: str, attempt: int) -> object | None:
    """The entry of the stage and attempt; the more exact one wins."""
    for by_stage in (row(table, stage), row(table, "*")):
        if isinstance(by_stage, Mapping) and not is_plan(by_stage):
            found = row(by_stage, str(attempt), "*")
            if found is not None:
                return found
        elif by_stage is not None:
            return by_stage
    return None


def row(table: Mapping[object, object], *names: str) -> object | None:
    """The value under the first of the names; YAML reads a bare 2 as a number, and 08 as a text."""
    spelled = {str(key): value for key, value in table.items()}
    for name in names:
        for spelling in (name, name.lstrip("0")):
            if spelled.get(spelling) is not None:
                return spelled[spelling]
    return None


def is_plan(value: Mapping[object, object]) -> bool:
    return "do" in value or "then" in value


def planned(entry: object) -> tuple[Action, ...]:
    """An entry as actions: a word, a list, or a mapping with `do` and `then`."""
    if isinstance(entry, Mapping) and is_plan(entry):
        steps = planned(entry["do"]) if entry.get("do") else ()
        return steps + (planned(entry["then"]) if entry.get("then") else ())
    if isinstance(entry, list) and not is_one_action(entry):
        return tuple(action for step in entry for action in planned(step))
    if isinstance(entry, list):
        return (checked(Action(str(entry[0]), tuple(str(word) for word in entry[1:]))),)
    if isinstance(entry, Mapping) and len(entry) == 1:
        name, words = next(iter(entry.items()))
        return planned([name, *(words if isinstance(words, list) else [words])])
    if isinstance(entry, str) and entry.strip():
        name, _, rest = entry.strip().partition(" ")
        most = ACTIONS.get(name, (0, 0))[1]
        return (checked(Action(name, tuple(rest.split(maxsplit=most - 1)) if rest and most else ())),)
    raise unknown(entry)


def is_one_action(entry: list[object]) -> bool:
    """[hang, 30] is one action with its word; [say hello, instant] is two."""
    if not entry or not isinstance(entry[0], str) or entry[0] not in ACTIONS:
        return False
    most = ACTIONS[entry[0]][1]
    rest = entry[1:]
    return 0 < len(rest) <= most and all(isinstance(word, str | int | float) and word not in ACTIONS for word in rest)


def checked(action: Action) -> Action:
    if action.name not in ACTIONS:
        raise unknown(action.name)
    least, most = ACTIONS[action.name]
    if not least <= len(action.words) <= most:
        raise unknown(f"{action.name} with {len(action.words)} words (it takes {least} to {most})")
    if action.name == "outcome" and action.words[0] not in list(CallOutcome):
        raise unknown(f"outcome {action.words[0]} (there are {', '.join(CallOutcome)})")
    if action.name in NUMBERS:
        try:
            action.number()
        except ValueError:
            raise unknown(f"{action.name} {action.words[0]} (it takes a number)") from None
    return action


def unknown(what: object) -> FlagstoneError:
    return FlagstoneError(
        f"the script says something unknown: {what!r}",
        hint=f"its actions are {', '.join(ACTIONS)}",
    )
