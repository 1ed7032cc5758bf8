"""The questions about what comes out: goal, metric, backend, checkpoint, limits, files, seconds, wandb."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

from flagstone.setup.interview.program_questions import is_sure, rests_on
from flagstone.setup.interview.question import MOST_CHARACTERS, MOST_CHOICES, SetupQuestion, choices_of
from flagstone.setup.interview.settled import Settled
from flagstone.text import count_text, list_text, one_line

NIGHT_S = 8 * 3600
DEFAULT_S = 300
NEAR = 0.8  # of the memory of a GPU that is used by others
SECONDS = (300, 900, 1800, 600)
PLACES = ("path", "glob", "tag", "regex", "code")
UNKNOWN = ({"name": "val_loss", "direction": "min"}, {"name": "accuracy", "direction": "max"})  # to choose from
BACKENDS = {
    "log": "what the run prints",
    "csv": "a file with a column for it; say which: csv PATH",
    "json": "a file with a key for it; say which: json PATH",
    "auto": "wandb, TensorBoard, a file, then the log",
}


def metric_question(settled: Settled) -> SetupQuestion:
    found = settled.finding("metric")
    candidates = [row if isinstance(row, dict) else {"name": row} for row in found.candidates if row]
    choices = [choice for row in candidates or UNKNOWN for choice in metric_choices(row)]
    value = found.value or {}
    if value.get("direction") and len(choices) == 1:
        other = "max" if value["direction"] == "min" else "min"
        choices += metric_choices({**value, "direction": other})
    is_known = is_sure(found) and bool(value.get("direction"))
    return SetupQuestion(
        id="metric",
        text=f"Which number should become better?{rests_on(found)}",
        header="Metric",
        choices=choices_of(choices),
        flag=metric_flag(candidates),
        is_open=not is_known or len(candidates) > 1,
        is_sure=is_known,
        has_default=bool(value.get("direction")),
    )


def metric_flag(candidates: Sequence[dict[str, Any]]) -> str:
    """The flags that settle the metric: which of several names, and the direction if that is not known."""
    names = list(dict.fromkeys(shlex.quote(one_line(row["name"], MOST_CHARACTERS)) for row in candidates))
    is_direction_open = not all(row.get("direction") for row in candidates) or not names
    name = "" if len(names) == 1 and is_direction_open else f"--metric {'|'.join(names[:MOST_CHOICES]) or 'NAME'}"
    return " ".join(filter(None, (name, "--direction min|max" if is_direction_open else "")))


def metric_choices(row: dict[str, Any]) -> list[tuple[str, Any, str]]:
    """A choice for a metric; two, if it is not known which direction is better."""
    words = {"min": "less is better", "max": "more is better"}
    directions = [row["direction"]] if row.get("direction") else ["min", "max"]
    place = f", read from {row['backend']}" if row.get("backend") else ""
    return [
        (f"{row['name']} {each}", {"name": row["name"], "direction": each}, f"{words[each]}{place}")
        for each in directions
    ]


def backend_question(settled: Settled) -> SetupQuestion:
    metric, found = settled.metric, settled.finding("metric")
    own = {key: metric[key] for key in PLACES if metric.get(key)}
    name = metric.get("backend") or "auto"
    why = f"with {metric['override']} added to the command" if metric.get("override") else str(own.get("path", ""))
    choices = [(name, {"name": name, **own}, why or "where it was found")]
    choices += [(each, {"name": each}, words) for each, words in BACKENDS.items() if each != name]
    needs_code = name == "custom" and not own.get("code")
    return SetupQuestion(
        id="backend",
        text=f"Where is the number read from?{rests_on(found)}",
        header="Backend",
        choices=choices_of(choices),
        flag="--backend NAME" if not needs_code else "--code FILE",
        is_open=needs_code
        or bool(metric.get("name") and not metric.get("backend") and "metric" not in settled.answers),
        is_sure=not needs_code,
    )


def checkpoint_question(settled: Settled) -> SetupQuestion:
    found = settled.finding("checkpoint")
    globs = [str(each) for each in found.candidates if each]
    choices = [(glob, glob, "") for glob in globs[:3]]
    choices += [("none", "none", "no weights are kept")]
    choices += [] if globs else [("checkpoints/*.pt", "checkpoints/*.pt", "the newest file counts")]
    return SetupQuestion(
        id="checkpoint",
        text=f"Which files does a run save as its checkpoint?{rests_on(found)}",
        header="Checkpoint",
        choices=choices_of(choices),
        flag="--checkpoint GLOB",
        is_open=found.confidence == "unclear",
        is_sure=found.confidence != "unclear",
    )


def constraints_question(settled: Settled) -> SetupQuestion:
    names = [str(each) for each in settled.metric.get("constraints", ())]
    gpus = settled.look.environment.facts.gpus
    limits = [f"{name} <= {gpus[0].total_mb:.0f}" for name in names if "mb" in name and gpus]
    choices: list[tuple[str, Any, str]] = [("none", [], "no limit")]
    choices += [(limit, [limit], "the memory of the GPU") for limit in limits]
    choices += [("peak_rss_mb <= 16000", ["peak_rss_mb <= 16000"], "the memory of all processes of a run")]
    return SetupQuestion(
        id="constraints",
        text="Which limits must a candidate keep?" + (f" The run also prints {list_text(names, 3)}." if names else ""),
        header="Limits",
        choices=choices_of(choices),
        flag='--constraint "NAME <= NUMBER"',
        is_open=bool(limits) and any(gpu.used_mb > NEAR * gpu.total_mb for gpu in gpus),
        is_several=True,
    )


def mutable_question(settled: Settled) -> SetupQuestion:
    found = settled.finding("mutable")
    paths = [str(each) for each in found.value or ()]
    choices = [(f"the {count_text(len(paths), 'ranked file')}", paths, list_text(paths, 4))] if len(paths) > 1 else []
    choices += [(path, [path], "") for path in paths]
    choices += [(str(lost.value), [str(lost.value)], lost.why) for lost in found.lost if isinstance(lost.value, str)]
    choices += [("**/*.py", ["**/*.py"], "every Python file of the project")] if len(choices) < 2 else []
    choices += [("**/*", ["**/*"], "every file of the project")] if len(choices) < 2 else []
    return SetupQuestion(
        id="mutable",
        text=f"Which files may be edited?{rests_on(found)}",
        header="Files",
        choices=choices_of(choices),
        flag="--mutable FILE",
        is_open=not is_sure(found),
        is_sure=is_sure(found),
        is_several=True,
        has_default=bool(paths),
    )


def seconds_question(settled: Settled) -> SetupQuestion:
    found = settled.finding("seconds")
    best = found.value or DEFAULT_S
    rows = [best, *(each for each in SECONDS if each != best)]
    why = rests_on(found) if found.evidence else " No earlier run was found."
    return SetupQuestion(
        id="seconds",
        text=f"How many seconds may one run take?{why}",
        header="Seconds",
        choices=choices_of((f"{each:g}", each, f"about {NIGHT_S / each:.0f} runs a night") for each in rows),
        flag="--seconds N",
        is_open=True,
    )


def wandb_question(settled: Settled) -> SetupQuestion:
    project = settled.metric.get("project")
    choices = [(str(project), str(project), "found in an earlier run")] if project else []
    choices += [("none", "none", "wandb stays offline, and keeps its own name")]
    choices += [(settled.look.root.name, settled.look.root.name, "the name of the folder")]
    return SetupQuestion(
        id="wandb",
        text="Which project of wandb do runs belong to? Runs are offline in any case.",
        header="wandb",
        choices=choices_of(choices),
        flag="--wandb-project NAME",
        is_open=settled.metric.get("backend") == "wandb" and not project,
    )


def goal_question(settled: Settled) -> SetupQuestion:
    found, name = settled.finding("goal"), settled.metric.get("name", "the number")
    plain = f"improve {name}"
    rows = [settled.topic] if settled.topic else []
    choices = [(text, text, "") for text in [*rows, plain, *map(str, found.value or ())]]
    if len(choices) < 2:
        choices.append((f"{plain} without a larger model", f"{plain} without a larger model", ""))
    return SetupQuestion(
        id="goal",
        text=f"What is the goal?{rests_on(found)}",
        header="Goal",
        choices=choices_of(choices),
        flag="--goal TEXT",
    )
