"""What a run saves: a glob for its checkpoints."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flagstone.globs import matches
from flagstone.setup.programs import Program
from flagstone.setup.project_finding import LostCandidate, ProjectFinding
from flagstone.setup.project_tree import ProjectTree
from flagstone.setup.results.code_calls import CodeCall, calls_in
from flagstone.setup.results.own_code import own_code, own_configs
from flagstone.setup.results.path_globs import FIELD, PathReader, join
from flagstone.setup.results.protected_files import why_never
from flagstone.setup.results.saving_option import find_saving_option

ENDING = re.compile(r"\.(?:pt|pth|ckpt|tar|safetensors|keras|h5|joblib|pkl|pickle|msgpack)$")
# where a call has the path: of a file, and of a folder
FILES = {"save": 1, "dump": 1, "save_file": 1, "save_weights": 0, "save_model": 0}
FOLDERS = {"save_state": 0, "save_checkpoint": 0, "save_pretrained": 0}
LIGHTNING = "lightning_logs/version_*/checkpoints/*.ckpt"
DIRPATH = re.compile(r"^[ \t]*dirpath[ \t]*:[ \t]*['\"]?([^\s'\"#]+)", re.MULTILINE)
VARIABLE = re.compile(r"\$\{[^}]*\}")
MOST_LOST, LONGEST = 4, 200


def checkpoint_finding(tree: ProjectTree, program: Program) -> ProjectFinding:
    """The glob that matches a file on disk, or else the first in the code. None is fine: not all runs save."""
    found: dict[str, str] = {}
    for glob, place in (*configured_globs(tree, program), *saved_globs(tree, program)):
        if not is_outside(glob) and glob.isprintable() and len(glob) <= LONGEST:
            found.setdefault(glob, place)
    if not found:
        return ProjectFinding("checkpoint", None, "none", note="No call that saves a checkpoint was found.")
    on_disk = {glob for glob in found if any(matches(path, (glob.rstrip("/"), f"{glob}**")) for path in tree.paths)}
    order = sorted(found, key=lambda glob: (glob not in on_disk, "optim" in glob))
    first, *others = order
    lost = tuple(LostCandidate(glob, f"saved too ({found[glob]})") for glob in others[:MOST_LOST])
    option = find_saving_option(tree, program, found[first])
    note = f"Saved only with {option}." if option else ""
    return ProjectFinding("checkpoint", first, "certain" if first in on_disk else "likely", (found[first],), lost, note)


def is_outside(glob: str) -> bool:
    return glob.startswith(("/", "~", "..")) or glob in ("*", "*/")


def configured_globs(tree: ProjectTree, program: Program) -> Iterator[tuple[str, str]]:
    """Folders for checkpoints in the configuration of Lightning. A variable in front is the run's own folder."""
    for path in own_configs(tree) if program.pattern == "hydra" else ():
        for found in DIRPATH.finditer(tree.text(path)):
            folder = VARIABLE.sub("hydra", found[1], count=1)
            if "null" not in folder:
                yield join(VARIABLE.sub("*", folder), "*.ckpt"), tree.place(path, found.start())


def saved_globs(tree: ProjectTree, program: Program) -> Iterator[tuple[str, str]]:
    reader = PathReader(tree, program)
    # what is saved where data is prepared, such as a tokenizer, is no checkpoint
    for path in (path for path in own_code(tree, program) if why_never(path) not in ("data", "evaluation")):
        for call in calls_in(tree, path):
            if glob := glob_of(call, reader):
                yield glob, call.place


def glob_of(call: CodeCall, reader: PathReader) -> str:
    """What one call saves. Returns '' if it saves nothing."""
    if call.name == "ModelCheckpoint":
        return model_checkpoint(call, reader)
    if call.name in FILES:
        path = reader.glob_at(call, call.argument("path", FILES[call.name]) or call.argument("filename"))
        path = path or reader.glob_at(call, call.argument("filepath", 0)) * (call.name == "save")
        return path if ENDING.search(path) else ""
    if call.name in FOLDERS and isinstance(call.node.func, ast.Attribute):
        folder = reader.glob_at(call, call.argument("save_dir", FOLDERS[call.name]) or call.argument("output_dir"))
        return folder if ENDING.search(folder) else f"{folder.rstrip('/')}/" if folder else ""
    if call.name == "CheckpointSaver":
        folder = reader.glob_at(call, call.argument("checkpoint_dir"))
        return join(folder or "**", "*.pth.tar")
    return trainer_checkpoint(call, reader)


def model_checkpoint(call: CodeCall, reader: PathReader) -> str:
    """Keras saves one file, Lightning into a folder."""
    folder = reader.glob_at(call, call.argument("dirpath"))
    path = reader.glob_at(call, call.argument("filepath", 0))
    if ENDING.search(path):
        return FIELD.sub("*", path)
    return join(folder, "*.ckpt") if folder else LIGHTNING


def trainer_checkpoint(call: CodeCall, reader: PathReader) -> str:
    if call.name in ("Trainer", "Seq2SeqTrainer") and call.argument("args"):
        folder = reader.given.get("output_dir")
        return f"{folder or '*'}/checkpoint-*/"
    return ""
