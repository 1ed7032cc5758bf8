"""The keys of configuration files: what Hydra composes, what LightningCLI and others are given."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath

import yaml

from flagstone.setup.programs.options.option import ProgramOption, kind_of
from flagstone.setup.project_tree import ProjectTree
from flagstone.setup.syntax import UNKNOWN, called_name, constant_text, dotted_name, keyword, last_name, literal

DEEPEST = 8
MOST = 2000


def hydra_options(
    tree: ProjectTree, entry: str, groups: Mapping[str, str], config_name: str = ""
) -> Iterator[ProgramOption]:
    """The keys of a Hydra program. `groups` are the choices that its command makes, such as model=large."""
    place = hydra_place(tree, entry)
    if place:
        folder, name = place[0], with_suffix(config_name) if config_name else place[1]
        found = {option.name: option for option in compose(tree, folder, f"{folder}{name}", "", dict(groups), 0)}
        yield from list(found.values())[:MOST]


def hydra_run_folder(tree: ProjectTree, entry: str) -> tuple[str, str]:
    """What hydra.run.dir is set to, and where; Hydra's own default if nothing sets it."""
    folder, name = hydra_place(tree, entry) or ("", "")
    for path in (f"{folder}{name}", *(path for path in tree.paths if path.startswith(f"{folder}hydra/"))):
        node = tree.yaml(path) if path in tree and path.endswith((".yaml", ".yml")) else None
        for option in leaves(node, path, "", 1) if node else ():
            if option.name.removeprefix("hydra.") == "run.dir":
                return str(option.default), option.where
    return "outputs/${now:%Y-%m-%d}/${now:%H-%M-%S}", f"{entry}:1"


def hydra_place(tree: ProjectTree, entry: str) -> tuple[str, str] | None:
    """The folder of a Hydra program's configuration, and the file in it that is read first."""
    syntax = tree.syntax(entry)
    for node in ast.walk(syntax) if syntax else ():
        for each in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
            if isinstance(each, ast.Call) and last_name(called_name(each)) == "main":
                path = constant_text(keyword(each, "config_path") or (each.args[0] if each.args else None))
                name = constant_text(keyword(each, "config_name")) or "config"
                folder = folder_at(PurePosixPath(entry).parent.as_posix(), path)
                return folder, name if name.endswith((".yaml", ".yml")) else f"{name}.yaml"
    return None


def folder_at(folder: str, path: str) -> str:
    """A folder of the tree with a slash at its end; '' is the root."""
    parts = list[str]()
    for part in PurePosixPath(folder, path).parts:
        parts = parts[:-1] if part == ".." else [*parts, part]
    return "".join(f"{part}/" for part in parts)


def compose(
    tree: ProjectTree, folder: str, path: str, package: str, groups: dict[str, str], depth: int
) -> Iterator[ProgramOption]:
    """The keys of one file and of the files that its defaults list names, in the order in which they count."""
    node = tree.yaml(path) if path in tree and depth < DEEPEST else None
    if not isinstance(node, yaml.MappingNode):
        return
    if tree.text(path).lstrip().startswith("# @package _global_"):
        package = ""
    content = {scalar(key): value for key, value in node.value}
    own_group = path.removeprefix(folder).rpartition("/")[0]
    is_own_last = True
    for group, choice in default_choices(content.get("defaults"), groups):
        if group == "_self_":
            is_own_last = False
            yield from leaves(node, path, package)
        elif group and choice:
            place = group.lstrip("/") if group.startswith("/") or not own_group else f"{own_group}/{group}"
            inner, _, name = group.partition("@")
            at = name or inner.strip("/").replace("/", ".")
            file = f"{folder}{place.partition('@')[0]}/{choice}"
            within = ".".join(filter(None, (package if not group.startswith("/") else "", at)))
            yield from compose(tree, folder, with_suffix(file), within, groups, depth + 1)
        elif choice:
            yield from compose(tree, folder, with_suffix(f"{folder}{choice}"), package, groups, depth + 1)
    if is_own_last:
        yield from leaves(node, path, package)


def with_suffix(path: str) -> str:
    return path if path.endswith((".yaml", ".yml")) else f"{path}.yaml"


def default_choices(node: yaml.Node | None, groups: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Each (group, choice) of a defaults list; a bare name is a choice without a group."""
    for each in node.value if isinstance(node, yaml.SequenceNode) else ():
        if isinstance(each, yaml.ScalarNode):
            yield ("_self_", "") if each.value == "_self_" else ("", each.value)
        elif isinstance(each, yaml.MappingNode):
            for key, value in each.value:
                words = scalar(key).split()
                group = words[-1] if words else ""
                choice = "" if scalar(value) in ("null", "~") else scalar(value)
                yield group, groups.get(group.lstrip("/"), choice) if "override" not in words else ""


def scalar(node: yaml.Node) -> str:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""


def leaves(node: yaml.Node, path: str, prefix: str = "", depth: int = 0) -> Iterator[ProgramOption]:
    """Every key of a mapping whose value is plain, with its dotted name and its line."""
    for key, value in node.value if isinstance(node, yaml.MappingNode) and depth < DEEPEST else ():
        name = ".".join(filter(None, (prefix, scalar(key))))
        if scalar(key) in ("defaults", "hydra") and depth == 0:
            continue
        if isinstance(value, yaml.MappingNode):
            yield from leaves(value, path, name, depth + 1)
        elif isinstance(value, yaml.ScalarNode):
            content = plain_value(value)
            yield ProgramOption(name, content, f"{path}:{key.start_mark.line + 1}", kind_of(content))
        elif isinstance(value, yaml.SequenceNode) and all(isinstance(each, yaml.ScalarNode) for each in value.value):
            items = [plain_value(each) for each in value.value]
            yield ProgramOption(name, items, f"{path}:{key.start_mark.line + 1}", "list")


def plain_value(node: yaml.ScalarNode) -> object:
    """The value of a scalar: YAML's own, and 1e-3, which Hydra reads as a number too."""
    kind = node.tag.rpartition(":")[2]
    if kind == "bool":
        return node.value.lower() in ("true", "yes", "on")
    if kind == "null":
        return None
    try:
        if kind == "int":
            return int(node.value)
        if kind == "float" or (not node.style and kind == "str"):
            return float(node.value)
    except ValueError:
        return node.value
    return node.value


def config_options(tree: ProjectTree, path: str) -> list[ProgramOption]:
    """The keys of the file that `--config` names: YAML, or ml_collections' Python."""
    if path.endswith((".yaml", ".yml")) and path in tree:
        node = tree.yaml(path)
        return list(leaves(node, path))[:MOST] if node else []
    if path.endswith(".py") and path in tree:
        return [replace(each, name=f"config.{each.name}") for each in config_dict_options(tree, path)]
    return []


def config_dict_options(tree: ProjectTree, path: str) -> Iterator[ProgramOption]:
    """What a file assigns to `config`: `config.learning_rate = 0.1`."""
    syntax = tree.syntax(path)
    for node in ast.walk(syntax) if syntax else ():
        if isinstance(node, ast.Assign) and dotted_name(node.targets[0]).startswith("config."):
            value = literal(node.value)
            if value is not UNKNOWN:
                name = dotted_name(node.targets[0]).removeprefix("config.")
                yield ProgramOption(name, value, f"{path}:{node.lineno}", kind_of(value))
