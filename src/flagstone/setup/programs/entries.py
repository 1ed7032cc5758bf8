"""Which files of a project start a training, and how each takes its settings."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from flagstone.setup.project_tree import ProjectTree
from flagstone.setup.syntax import (
    called_name,
    calls,
    dotted_name,
    last_name,
)

OTHER_TASKS = (
    r"tests?|testing|eval|evals|evaluate|evaluation|sample|sampling|generate|predict|infer|inference|serve|server|demo|validate|avg|"
    r"export|convert|bench|benchmark|prepare|preprocess|download|tokenize|tok|plot|visualize|viz|app|cli|web|chat|"
    r"setup|conftest|analyze|analysis|upload|dataset|data|profile|submit|launch|deploy|score|report|docs"
)
OTHER_FOLDERS = (
    r"tests?|testing|records|docs?|benchmarks?|evaluation|notebooks?|data|datasets|deploy|serving|build|dist|wandb"
)
TRAINING_NAMES = r"train|training|pretrain|finetune|main|fit|run"
TRAINS = re.compile(
    r"\.backward\(|\boptim|\.fit\(|Trainer\(|\btrain|value_and_grad|jax\.grad|\bepochs?\b|\bloss\b|cross_val_score|learning_rate"
)
STARTS = re.compile(r"__main__|hydra\.main|LightningCLI\(|\bFire\(|app\.run\(|tyro\.cli|configurator|Typer\(|@click")
PARSERS = {  # what is called, by its last name
    "LightningCLI": "lightningcli",
    "HfArgumentParser": "hfargumentparser",
    "Fire": "fire",
    "Typer": "typer",
}
RANKS = {"hydra": 0, "argparse": 1, "hfargumentparser": 1, "simple-parsing": 1, "tyro": 1, "click": 1, "typer": 1}
RANKS |= {"absl": 1, "configurator": 1, "jsonargparse": 1, "lightningcli": 2, "fire": 2}


@dataclass(frozen=True)
class EntryPoint:
    """A file that can be started. The smaller its rank, the more it looks like the training."""

    path: str
    parser: str
    pattern: str
    rank: tuple[int, ...]
    line: int = 1
    function: str = ""

    @property
    def where(self) -> str:
        return f"{self.path}:{self.line}"


def is_other_task(path: str) -> bool:
    """True for tests, evaluation, data preparation, serving and the like."""
    *folders, name = PurePosixPath(path).parts
    words = re.split(r"[_\-.]+", PurePosixPath(name).stem.lower())
    if re.fullmatch(OTHER_TASKS, words[0]) or words[-1] in ("test", "eval"):
        return True
    is_named_so = any(re.fullmatch(OTHER_TASKS, word) for word in words)
    is_training = any(re.fullmatch(TRAINING_NAMES, word) for word in words)
    return (is_named_so and not is_training) or any(re.fullmatch(OTHER_FOLDERS, each.lower()) for each in folders)


def entry_points(tree: ProjectTree) -> list[EntryPoint]:
    """The files that look like trainings, the likeliest first."""
    likely = [path for path in tree.ending(".py") if not is_other_task(path) and may_train(tree.text(path), path)]
    likely.sort(key=name_rank)
    found = [entry for path in likely[:80] if (entry := entry_point(tree, path))]
    return sorted(found, key=lambda entry: entry.rank)


def may_train(text: str, path: str) -> bool:
    """A filter over the text, so that few files need a syntax tree."""
    is_called_so = PurePosixPath(path).stem.lower() in ("train", "training")
    return is_called_so or (bool(TRAINS.search(text)) and bool(STARTS.search(text) or name_rank(path)[0] < 2))


def name_rank(path: str) -> tuple[int, int, str]:
    """How much a file is called like a training, then how deep it lies."""
    stem = PurePosixPath(path).stem.lower()
    words = re.split(r"[_\-.]+", stem)
    if re.fullmatch(r"legacy|old|deprecated|archive|tmp|example", words[0]):
        return 3, path.count("/"), path
    is_training = any(re.fullmatch(TRAINING_NAMES, word) for word in words)
    return (0 if stem in ("train", "main") else 1 if is_training else 2), path.count("/"), path


def entry_point(tree: ProjectTree, path: str) -> EntryPoint | None:
    """How a file is started. Returns None if it does not parse or starts nothing."""
    syntax = tree.syntax(path)
    if syntax is None:
        return None
    parser, line = parser_of(syntax, tree.text(path))
    function = main_function(syntax)
    has_guard = "__main__" in tree.text(path)
    if parser == "none" and not has_guard and function is None and not has_statements(syntax):
        return None
    if parser == "none":
        kind = 3 if function is not None and has_parameters(function) else 4
        line = function.lineno if function is not None and kind == 3 else line
    else:
        kind = RANKS[parser]
    name = function.name if function is not None else ""
    return EntryPoint(path, parser, pattern_of(parser, kind, has_guard), (kind, *name_rank(path)[:2]), line, name)


def pattern_of(parser: str, kind: int, has_guard: bool) -> str:
    if parser in ("argparse", "hfargumentparser", "simple-parsing", "tyro", "click", "typer", "absl", "jsonargparse"):
        return "argparse"
    if parser == "hydra":
        return "hydra"
    return "function" if kind == 3 and not has_guard else "custom"


def parser_of(syntax: ast.Module, text: str) -> tuple[str, int]:
    """The library that reads the command line, and the line where that shows."""
    for node in ast.walk(syntax):
        if isinstance(node, ast.FunctionDef):
            for each in node.decorator_list:
                name = called_name(each) or dotted_name(each)
                if name == "hydra.main" or (name == "main" and "from hydra" in text):
                    return "hydra", each.lineno
                if name in ("click.command", "click.group"):
                    return "click", each.lineno
    found = [(parser_called(call, text), call.lineno) for call in calls(syntax)]
    order = ["lightningcli", "hfargumentparser", "simple-parsing", "tyro", "typer", "absl", "fire", "configurator"]
    order += ["jsonargparse", "argparse"]
    named = [(order.index(parser), line, parser) for parser, line in found if parser]
    return (min(named)[2], min(named)[1]) if named else ("none", 1)


def parser_called(call: ast.Call, text: str) -> str:
    name = called_name(call)
    if last_name(name) == "ArgumentParser":
        return next((each.replace("_", "-") for each in ("simple_parsing", "jsonargparse") if each in text), "argparse")
    if last_name(name) in PARSERS:
        return PARSERS[last_name(name)]
    if name in ("tyro.cli", "typer.run", "app.run", "absl.app.run"):
        return {"tyro.cli": "tyro", "typer.run": "typer"}.get(name, "absl" if "absl" in text else "")
    if name in ("simple_parsing.parse", "jsonargparse.CLI", "jsonargparse.auto_cli"):
        return "simple-parsing" if name.startswith("simple") else "jsonargparse"
    if name in ("CLI", "auto_cli") and "jsonargparse" in text:
        return "jsonargparse"
    if name == "exec" and call.args and ast.unparse(call.args[0]).startswith("open("):
        return "configurator"
    return "absl" if re.fullmatch(r"flags\.DEFINE_\w+|config_flags\.DEFINE_\w+", name) else ""


def main_function(syntax: ast.Module) -> ast.FunctionDef | None:
    found = {node.name: node for node in syntax.body if isinstance(node, ast.FunctionDef)}
    return found.get("main") or found.get("train")


def has_parameters(function: ast.FunctionDef) -> bool:
    return bool(function.args.args or function.args.kwonlyargs)


def has_statements(syntax: ast.Module) -> bool:
    """Whether the file does something when it is run, besides definitions."""
    return any(
        isinstance(node, ast.For | ast.While | ast.With | ast.Expr) and not is_docstring(node) for node in syntax.body
    )


def is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
