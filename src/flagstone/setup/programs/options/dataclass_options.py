"""The options that dataclasses and parameters of functions declare."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from flagstone.setup.programs.options.option import ProgramOption, kind_of
from flagstone.setup.project_tree import ProjectTree
from flagstone.setup.syntax import called_name, calls, constant_text, dotted_name, keyword, last_name, literal

# of the libraries that a project only imports: what transformers.TrainingArguments takes if nothing is given
TRAINER_ARGUMENTS: dict[str, Any] = {
    "learning_rate": 5e-5,
    "per_device_train_batch_size": 8,
    "gradient_accumulation_steps": 1,
    "weight_decay": 0.0,
    "warmup_steps": 0,
    "max_grad_norm": 1.0,
    "lr_scheduler_type": "linear",
    "adam_beta1": 0.9,
    "adam_beta2": 0.999,
    "num_train_epochs": 3.0,
    "max_steps": -1,
    "seed": 42,
    "output_dir": None,
    "resume_from_checkpoint": None,
    "report_to": None,
}
LIBRARY_CLASSES = {"TrainingArguments": TRAINER_ARGUMENTS, "Seq2SeqTrainingArguments": TRAINER_ARGUMENTS}


def dataclass_options(tree: ProjectTree, files: tuple[str, ...], parser: str) -> Iterator[ProgramOption]:
    """The fields of the dataclasses that a parser is given."""
    syntaxes = {path: syntax for path in files if (syntax := tree.syntax(path))}
    entry = next(iter(syntaxes), "")
    for name, line in parsed_classes(syntaxes[entry]) if entry else ():
        place = class_place(syntaxes, name)
        if place:
            yield from (as_written(option, parser) for option in class_options(*place))
        elif last_name(name) in LIBRARY_CLASSES:
            known = LIBRARY_CLASSES[last_name(name)].items()
            yield from (ProgramOption(key, value, f"{entry}:{line}", kind_of(value)) for key, value in known)


def parsed_classes(syntax: ast.Module) -> Iterator[tuple[str, int]]:
    """The names of the dataclasses that make the command line."""
    for call in calls(syntax):
        name = called_name(call)
        if last_name(name) in ("HfArgumentParser", "cli", "add_arguments", "parse") and call.args:
            first = call.args[0]
            for each in first.elts if isinstance(first, ast.Tuple | ast.List) else [first]:
                if dotted_name(each):
                    yield dotted_name(each), call.lineno


def class_place(syntaxes: dict[str, ast.Module], name: str) -> tuple[ast.ClassDef, str] | None:
    for path, syntax in syntaxes.items():
        for node in ast.walk(syntax):
            if isinstance(node, ast.ClassDef) and node.name == last_name(name):
                return node, path
    return None


def class_options(node: ast.ClassDef, path: str) -> Iterator[ProgramOption]:
    """The fields of a dataclass, and what it inherits from a library that is known."""
    for base in node.bases:
        for key, value in LIBRARY_CLASSES.get(last_name(dotted_name(base)), {}).items():
            yield ProgramOption(key, value, f"{path}:{node.lineno}", kind_of(value))
    for each in node.body:
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
            default = field_default(each.value)
            kind = kind_of(default, annotation_name(each.annotation))
            yield ProgramOption(each.target.id, default, f"{path}:{each.lineno}", kind, is_required=each.value is None)


def field_default(value: ast.expr | None) -> Any:
    """The default of a field, also where it stands in field(default=...) or field(default_factory=lambda: ...)."""
    if isinstance(value, ast.Call):
        factory = keyword(value, "default_factory")
        inner = factory.body if isinstance(factory, ast.Lambda) else keyword(value, "default")
        return literal(inner, None)
    return literal(value, None)


def as_written(option: ProgramOption, parser: str) -> ProgramOption:
    """An option as its parser writes it."""
    if parser == "tyro":
        kind = "negatable" if option.kind == "boolean" else "words" if option.kind == "list" else option.kind
        return replace(option, name=option.name.replace("_", "-"), kind=kind)
    return replace(option, kind="words") if option.kind == "list" else option


def parameter_options(function: ast.FunctionDef, path: str) -> Iterator[ProgramOption]:
    """The parameters of a function, with their defaults; typer.Option(0.1) counts as 0.1."""
    spec = function.args
    ordered = [*spec.posonlyargs, *spec.args]
    defaults: list[ast.expr | None] = [None] * (len(ordered) - len(spec.defaults)) + list(spec.defaults)
    pairs = [*zip(ordered, defaults, strict=True), *zip(spec.kwonlyargs, spec.kw_defaults, strict=True)]
    for each, value in pairs:
        if each.arg in ("self", "cls"):
            continue
        is_required = value is None
        called = last_name(called_name(value)) if value is not None else ""
        if isinstance(value, ast.Call) and called in ("Option", "Argument"):
            value = value.args[0] if value.args else keyword(value, "default")
        default = literal(value, None)
        is_required = is_required or default is ...
        default = None if default is ... else default
        kind = kind_of(default, annotation_name(each.annotation))
        yield ProgramOption(each.arg, default, f"{path}:{each.lineno}", kind, is_required=is_required)


def annotation_name(node: ast.expr | None) -> str:
    """`float` for that annotation, for Optional[float], Annotated[float, ...], float | None and "float"."""
    if node is None:
        return ""
    if isinstance(node, ast.Subscript):
        outer = last_name(dotted_name(node.value))
        inner = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) and node.slice.elts else node.slice
        if outer in ("Optional", "Annotated"):
            return annotation_name(inner)
        return "list" if outer in ("List", "list") else ""
    if isinstance(node, ast.BinOp):
        return annotation_name(node.left)
    return constant_text(node) or last_name(dotted_name(node))
