"""The questions about what is started: entry, arguments, runner, framework, resume, environment."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

from flagstone.setup.interview.function_entry import module_of
from flagstone.setup.interview.question import SetupQuestion, choices_of
from flagstone.setup.interview.settled import Settled
from flagstone.setup.project_finding import ProjectFinding
from flagstone.text import list_text

AR_VARIABLE = "AR_RESUME_CKPT"
FRAMEWORKS = ("none", "lightning", "accelerate", "ddp", "deepspeed", "fsdp")


def rests_on(finding: ProjectFinding) -> str:
    """What a finding rests on, as the end of a question."""
    places = f" Found in {list_text(finding.evidence, 2)}." if finding.evidence else ""
    return f"{places} {finding.note}".rstrip()


def is_sure(finding: ProjectFinding) -> bool:
    return finding.confidence in ("certain", "likely")


def environment_question(settled: Settled) -> SetupQuestion:
    """What to do about an environment that cannot be used. Nothing is done without an answer."""
    report = settled.look.environment
    is_needed = settled.look.program.entry.endswith((".py", ".ipynb"))
    choices: list[tuple[str, Any, str]] = [
        (each.kind, each.kind, f"{each.text} (touches {each.touches})") for each in report.cures
    ]
    cures = [f"--cure {each.kind} ({each.text})" for each in report.cures if each.kind != "stop"]
    choices += [("stop", "stop", "mend it by hand")]
    choices += [("another Python", "stop", "stop, and name it with --python PATH")]
    return SetupQuestion(
        id="environment",
        text=f"How should the environment be cured? {environment_problem(settled)}",
        header="Environment",
        choices=choices_of(choices),
        flag=" or ".join((*cures, "--python PATH")),
        is_open=is_needed and bool(environment_problem(settled)),
        is_sure=False,
        has_default=False,
    )


def environment_problem(settled: Settled) -> str:
    """What keeps the project from being run. Returns '' if nothing does."""
    report = settled.look.environment
    if report.faults:
        return report.faults[0]
    is_asked = bool(settled.request.python)
    if report.chosen and report.chosen.is_own and not is_asked:
        return f"only Flagstone's own environment was found ({report.chosen.python})"
    return "" if report.python else "no Python was found"


def entry_question(settled: Settled) -> SetupQuestion:
    found = settled.finding("entry")
    rows = [each for each in found.candidates if isinstance(each, dict)]
    choices = [(f"{row['file']}", row, f"{row.get('pattern', 'custom')}") for row in rows]
    if found.value:
        own = {**found.value, "pattern": "custom"}
        choices.append((f"{own['file']} as it is", own, "custom: its command line stays as it is"))
    return SetupQuestion(
        id="entry",
        text=f"Which file trains?{rests_on(found)}",
        header="Entry",
        choices=choices_of(choices),
        flag="--entry FILE",
        is_open=not is_sure(found),
        is_sure=is_sure(found),
    )


def arguments_question(settled: Settled) -> SetupQuestion:
    found = settled.finding("arguments")
    keys = list((found.value or {}).get("changeable", ()))
    choices = [("keep", "keep", f"may change: {list_text(keys, 6)}")] if keys else []
    choices += [("none", "none", "the command line stays as it is")]
    choices += [] if keys else [("keep", "keep", "the arguments of the command, none of which may change")]
    return SetupQuestion(
        id="arguments",
        text=f"Which arguments may change?{rests_on(found)}",
        header="Arguments",
        choices=choices_of(choices),
        flag="--argument KEY=VALUE",
        is_open=found.confidence == "unclear" and bool(keys) and settled.pattern in ("argparse", "hydra"),
        is_sure=found.confidence != "unclear" or not keys,
    )


def resume_question(settled: Settled) -> SetupQuestion:
    found = settled.finding("resume")
    rows = [each for each in found.candidates if isinstance(each, dict)]
    choices: list[tuple[str, Any, str]] = [
        (" ".join(map(str, way.values())), way, "given the checkpoint to start from") for way in map(resume_way, rows)
    ]
    choices += [(AR_VARIABLE, {"variable": AR_VARIABLE}, "an environment variable, which your code has to read")]
    choices += [("none", "none", "runs always start anew")]
    return SetupQuestion(
        id="resume",
        text=f"How does a run start from a checkpoint?{rests_on(found)}",
        header="Resume",
        choices=choices_of(choices),
        flag="--resume-flag FLAG or --resume-variable NAME",
        is_open=found.confidence == "unclear",
        is_sure=found.confidence != "unclear",
    )


def resume_way(value: dict[str, Any]) -> dict[str, Any]:
    """The one way that a finding names: by a flag, a key or a variable."""
    return {key: value[key] for key in ("flag", "key", "variable") if value.get(key)}


def framework_question(settled: Settled) -> SetupQuestion:
    found = settled.finding("framework")
    names = [*found.candidates, *FRAMEWORKS]
    choices = [(str(name), name, "") for name in names if name in FRAMEWORKS][:4]
    return SetupQuestion(
        id="framework",
        text=f"Which framework trains?{rests_on(found)}",
        header="Framework",
        choices=choices_of(choices),
        flag="--framework NAME",
        is_open=found.confidence == "unclear",
        is_sure=found.confidence != "unclear",
    )


def runner_question(settled: Settled) -> SetupQuestion:
    found, command = settled.finding("runner"), settled.finding("command")
    choices, here = list(runner_choices(settled)), len(settled.look.environment.facts.gpus)
    is_too_many = settled.processes > here and settled.processes > 1
    why = f" It starts {settled.processes} processes, and there are {here} GPUs here." if is_too_many else ""
    is_clear = is_sure(found) and is_sure(command) and not is_too_many
    return SetupQuestion(
        id="runner",
        text=f"Which command starts training?{rests_on(found if found.evidence else command)}{why}",
        header="Command",
        choices=choices_of(choices),
        flag="-- COMMAND",
        is_open=not is_clear,
        is_sure=is_clear,
    )


def runner_choices(settled: Settled) -> Iterator[tuple[str, Any, str]]:
    """The command that was found, the others that were, and the entry started by Python alone."""
    command = settled.finding("command")
    entry = (settled.value("entry") or {}).get("file")
    found = [each for each in command.candidates if isinstance(each, list)]
    others = (
        [["python", entry], ["python", "-m", module_of(entry)]] if entry else [["bash", *found[0]]] if found else []
    )
    for words in [*found, *others]:
        line = shlex.join(words)
        yield line, line, "the project's own" if words == command.value else ""
