"""How a command starts a program: the words before it, the file it runs, and where its own arguments begin."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

# launchers, and those of their options that take the next word as their value
VALUES = {
    "uv": {"--with", "--extra", "--group", "--package", "--project", "--directory", "--python", "-p", "--env-file"},
    "conda": {"-n", "--name", "-p", "--prefix"},
    "python": {"-W", "-X"},
    "torchrun": {"--max-restarts", "--rdzv-id", "--rdzv-backend", "--rdzv-endpoint", "--nproc-per-node", "--nnodes"}
    | {"--node-rank", "--master-addr", "--master-port", "--log-dir", "-r", "-t", "--tee", "--role", "--rdzv-conf"},
    "accelerate": {"--config-file", "--num-processes", "--num-machines", "--mixed-precision", "--main-process-port"}
    | {"--gpu-ids", "--machine-rank", "--main-process-ip", "--dynamo-backend", "--num-cpu-threads-per-process"},
    "deepspeed": {"--num-gpus", "--num-nodes", "--include", "--exclude", "--hostfile", "--master-port", "--launcher"}
    | {"--master-addr", "--bind-core-list", "-i", "-e", "-H"},
    "srun": {"-n", "-N", "-c", "-p", "-t", "-A", "-J", "-w", "-G"},
    "mpirun": {"-n", "-np", "-x", "-H", "--host", "--hostfile"},
    "horovodrun": {"-np", "-H"},
    "bash": {"-o"},
    "sh": {"-o"},
}
BEFORE = {"poetry": "run", "pdm": "run", "pixi": "run", "rye": "run", "hatch": "run", "conda": "run", "uv": "run"}
PROCESSES = {"--nproc-per-node", "--num-processes", "--num-gpus", "-n", "-np"}
MODULE_LAUNCHERS = {"torch.distributed.run": "torchrun", "torch.distributed.launch": "torchrun"}
MODULE_LAUNCHERS |= {"accelerate.commands.launch": "accelerate", "deepspeed.launcher.runner": "deepspeed"}
NODES = ("--nnodes", "--num-nodes", "--num-machines", "--node-rank", "--machine-rank", "--master-addr")


@dataclass(frozen=True)
class Launch:
    """`target` is a file, a module or the name of an installed script; the words from `first` on are the program's."""

    runner: str
    target: str
    first: int
    is_module: bool = False
    processes: str = ""
    is_multi_node: bool = False


def launch_of(words: Sequence[str]) -> Launch | None:
    """What a command starts. Returns None if it starts no program that a project could have."""
    at, outer, processes, nodes = 0, "", "", False
    while at < len(words):
        name = program_name(words[at])
        if name in ("jupyter", "papermill"):
            return notebook_launch(words, at, name)
        if name not in VALUES and name not in BEFORE:
            break
        at, values, module = after_options(words, at, name)
        outer = outer if outer and name == "python" else " ".join([outer, label(name, words, module)]).strip()
        processes, nodes = values.get("processes", processes), nodes or "nodes" in values
        if module in MODULE_LAUNCHERS:
            words, at = [*words[: at - 1], MODULE_LAUNCHERS[module], *words[at:]], at - 1
            outer = ""
        elif module:
            return Launch(runner_name(outer), module, after_dashes(words, at), True, processes, nodes)
    if at >= len(words):
        return None
    if not outer and words[at].endswith(".py") and "/" not in words[at]:
        return None  # the name of a file, not a command
    found = Launch(runner_name(outer), words[at], after_dashes(words, at + 1), False, processes, nodes)
    return found if outer else replace(found, runner=words[at])


def program_name(word: str) -> str:
    name = PurePosixPath(word).name
    return "python" if re.fullmatch(r"python(\d(\.\d+)?)?|\$\{?PYTHON\}?", name) else name


def label(name: str, words: Sequence[str], module: str) -> str:
    if name == "python" and module:
        return "python -m"
    return "accelerate launch" if name == "accelerate" else f"{name} run" if name in BEFORE else name


def runner_name(outer: str) -> str:
    """The launcher that starts the processes; `uv run python` is `uv run`."""
    launchers = ("torchrun", "accelerate launch", "deepspeed", "srun", "mpirun", "horovodrun")
    known = (*launchers, *(f"{name} run" for name in BEFORE))
    return next((name for name in known if name in outer), outer)


def after_options(words: Sequence[str], at: int, name: str) -> tuple[int, dict[str, str], str]:
    """Where a launcher's options end, how many processes it starts, and the module it names."""
    values: dict[str, str] = {}
    at += 1 + (at + 1 < len(words) and words[at + 1] == {"accelerate": "launch", **BEFORE}.get(name))
    while at < len(words) and words[at].startswith("-"):
        option, has_value, value = words[at].partition("=")
        option = option.replace("_", "-")
        if option in ("-m", "--module") and name in ("python", "torchrun", "accelerate", "uv", "deepspeed"):
            return at + 2, values, words[at + 1] if at + 1 < len(words) else ""
        if option == "-c" and name == "python":
            return len(words), values, ""
        takes_next = not has_value and option in VALUES.get(name, ())
        value = words[at + 1] if takes_next and at + 1 < len(words) else value
        values |= {"processes": value} if option in PROCESSES else {}
        values |= {"nodes": value} if option in NODES and value not in ("1", "") else {}
        at += 1 + takes_next
    return at, values, ""


def after_dashes(words: Sequence[str], at: int) -> int:
    """torchrun takes a bare -- between a module and the module's arguments."""
    return at + 1 if at < len(words) and words[at] == "--" else at


def notebook_launch(words: Sequence[str], at: int, name: str) -> Launch | None:
    runner = "papermill" if name == "papermill" else "nbconvert"
    found = [index for index in range(at, len(words)) if words[index].endswith(".ipynb")]
    is_run = name == "papermill" or ("nbconvert" in words and "--execute" in words)
    if not found or not is_run:
        return None
    return Launch(runner, words[found[0]], len(words) if runner == "nbconvert" else found[-1] + 1)
