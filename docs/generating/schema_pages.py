"""Pages that are read from the schemas: settings, stages, plans and records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from flagstone import schemas
from flagstone.plans.folder import Home
from flagstone.plans.trial import TrialFolder
from flagstone.stages import StageTable
from generating.markdown import grid, refuse

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
RECORDS = (
    "offer",
    "checks",
    "index",
    "manifest",
    "result",
    "best",
    "verdict",
    "audit",
    "self_review",
    "sources",
    "refs_lock",
    "citation_verification",
    "waiver",
    "setup_answers",
    "setup_findings",
)


def schema_of(name: str) -> dict[str, Any]:
    return schemas.schema_of(SCHEMAS, name)


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


@dataclass(frozen=True)
class PlanPage:
    """The page of one kind of plan: its schema, the folder of paths, and keys that it needs within others."""

    kind: str
    folder: type
    inner: frozenset[str]

    def text(self, meanings: Mapping[str, str]) -> str:
        """The plan key by key, then every path that its folder names."""
        schema = schema_of(self.kind)
        needed = {*schema["required"], *self.inner}
        rows = [
            (f"`{key}`" + (" *" if key in needed else ""), type_of(row), description(row))
            for key, row in keys(schema, schema)
        ]
        names = [name for name in vars(self.folder) if is_path_of(self.folder, name)]
        paths = {getattr(self.folder(Path("H"), Path()), name).name for name in names}
        refuse(sorted(paths - set(meanings)), self.kind)
        files = [(f"`{name}`", meaning) for name, meaning in meanings.items()]
        article = "an" if self.kind[0] in "aeiou" else "a"
        return (
            f"# {schema['title']}\n\n{description(schema)} `*` marks a required key. Unknown keys are errors.\n\n"
            + grid(("key", "value", "meaning"), rows)
            + f"\n## Files of {article} {self.kind}\n\nBelow `runs/<run>/{self.kind}s/<name>/`, "
            f"or `.flagstone/{self.kind}s/<name>/` of another project.\n\n" + grid(("path", "what it is"), files)
        )


NEEDED = frozenset({"subject.mutable", "harness.argv", "metric.name", "metric.direction"})
PLANS = (
    PlanPage("experiment", Home, NEEDED),
    PlanPage("trial", TrialFolder, NEEDED | {"looks[].pairs", "looks[].alpha"}),
)


def marker_page() -> str:
    """The keys of a marker."""
    schema = schema_of("marker")
    form = schema["$defs"]["marker"]
    needed = {*form["required"], "target.mutable", "metric.command", "metric.extract", "metric.direction"}
    rows = [
        (f"`{key}`" + (" *" if key in needed else ""), type_of(row), default(row, key), description(row))
        for key, row in keys(form, schema)
    ]
    return f"# Marker\n\n{description(schema)} `*` marks a required key. Unknown keys are errors.\n\n" + grid(
        ("key", "value", "default", "meaning"), rows
    )


PAPER = ("paper", "facts", "tables", "figures", "claims")


def paper_page() -> str:
    """The keys of the files that an agent writes beside the text of a paper."""
    text = "# Paper\n\nThe files beside the text of a paper. `*` marks a required key. Unknown keys are errors.\n"
    for name in PAPER:
        schema = schema_of(name)
        # of a file of entries, what one of them has
        form = with_references(schema.get("additionalProperties") or schema, schema)
        needed = set(form.get("required", ()))
        rows = [
            (f"`{key}`" + (" *" if key in needed else ""), type_of(row), description(row))
            for key, row in keys(form, schema)
        ]
        text += f"\n## {schema['title']}\n\n`{name}.yaml`. {description(schema)}\n\n"
        text += grid(("key", "value", "meaning"), rows)
    return text


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
