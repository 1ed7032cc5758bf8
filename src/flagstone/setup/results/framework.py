"""Which framework spreads the training over processes: it decides how a run is ended."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

from flagstone.setup.programs import Program
from flagstone.setup.project_finding import LostCandidate, ProjectFinding
from flagstone.setup.project_tree import ProjectTree
from flagstone.setup.results.own_code import own_code

MODULES = {"lightning": "lightning", "pytorch_lightning": "lightning", "deepspeed": "deepspeed"}
MODULES |= {"accelerate": "accelerate"}
NAMES = {"FullyShardedDataParallel": "fsdp", "fully_shard": "fsdp", "DistributedDataParallel": "ddp"}
NAMES |= {"init_process_group": "ddp"}
ORDER = ("lightning", "deepspeed", "accelerate", "fsdp", "ddp")
FILTER = re.compile("|".join((*MODULES, *NAMES)))
SEVERAL = ("torchrun", "srun", "deepspeed", "accelerate", "mpirun")


def framework_finding(
    tree: ProjectTree, program: Program, has_module: Callable[[str], bool] | None = None
) -> ProjectFinding:
    """What the program imports. `has_module` says what is installed: what is imported but not installed is unclear."""
    found: dict[str, tuple[str, str]] = {}
    for path in own_code(tree, program):
        if FILTER.search(tree.text(path)):
            for framework, module, line in frameworks_in(tree.syntax(path)):
                found.setdefault(framework, (module, f"{path}:{line}"))
    lost = [LostCandidate(name, "the command starts one process") for name in found if is_idle(name, program)]
    names = [name for name in ORDER if name in found and not is_idle(name, program)]
    if not names:
        return ProjectFinding("framework", "none", "likely", lost=tuple(lost))
    lost += [LostCandidate(name, f"{names[0]} is used around it") for name in names[1:]]
    module, place = found[names[0]]
    if has_module is not None and not has_module(module):
        note = f"{module} is imported, but not installed."
        return ProjectFinding("framework", names[0], "unclear", (place,), tuple(lost), note)
    return ProjectFinding("framework", names[0], "certain" if has_module else "likely", (place,), tuple(lost))


def is_idle(name: str, program: Program) -> bool:
    """Imports for several processes have no effect if the command starts only one."""
    return name in ("ddp", "fsdp") and program.runner.partition(" ")[0] not in SEVERAL and not starts_processes(program)


def starts_processes(program: Program) -> bool:
    return any("world_size" in name or "nproc" in name for name in program.arguments)


def frameworks_in(module: ast.Module | None) -> list[tuple[str, str, int]]:
    """Framework, module and line of each use in a file."""
    found = []
    for node in ast.walk(module) if module else ():
        if isinstance(node, ast.Import):
            imported = [each.name.partition(".")[0] for each in node.names]
            found += [(MODULES[name], name, node.lineno) for name in imported if name in MODULES]
        elif isinstance(node, ast.ImportFrom):
            top = (node.module or "").partition(".")[0] if node.level == 0 else ""
            found += [(MODULES[top], top, node.lineno)] if top in MODULES else []
            found += [(NAMES[each.name], "torch", node.lineno) for each in node.names if each.name in NAMES]
        elif isinstance(node, ast.Attribute) and node.attr in NAMES:
            found.append((NAMES[node.attr], "torch", node.lineno))
    return found
