"""The part of Hydra that the example uses: composed settings, overrides, and a folder of outputs for each run."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig

from hydra.core.hydra_config import HydraConfig

RUN_DIR = "hydra.run.dir="


def main(
    config_path: str, config_name: str, version_base: str | None = None
) -> Callable[[Callable[[DictConfig], None]], Callable[[], None]]:
    """Calls the function with the settings of `config_path`, which is relative to the function's file."""

    def decorate(function: Callable[[DictConfig], None]) -> Callable[[], None]:
        @functools.wraps(function)
        def start() -> None:
            folder = (Path(inspect.getfile(function)).parent / config_path).resolve()
            config = compose(folder, config_name, sys.argv[1:])
            HydraConfig.known = DictConfig(runtime={"output_dir": str(output_folder(config, sys.argv[1:]))})
            function(DictConfig(config))

        return start

    return decorate


def compose(folder: Path, name: str, overrides: list[str]) -> dict[str, Any]:
    config: dict[str, Any] = {}
    primary = yaml.safe_load((folder / f"{name}.yaml").read_text(encoding="utf-8"))
    groups = {
        group: choice for item in primary.pop("defaults", []) if item != "_self_" for group, choice in item.items()
    }
    pairs = [word.split("=", 1) for word in overrides]
    groups |= {key: value for key, value in pairs if key in groups}
    for group, choice in groups.items():
        config[group] = yaml.safe_load((folder / group / f"{choice}.yaml").read_text(encoding="utf-8"))
    config |= primary
    for key, value in pairs:
        if key not in groups and not key.startswith("hydra."):
            *parents, last = key.split(".")
            section = functools.reduce(dict.__getitem__, parents, config)
            if last not in section:
                sys.exit(f"Could not override '{key}'. Key '{key}' is not in struct")
            section[last] = yaml.safe_load(value)
    return config


def output_folder(config: dict[str, Any], overrides: list[str]) -> Path:
    asked = [word.removeprefix(RUN_DIR) for word in overrides if word.startswith(RUN_DIR)]
    folder = Path(*asked) if asked else Path("outputs") / datetime.now().strftime("%Y-%m-%d/%H-%M-%S")
    (folder / ".hydra").mkdir(parents=True, exist_ok=True)
    (folder / ".hydra" / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    (folder / ".hydra" / "overrides.yaml").write_text(yaml.safe_dump(overrides), encoding="utf-8")
    return folder.resolve()
