"""Which packages a program needs: what its own files import when they are loaded."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from flagstone.setup.programs import Program
from flagstone.setup.project_tree import ProjectTree

# a package whose name is another than that of its module
DISTRIBUTIONS = {
    "sklearn": "scikit-learn", "skimage": "scikit-image", "cv2": "opencv-python", "PIL": "pillow", "yaml": "pyyaml",
    "hydra": "hydra-core", "pytorch_lightning": "pytorch-lightning", "bs4": "beautifulsoup4", "absl": "absl-py",
    "ml_collections": "ml-collections", "orbax": "orbax-checkpoint", "attr": "attrs", "dotenv": "python-dotenv",
    "git": "gitpython", "umap": "umap-learn", "tensorboard_logger": "tensorboard-logger", "Levenshtein": "levenshtein",
    "flash_attn": "flash-attn", "simple_parsing": "simple-parsing", "fire": "fire", "google": "protobuf",
}  # fmt: skip
LAUNCHERS = {"torchrun": "torch", "accelerate": "accelerate", "deepspeed": "deepspeed", "papermill": "papermill"}
LAUNCHERS |= {"nbconvert": "nbconvert"}
COMMAND = "the command"  # the place of what the program's own code does not import


def needed_modules(tree: ProjectTree, program: Program) -> dict[str, str]:
    """The modules of others that are needed, each with the place of its first import."""
    found = {LAUNCHERS[word]: COMMAND for word in program.runner.split() if word in LAUNCHERS}
    own = own_names(tree, program)
    for path in dict.fromkeys((program.entry, *program.imports)):
        module = tree.syntax(path) if path.endswith((".py", ".ipynb")) else None
        for name, line in imports_of(module.body if module else ()):
            if name not in own and name not in sys.stdlib_module_names:
                found.setdefault(name, f"{path}:{line}")
    return found


def imports_of(body: Sequence[ast.stmt]) -> Iterator[tuple[str, int]]:
    """What is imported as soon as a file is loaded. What a `try` holds is optional, a function may never be called."""
    for node in body:
        match node:
            case ast.Import(names=names):
                yield from ((each.name.partition(".")[0], node.lineno) for each in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module.partition(".")[0], node.lineno
            case ast.If(test=test, body=inner) if "TYPE_CHECKING" not in ast.dump(test):
                yield from imports_of(inner) if is_main(test) else ()
            case ast.With(body=inner) | ast.ClassDef(body=inner):
                yield from imports_of(inner)


def is_main(test: ast.expr) -> bool:
    """Whether this is what runs where a file is the program: any other condition may be false."""
    return any(isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(test))


def own_names(tree: ProjectTree, program: Program) -> frozenset[str]:
    """The names that the project itself has: modules and packages in its folders of sources."""
    entry = str(PurePosixPath(program.entry).parent)
    folders = {"", "src", "" if entry == "." else entry}
    folders |= {each for above in tree.package_folders for each in (above, f"{above}/src")}
    names = set[str]()
    for path in tree.ending(".py"):
        for folder in folders:
            inside = path.removeprefix(f"{folder}/") if folder else path
            if inside != path or not folder:
                names.add(inside.partition("/")[0].removesuffix(".py"))
    return frozenset(names)


def distribution_of(module: str) -> str:
    """What to install for a module."""
    return DISTRIBUTIONS.get(module, module.replace("_", "-"))
