"""Files that decide about the number, or are none of the project's own method: they never may change."""

from __future__ import annotations

import re

FOLDERS = (
    ("tests? testing", "a test"),
    ("third_party vendor vendored external extern submodules", "code of others"),
    ("eval evals evaluation evaluators? metrics? benchmarks?", "evaluation"),
    ("data datasets? dataloaders? datamodules? tokenizers?", "data"),
    ("utils? helpers?", "no part of the method"),
)
FILES = (
    (r"test_.*|.*_test|conftest", "a test"),
    (r"(?:.*_)?(?:eval|evals|evaluate|evaluation|evaluator|validate|validation|metrics?|scor(?:er|ing)|bench(?:mark)?)"
     r"|(?:loss_)?eval_.*", "evaluation"),
    (r"(?:.*_)?(?:data|datasets?|data_?loaders?|data_?modules?|prepare|preprocess(?:ing)?|tokenizer)|(?:data|prepare)_.*",
     "data"),
    (r"setup|__init__|version|(?:.*_)?utils?|helpers?|logging|logger|common|download|configurator",
     "no part of the method"),
)  # fmt: skip
IN_FOLDER = tuple((re.compile("|".join(names.split())), why) for names, why in FOLDERS)
AS_FILE = tuple((re.compile(names), why) for names, why in FILES)
LOCK = re.compile(r"\.lock$|lock\.(?:json|yaml)$")


def why_never(path: str) -> str:
    """Why a file must not change. Returns '' if it may."""
    *above, name = path.lower().split("/")
    stem = name.removesuffix(".py")
    reasons = [why for pattern, why in IN_FOLDER if any(pattern.fullmatch(folder) for folder in above)]
    reasons += [why for pattern, why in AS_FILE if pattern.fullmatch(stem)]
    return "a lock file" if LOCK.search(name) else next(iter(reasons), "")
