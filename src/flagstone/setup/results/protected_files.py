"""Files that decide about the number, or are none of the project's own method: they never may change."""

from __future__ import annotations

import re

NEVER = (
    (re.compile(r"(^|/)(tests?|testing)/|(^|/)(test_[^/]*|[^/]*_test|conftest)\.py$"), "a test"),
    (re.compile(r"(^|/)(third_party|vendor|vendored|external|extern|submodules)/"), "code of others"),
    (re.compile(r"(^|/)(eval|evaluat|metric|valid|scor|bench)[^/]*(\.py$|/)", re.IGNORECASE), "evaluation"),
    (
        re.compile(
            r"(^|/)(data|dataset|datasets|dataloader|dataloaders|datamodule|datamodules|prepare|preprocess|tokenizer)[^/]*(\.py$|/)"
        ),
        "data",
    ),
    (
        re.compile(
            r"(^|/)(setup|__init__|version|utils?|helpers?|logging|logger|common|download|configurator)\.py$|(^|/)utils?/"
        ),
        "no part of the method",
    ),
    (re.compile(r"(\.lock|lock\.json|lock\.yaml)$"), "a lock file"),
)


def why_never(path: str) -> str:
    """Why a file must not change. Returns '' if it may."""
    return next((why for pattern, why in NEVER if pattern.search(path)), "")
