"""Pages that are read from the code: commands, gates, exit codes, files and checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import click

from flagstone import errors
from flagstone.cli.main import COMMANDS, flagstone
from flagstone.gates.judge import State, Verdict
from flagstone.gates.messages import Messages
from flagstone.gates.moment import StageFiles
from flagstone.layout import Run
from flagstone.markers import MarkerFolder
from flagstone.stages import StageTable
from flagstone.status.model import WORDS
from generating.markdown import code_block, grid, refuse
from generating.source import judgements, rule_ids


def commands_page() -> str:
    """The help of every command, as a terminal of 100 columns shows it."""
    top = click.Context(flagstone, info_name="flagstone", terminal_width=100, **flagstone.context_settings)
    text = "# Commands\n\n" + code_block(flagstone.get_help(top))
    for name in COMMANDS:
        command = flagstone.get_command(top, name)
        assert command is not None
        within = click.Context(command, info_name=name, parent=top, terminal_width=100)
        text += f"\n## flagstone {name}\n\n" + code_block(command.get_help(within))
    return text


def gates_page(table: StageTable) -> str:
    """Every judgement of judge.py: the state, its word in `status`, and the line a call ends with."""
    rows = []
    messages = Messages(Run(Path("runs/attn")), Path())
    sample = Verdict(StageFiles(table.stage("03")), State.WAITING)
    for state, reason in sorted(set(judgements()), key=lambda row: (list(State).index(row[0]), row[1])):
        line = "–" if state is State.APPROVED else messages.of_gate(replace(sample, state=state, reason=reason))
        rows.append((state.value, WORDS[state], line))
    return (
        "# Gates\n\nThe table shows stage 03 of a run `attn`; other stages look the same. ⟨…⟩ is filled in. "
        "Three more words occur in `status`: `held` is a stage that is done but rests on a closed gate, `failed` is a "
        "stage that has used up its attempts, and `paused` is one whose agent said when to come back. "
        "The reasons are in [Gates](../design/gates.md).\n\n"
        + grid(("state", "in `status`", "last line of a call"), rows)
    )


def exit_codes_page() -> str:
    """The exit codes of `flagstone`, from the errors themselves."""
    kinds = [
        each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, errors.FlagstoneError)
    ]
    rows = [
        ("0", "Done, or stopped at a gate: waiting for a person is success."),
        ("1", "A fault of Flagstone; the traceback is shown."),
    ]
    rows += [(str(kind.exit_code), (kind.__doc__ or "").split(" (")[0].rstrip(".") + ".") for kind in kinds]
    intro = "These are the exit codes of `flagstone`. Plain `snakemake` has only 0 (also for a closed gate) and 1."
    return f"# Exit codes\n\n{intro}\n\n" + grid(("code", "meaning"), sorted(rows, key=lambda row: int(row[0])))


def files_page(meanings: Mapping[str, str], of_markers: Mapping[str, str]) -> str:
    """Every path that layout.Run or MarkerFolder names, with its meaning; a path without one is an error."""
    run, rows, unsaid = Run(Path("R")), [], []
    samples = {"nr": "NN", "key": "NN_name", "kind": "KIND", "name": "NAME", "number": "NUMBER"}
    for name, member in vars(Run).items():
        if isinstance(member, property | cached_property):
            path = getattr(run, name)
        elif callable(member) and not name.startswith("_") and name not in ("relative", "below"):
            arguments = [samples[each] for each in member.__code__.co_varnames[1 : member.__code__.co_argcount]]
            path = member(run, *arguments)
        else:
            continue
        if isinstance(path, Path):
            where = path.relative_to("R").as_posix()
            rows.append((f"`{where}`", meanings.get(where, "")))
            unsaid += [] if where in meanings else [where]
    rows += [(f"`{where}`", meaning) for where, meaning in meanings.items() if f"`{where}`" not in dict(rows)]
    refuse(unsaid, "files")
    folder, paths = MarkerFolder(Path("M"), Path()), vars(MarkerFolder).items()
    named = {getattr(folder, name).name for name, member in paths if isinstance(member, cached_property)}
    refuse(sorted(named - set(of_markers)), "marker")
    head = ("path", "what it is")
    return (
        f"# Files of a run\n\nBelow `runs/<run>/`.\n\n{grid(head, sorted(rows))}\n## Files of a marker\n\n"
        "Below `.flagstone/markers/<marker>/` of the repository that the marker is in. Git ignores all of it.\n\n"
        + grid(head, [(f"`{name}`", meaning) for name, meaning in of_markers.items()])
    )


def checks_page(meanings: Mapping[str, Mapping[str, str]]) -> str:
    """Every rule id the checks can answer with; one without a meaning, or a meaning without one, is an error."""
    found = rule_ids()
    known = {rule: (where, meaning) for where, rules in meanings.items() for rule, meaning in rules.items()}
    refuse(sorted(found ^ set(known)), "checks")
    text = (
        "# Checks\n\nEvery attempt is checked. A failed rule sends the draft back to the agent, "
        "with the rule's message. "
        "*Not checked* means that the check is not built yet; it never counts as passed. "
        "A requirement of a stage (`requires:` in config/stages.yaml) adds the rules listed under its name.\n"
    )
    for where, rules in meanings.items():
        text += f"\n## {where}\n\n" + grid(("rule", "what it requires"), [(f"`{r}`", m) for r, m in rules.items()])
    return text
