"""Reads the command lines of tccw-autoresearch: as ours, or with an error that names ours."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from itertools import pairwise

from flagstone.errors import FlagstoneError

COMMANDS = {
    ("list",): ("status", "--all"),
    ("daemon", "start"): ("serve",),
    ("daemon", "stop"): ("serve", "--stop"),
    ("daemon", "status"): ("serve", "--status"),
    ("daemon", "logs"): ("log", "--serve"),
}
OPTIONS = {"init": {"--path": "--repo"}}
WITHOUT_EFFECT = {"": ("--verbose",), "run": ("--no-auto-merge",), "init": ("--no-claude",)}
WITH_VALUE = ("-m", "--marker", "--repo", "--config")
REFUSED = {
    ("", "--config"): (
        "there is no file of settings to name",
        "write the defaults of all your markers in $XDG_CONFIG_HOME/flagstone/marker.yaml",
    ),
    ("run", "--auto-merge"): (
        "a session merges and pushes nothing",
        "make a branch of what it kept: flagstone marker finalize NAME; it says how to merge that",
    ),
    ("init", "--model"): (
        "init asks no agent",
        "leave --model out; sessions take the one in the marker file: agent: {model: NAME}",
    ),
    ("clean", ""): (
        "there are no branches to clean: a session makes none",
        "remove one that finalize has made: git branch -D BRANCH",
    ),
    ("daemon", ""): ("daemon is start, stop, status or logs", "run what is scheduled: flagstone marker serve"),
}


def own_words(words: Sequence[str]) -> list[str]:
    """The words of a command line as ours. Raises an error that names the counterpart if they mean nothing here."""
    at = verb_at(words)
    before, verb, rest = list(words[:at]), "".join(words[at : at + 1]), list(words[at + 1 :])
    if verb == "merge":
        raise merge_refusal([*before, *rest])
    for given, ours in COMMANDS.items():
        if tuple(words[at : at + len(given)]) == given:
            return [*plain_words("", before), *ours, *words[at + len(given) :]]
    if (verb, "") in REFUSED:
        raise refusal(verb, "")
    return [*plain_words("", before), *([verb] if verb else []), *plain_words(verb, rest)]


def verb_at(words: Sequence[str]) -> int:
    """Where the name of the command is."""
    at = 0
    while at < len(words) and words[at].startswith("-"):
        at += 2 if words[at] in WITH_VALUE else 1
    return min(at, len(words))


def plain_words(verb: str, words: Sequence[str]) -> list[str]:
    """The words before (`verb` is empty) or after a command, with our options in the place of theirs."""
    for word in words:
        if (verb, word.partition("=")[0]) in REFUSED and word:
            raise refusal(verb, word.partition("=")[0])
    names, silent = OPTIONS.get(verb, {}), WITHOUT_EFFECT.get(verb, ())
    return [names.get(word, word) for word in words if word not in silent]


def refusal(verb: str, option: str) -> FlagstoneError:
    problem, hint = REFUSED[verb, option]
    return FlagstoneError(problem, hint=hint)


def merge_refusal(words: Sequence[str]) -> FlagstoneError:
    """The line of git that merges a branch. Nothing is merged for a person."""
    options = dict(pairwise(words))
    marker = (options.get("-m") or options.get("--marker") or "NAME").rpartition(":")[2]
    branch = options.get("--branch") or f"flagstone/{marker.replace(' ', '-')}"
    line = f"git checkout {shlex.quote(options.get('--target', 'main'))} && git merge --no-ff {shlex.quote(branch)}"
    return FlagstoneError(
        "nothing is merged for you", hint=f"after flagstone marker finalize, merge the branch: {line}"
    )
