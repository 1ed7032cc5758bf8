"""Says in the words of markers what the engine says of the experiment that a marker is."""

from __future__ import annotations

import re
import shlex

NAMES = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"set harness\.writable: .*, or (let the command write below) \{run_dir\}", r"\1 $TMPDIR"),
        (r"(subject\.scratch: \[[^\]]*\]), or give new --scratch \S+", r"\1"),
        (r"set subject\.at_head in experiment\.yaml", "give --head"),
        (
            r"or search without a model: flagstone setup NAME --param KEY=LOW:HIGH",
            "or let a script propose: loop.script",
        ),
        (r"(?:(?<!\S)/[^\n:]*/)?experiment\.yaml", "the marker file"),
        (r"\bsubject\.(mutable|immutable)\b", r"target.\1"),
        (r"\bsubject\.scratch\b", "run.scratch"),
        (r"\bsubject\.held_out\b", "hidden.paths"),
        (r"\bharness\.argv\b", "metric.command"),
        (r"\bharness\.(gpus|env|network)\b", r"run.\1"),
        (r"\bharness\.(seconds|ok_exit)\b", r"metric.\1"),
        (r"`script`", "`loop.script`"),
        (r"`sandbox: (\w+)` in the marker file, or run\.yaml", r"`run.sandbox: \1` in the marker file"),
    )
)
COMMAND = "flagstone marker "


def naming_marker(words: str) -> str:
    """The same words with the keys of the marker file in the place of those of experiment.yaml."""
    for pattern, own in NAMES:
        words = pattern.sub(own, words)
    return words


def naming_repository(words: str, repository: str) -> str:
    """The same words with a repository in each command of markers. Without a repository they are left as they are."""
    return words.replace(COMMAND, f"{COMMAND}--repo {shlex.quote(repository)} ") if repository else words
