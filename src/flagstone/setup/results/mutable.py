"""Which files may change: those that make the model and train it, and nothing that decides about the number."""

from __future__ import annotations

import re

from flagstone.setup.programs import Program, argument_names
from flagstone.setup.project_finding import LostCandidate, ProjectFinding
from flagstone.setup.project_tree import ProjectTree
from flagstone.setup.results.config_values import is_idle
from flagstone.setup.results.evaluation import evaluation_finding
from flagstone.setup.results.own_code import own_code
from flagstone.setup.results.protected_files import why_never

RANKS = (
    r"model|net\b|network|module|arch|layers?|backbone|policy|agent|gpt",
    r"loss|criterion|objective",
    r"optim|schedul",
    r"train|loop|engine",
)
METHOD = re.compile(r"(^|/)(model|net|network|optim\w*|scheduler|loss)s?/[^/]+\.ya?ml$")
MOST = 8


def mutable_finding(tree: ProjectTree, program: Program) -> ProjectFinding:
    """Ranked: model, loss, optimizer, training, then the entry and its configuration."""
    measured = evaluation_finding(tree, program)
    shared = measured.value["file"] if measured.value and not measured.value["shared"] else ""
    lost: list[LostCandidate] = []
    kept: list[str] = []
    for path in own_code(tree, program) if program.entry or program.imports else ():
        why = "the number is computed in it" if path == shared else why_never(path) if path != program.entry else ""
        if why:
            lost.append(LostCandidate(path, why))
        else:
            kept.append(path)
    ranked = sorted(kept, key=lambda path: rank(path, program.entry))
    ranked = [*ranked[: MOST - 1], *ranked[-1:]] if len(ranked) > MOST else ranked  # the entry is the last
    given = (word.rpartition("=")[2] for word in program.argv[program.first_argument :])
    configs = [path for path in (*given, *composed_configs(program)) if is_config(tree, path) and path not in ranked]
    arguments = argument_names(program)
    idle = [path for path in configs if is_idle(program, path, arguments)]
    lost[:0] = [LostCandidate(path, "its values are arguments") for path in idle]
    ranked += [path for path in configs if path not in idle]
    if program.entry.endswith(".sh") or (not program.is_python and tree.text(program.entry).startswith("#!")):
        return ProjectFinding("mutable", [program.entry, *ranked], "unclear", (f"{program.entry}:1",), tuple(lost[:6]))
    if not ranked:
        return ProjectFinding("mutable", [], "none", note="No file of the project is known that the run uses.")
    is_among = measured.value and measured.value["file"] in ranked
    note = "The number is computed in a file that may change." if is_among else ""
    return ProjectFinding("mutable", ranked, "likely", tuple(f"{path}:1" for path in ranked[:3]), tuple(lost[:6]), note)


def rank(path: str, entry: str) -> tuple[bool, int, int]:
    name = path.rpartition("/")[2].lower()
    place = next((place for place, words in enumerate(RANKS) if re.search(words, name)), len(RANKS))
    return path == entry, place, path.count("/")


def composed_configs(program: Program) -> list[str]:
    """The files of a Hydra program that set up the model and its training."""
    if program.pattern != "hydra":
        return []
    files = dict.fromkeys(option.where.rpartition(":")[0] for option in program.defaults.values())
    return [path for path in files if METHOD.search(path)]


def is_config(tree: ProjectTree, word: str) -> bool:
    return word in tree and word.endswith((".yaml", ".yml", ".json", ".toml", ".py"))
