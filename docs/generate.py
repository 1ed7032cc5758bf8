"""Writes docs/reference/ and docs/pictures/stages.svg from schemas, code and --help; `--check` only compares."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import click
import yaml

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
sys.path.insert(0, str(ROOT / "src"))

from draw import draw_page, picture  # noqa: E402
from source import judgements, rule_ids  # noqa: E402

from flagstone import errors  # noqa: E402
from flagstone.cli.main import COMMANDS, flagstone  # noqa: E402
from flagstone.gates.judge import State, Verdict  # noqa: E402
from flagstone.gates.messages import Messages  # noqa: E402
from flagstone.gates.moment import StageFiles  # noqa: E402
from flagstone.layout import Run  # noqa: E402
from flagstone.plans.folder import Home  # noqa: E402
from flagstone.stages import StageTable, load_table  # noqa: E402
from flagstone.status.model import WORDS  # noqa: E402

HEAD = "<!-- Written by docs/generate.py. Do not edit: change its source, then `make docs`. -->\n\n"
RECORDS = ("offer", "checks", "index", "manifest", "result", "best")
Row = tuple[str, ...]


def pages() -> dict[str, str]:
    """Every generated file, by its path below docs/."""
    words = yaml.safe_load((DOCS / "meanings.yaml").read_text())
    table = load_table(ROOT / "config" / "stages.yaml", ROOT / "schemas")
    return {
        "reference/settings.md": HEAD + settings_page(),
        "reference/stages.md": HEAD + stages_page(table),
        "reference/records.md": HEAD + records_page(),
        "reference/experiment.md": HEAD + experiment_page(words["experiment"]),
        "reference/commands.md": HEAD + commands_page(),
        "reference/gates.md": HEAD + gates_page(),
        "reference/exit-codes.md": HEAD + exit_codes_page(),
        "reference/files.md": HEAD + files_page(words["files"]),
        "reference/checks.md": HEAD + checks_page(words["checks"]),
        "pictures/stages.svg": picture(table),
    }


# --- schemas ----------------------------------------------------------------------------------------------------------


def schema_of(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "schemas" / f"{name}.schema.yaml").read_text()))


def keys(
    schema: Mapping[str, Any], whole: Mapping[str, Any], path: str = ""
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every key of a schema, those within it included: `limits.attempts`, `entries[].path`, `stages.NN.model`."""
    schema = with_references(schema, whole)
    for form in schema.get("oneOf", ()):
        yield from keys(form, whole, path)
    if "items" in schema:
        yield from keys(schema["items"], whole, f"{path}[]")
    for name, value in schema.get("properties", {}).items():
        inner = f"{path}.{name}" if path else name
        yield inner, with_references(value, whole)
        yield from keys(value, whole, inner)
    if isinstance(schema.get("additionalProperties"), dict):
        yield from keys(schema["additionalProperties"], whole, f"{path}.NN")


def with_references(schema: Mapping[str, Any], whole: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema with what its `$ref` names filled in."""
    if "$ref" not in schema:
        return schema
    target = whole["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
    return {**with_references(target, whole), **{key: value for key, value in schema.items() if key != "$ref"}}


def type_of(schema: Mapping[str, Any]) -> str:
    """What a value may be, in one phrase."""
    if "enum" in schema:
        return " · ".join(f"`{word}`" for word in schema["enum"])
    if isinstance(schema.get("additionalProperties"), dict) and "enum" in schema["additionalProperties"]:
        return "mapping to " + type_of(schema["additionalProperties"])
    if "oneOf" in schema:
        return " or ".join(type_of(form) for form in schema["oneOf"])
    if "const" in schema:
        return f"`{str(schema['const']).lower()}`"
    kinds = schema.get("type", "anything")
    said = " or ".join([kinds] if isinstance(kinds, str) else kinds)
    bounds = (("minimum", "at least"), ("exclusiveMinimum", "above"), ("maximum", "at most"))
    return ", ".join([said, *(f"{word} {schema[key]}" for key, word in bounds if key in schema)])


def settings_page() -> str:
    schema = schema_of("settings")
    rows = [(f"`{key}`", type_of(row), default(row, key), description(row)) for key, row in keys(schema, schema)]
    intro = (
        "A default holds unless another value is set: for every new run in `config/config.yaml`, which the run pins; "
        "for one run in its `run.yaml`; for one call by `snakemake --config key=value`. Unknown keys are errors.\n\n"
        '`NN` stands for a stage\'s two digits, in quotes: `stages: {"05": {model: opus}}`.\n\n'
    )
    return "# Settings\n\n" + intro + grid(("key", "value", "default", "meaning"), rows)


def default(row: Mapping[str, Any], key: str) -> str:
    """The default of a key; nothing if it has none, or if it sets for one stage what the run has set."""
    if "default" not in row or ".NN" in key:
        return ""
    flow = yaml.safe_dump([row["default"]], default_flow_style=True, width=1000)
    return f"`{flow.strip()[1:-1]}`"


def stages_page(table: StageTable) -> str:
    schema = schema_of("stages")
    row = schema["properties"]["stages"]["additionalProperties"]
    form = [(f"`{key}`", type_of(each), description(each)) for key, each in keys(row, schema)]
    rows = [
        (
            f"`{each.key}`",
            each.title,
            ", ".join(each.after) or "–",
            ", ".join(f"`{name}`" for name in each.requires) or "–",
        )
        for each in table
    ]
    return (
        "# Stages\n\nThe rows of `config/stages.yaml`. [Checks](checks.md) says what each requirement means.\n\n"
        + grid(("stage", "title", "after", "requires"), rows)
        + "\n## A row of the table\n\n"
        + grid(("key", "value", "meaning"), form)
    )


def experiment_page(meanings: Mapping[str, str]) -> str:
    """experiment.yaml key by key, then every path that plans.folder.Home names."""
    schema = schema_of("experiment")
    needed = {"goal", "subject", "subject.mutable", "harness", "harness.argv", "metric", "metric.name"}
    rows = [
        (f"`{key}`" + (" *" if key in needed | {"metric.direction"} else ""), type_of(row), description(row))
        for key, row in keys(schema, schema)
    ]
    paths = {getattr(Home(Path("H"), Path()), name).name for name in vars(Home) if is_path_of(Home, name)}
    refuse(sorted(paths - set(meanings)), "experiment")
    files = [(f"`{name}`", meaning) for name, meaning in meanings.items()]
    return (
        f"# Experiment\n\n{description(schema)} `*` marks a required key. Unknown keys are errors.\n\n"
        + grid(("key", "value", "meaning"), rows)
        + "\n## Files of an experiment\n\nBelow `runs/<run>/experiments/<name>/`, or `.flagstone/experiments/<name>/` "
        "of another project.\n\n" + grid(("path", "what it is"), files)
    )


def is_path_of(owner: type, name: str) -> bool:
    return isinstance(vars(owner)[name], property | cached_property) and name not in ("name", "log")


def records_page() -> str:
    """The records Flagstone writes: one table each."""
    text = "# Records\n\nFiles that Flagstone writes and scripts may read. They are never edited by hand.\n"
    for name in RECORDS:
        schema = schema_of(name)
        needed = set(schema.get("required", ()))
        rows = [
            (f"`{key}`" + (" *" if key in needed else ""), type_of(row), description(row))
            for key, row in keys(schema, schema)
        ]
        text += f"\n## {schema['title']}\n\n{description(schema)} `*` marks a key that is always there.\n\n"
        text += grid(("key", "value", "meaning"), rows)
    return text


def description(schema: Mapping[str, Any]) -> str:
    return " ".join(str(schema.get("description", "")).split())


# --- commands, gates, files, checks -----------------------------------------------------------------------------------


def commands_page() -> str:
    """The help of every command, as a terminal of 100 columns shows it."""
    top = click.Context(flagstone, info_name="flagstone", terminal_width=100, **flagstone.context_settings)
    text = "# Commands\n\n" + fenced(flagstone.get_help(top))
    for name in COMMANDS:
        command = flagstone.get_command(top, name)
        assert command is not None
        within = click.Context(command, info_name=name, parent=top, terminal_width=100)
        text += f"\n## flagstone {name}\n\n" + fenced(command.get_help(within))
    return text


def fenced(words: str) -> str:
    return f"```text\n{words.rstrip()}\n```\n"


def gates_page() -> str:
    """Every judgement of judge.py: the state, its word in `status`, and the line a call ends with."""
    rows = []
    messages = Messages(Run(Path("runs/attn")), Path())
    stage = load_table(ROOT / "config" / "stages.yaml", ROOT / "schemas").stage("03")
    sample = Verdict(StageFiles(stage), State.WAITING)
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


def files_page(meanings: Mapping[str, str]) -> str:
    """Every path that layout.Run names, with its meaning; a path without one is an error."""
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
    return "# Files of a run\n\nBelow `runs/<run>/`.\n\n" + grid(("path", "what it is"), sorted(rows))


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


def refuse(names: list[str], part: str) -> None:
    if names:
        raise SystemExit(f"docs/meanings.yaml, {part}: say what these mean, or take them out: {', '.join(names)}")


def grid(head: Row, rows: Iterable[Row]) -> str:
    """A Markdown table."""
    lines = [
        " | ".join(head),
        " | ".join("---" for _ in head),
        *(" | ".join(c.replace("|", "\\|") for c in r) for r in rows),
    ]
    return "".join(f"| {line} |\n" for line in lines)


# --- writing and comparing --------------------------------------------------------------------------------------------


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; 1 where a file is out of step")
    parser.add_argument("--page", type=Path, metavar="PDF", help="draw pictures/paper.png from a demo run's paper.pdf")
    asked = parser.parse_args()
    if asked.page:
        draw_page(asked.page, DOCS / "pictures" / "paper.png")
        return 0
    stale = {name: text for name, text in pages().items() if not is_in_step(DOCS / name, text)}
    for name, text in stale.items():
        if not asked.check:
            (DOCS / name).parent.mkdir(parents=True, exist_ok=True)
            (DOCS / name).write_text(text, encoding="utf-8")
        sys.stdout.write(f"{'out of step' if asked.check else 'wrote'}  docs/{name}\n")
    if asked.check and stale:
        sys.stdout.write("cure: make docs\n")
    return int(asked.check and bool(stale))


def is_in_step(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main())
