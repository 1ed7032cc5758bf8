"""Where a number that Lightning logs can be read: in a file if a logger is set, else only in a progress bar."""

from __future__ import annotations

import re
from typing import Any

from flagstone.setup.programs import Program
from flagstone.setup.project_tree import ProjectTree
from flagstone.setup.results.own_code import own_configs

CSV_LOGGER = re.compile(r"_target_[ \t]*:.*CSVLogger")
NO_LOGGER = re.compile(
    r"^[ \t]*(?:- )?logger[ \t]*:[ \t]*(?:null|false|~)?[ \t]*(?:#.*)?$", re.MULTILINE | re.IGNORECASE
)
NAME = re.compile(r"^[ \t]*name[ \t]*:[ \t]*['\"]?([\w./-]*)", re.MULTILINE)
BY_DEFAULT = "lightning_logs/version_*/metrics.csv"


def lightning_reading(tree: ProjectTree, program: Program, value: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The metric with the backend that has it, or with the override that has it logged."""
    if program.pattern != "hydra":
        return {**value, "backend": "auto"}, ""
    configs = own_configs(tree)
    csv = next((path for path in configs if CSV_LOGGER.search(tree.text(path))), "")
    silent = any(NO_LOGGER.search(tree.text(path)) for path in configs if "logger" not in path.split("/"))
    if not silent:
        return {**value, "backend": "auto"}, ""
    override = f"logger={csv.rpartition('/')[2].rpartition('.')[0]}" if csv else "trainer.logger=true"
    named = NAME.search(tree.text(csv)) if csv else None
    folder = f"hydra/{named[1].strip('/') if named else 'lightning_logs'}" if csv else "**"
    said = f"Only a progress bar shows {value['name']}: {override} logs it."
    return {**value, "backend": "csv", "path": f"{folder}/version_*/metrics.csv", "override": override}, said
