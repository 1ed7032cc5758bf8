"""Where a number that Lightning logs can be read: in a file if a logger is set, else only in a progress bar."""

from __future__ import annotations

import ast
import re
from typing import Any

from flagstone.setup.programs import Program
from flagstone.setup.project_tree import ProjectTree
from flagstone.setup.results.code_calls import CodeCall, calls_in
from flagstone.setup.results.own_code import own_code, own_configs
from flagstone.setup.results.path_globs import PathReader

Found = tuple[dict[str, Any], str]
CSV_LOGGER = re.compile(r"(?:_target_|class_path)[ \t]*:.*CSVLogger")
NO_LOGGER = re.compile(
    r"^[ \t]*(?:- )?logger[ \t]*:[ \t]*(?:null|false|~)[ \t]*(?:#.*)?$", re.MULTILINE | re.IGNORECASE
)
NAME = re.compile(r"^[ \t]*name[ \t]*:[ \t]*['\"]?([\w./-]*)", re.MULTILINE)
LOGGERS = {
    "CSVLogger": ("csv", "path", "metrics.csv"),
    "TensorBoardLogger": ("tensorboard", "glob", "events.out.tfevents.*"),
}


def lightning_reading(tree: ProjectTree, program: Program, value: dict[str, Any]) -> Found:
    """The metric with the backend that has it, or with the override that has it logged."""
    if program.pattern == "hydra":
        return composed_reading(tree, value)
    reader = PathReader(tree, program)
    calls = [call for path in own_code(tree, program) for call in calls_in(tree, path)]
    logger = next((call for call in calls if call.name in LOGGERS or call.name == "WandbLogger"), None)
    if logger is not None:
        return logger_reading(logger, reader, value), ""
    trainers = [call.argument("logger") for call in calls if call.name == "Trainer"]
    if any(isinstance(each, ast.Constant) and each.value is False for each in trainers):
        return {**value, "backend": "log"}, f"Only a progress bar shows {value['name']}: give the Trainer a CSVLogger."
    # the default logger is TensorBoard's where that is installed, and else writes CSV
    return {**value, "backend": "auto"}, ""


def logger_reading(logger: CodeCall, reader: PathReader, value: dict[str, Any]) -> dict[str, Any]:
    """The files that a logger in the code writes."""
    if logger.name == "WandbLogger":
        return {**value, "backend": "wandb"}
    backend, option, file = LOGGERS[logger.name]
    folder = reader.glob_at(logger, logger.argument("save_dir", 0)) or "**"
    name = reader.glob_at(logger, logger.argument("name", 1)) or "lightning_logs"
    tag = {"tag": value["name"]} if backend == "tensorboard" else {}
    return {**value, "backend": backend, option: f"{folder.rstrip('/')}/{name}/version_*/{file}", **tag}


def composed_reading(tree: ProjectTree, value: dict[str, Any]) -> Found:
    """Of a program whose configuration Hydra composes: `logger: null` leaves it to the command line to choose one."""
    configs = own_configs(tree)
    csv = next((path for path in configs if CSV_LOGGER.search(tree.text(path))), "")
    if not any(NO_LOGGER.search(tree.text(path)) for path in configs if "logger" not in path.split("/")):
        return {**value, "backend": "auto"}, ""
    if not csv:
        return {**value, "backend": "log"}, f"Only a progress bar shows {value['name']}: no logger is set."
    override = f"logger={csv.rpartition('/')[2].rpartition('.')[0]}"
    named = NAME.search(tree.text(csv))
    folder = named[1].strip("/") if named else "lightning_logs"
    doubt = f"Only a progress bar shows {value['name']}: {override} logs it."
    path = f"hydra/{folder}/version_*/metrics.csv"
    return {**value, "backend": "csv", "path": path, "override": override}, doubt
