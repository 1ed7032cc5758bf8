"""Finds where the values of `--param` are: in the command line, in the entry, or in a file that may change."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from flagstone.errors import FlagstoneError
from flagstone.experiments.proposers import names_in
from flagstone.globs import matches
from flagstone.plans import WORD_VALUES_FILE, Parameter, parameter_of, plain_value, word_in


def with_parameters(plan: dict[str, Any], root: Path, texts: Sequence[str]) -> dict[str, Any]:
    """Returns the plan with these values as the parameters of its search. Their files may change too."""
    if not texts:
        return plan
    subject, harness = dict(plan.get("subject", {})), dict(plan.get("harness", {}))
    search = dict(plan.get("search", {}))
    search["parameters"] = dict(search.get("parameters", {}))
    if entry := subject.get("entry") or entry_in(harness.get("argv", ()), root):
        subject["entry"] = entry
    found = {**plan, "subject": subject, "harness": harness, "search": search}
    found.setdefault("proposer", "search")
    for parameter in map(parameter_of, texts):
        file, key = take_word(parameter, subject, harness) or place_of(parameter, subject, root)
        name = f"{file}:{key}" if key in search["parameters"] else key
        if not matches(file, tuple(subject.get("mutable", ()))):
            subject["mutable"] = [*subject.get("mutable", ()), file]
        own = {**({} if file == entry else {"file": file}), **({} if key == name else {"key": key})}
        search["parameters"][name] = {**own, **parameter.range}
    return found


def take_word(parameter: Parameter, subject: dict[str, Any], harness: dict[str, Any]) -> tuple[str, str] | None:
    """Makes a word of the command line a part of the candidate. Returns its file and its name there, or None."""
    argv, name = list(harness.get("argv", ())), parameter.name
    word = None if parameter.file else word_in(argv, parameter.key)
    if word is None:
        return None
    if name in subject.get("arguments", {}):
        raise FlagstoneError(f"--param {parameter.key} is given twice", hint="give it once, with the whole range")
    argv[word.index] = f"{word.before}{{{name}}}"
    harness["argv"] = argv
    subject["arguments"] = {**subject.get("arguments", {}), name: plain_value(word.value)}
    return WORD_VALUES_FILE, name


def entry_in(argv: Sequence[str], root: Path) -> str:
    """The first word of a command line that is a Python file of the project."""
    return next((word for word in argv if word.endswith(".py") and (root / word).is_file()), "")


def place_of(parameter: Parameter, subject: dict[str, Any], root: Path) -> tuple[str, str]:
    """The one file that has the value, and its name there. Raises an error if there is none, or several."""
    files = [parameter.file] if parameter.file else sorted(files_of(subject, root))
    found = [(file, name) for file in files for name in names_of(root / file) if is_meant(parameter.key, name)]
    exact = [place for place in found if place[1] == parameter.key]
    places = exact or found
    if len(places) == 1:
        return places[0]
    if not places:
        raise FlagstoneError(
            f"--param {parameter.key}: the command line has no such value, nor has {', '.join(files) or 'a file'}",
            hint="give it in the command (--lr 0.1 or lr=0.1), or name the file that has it: --param FILE:KEY=LOW:HIGH",
        )
    raise FlagstoneError(
        f"--param {parameter.key}: there are several of this name",
        hint=f"name one: {', '.join(f'--param {file}:{name}=…' for file, name in places[:5])}",
    )


def files_of(subject: dict[str, Any], root: Path) -> Iterator[str]:
    """The entry, and every file that may change."""
    globs = [glob.glob(each, root_dir=root, recursive=True) for each in subject.get("mutable", ())]
    yield from {*([subject["entry"]] if subject.get("entry") else []), *(name for names in globs for name in names)}


def names_of(path: Path) -> list[str]:
    try:
        return names_in(path.name, path.read_bytes())
    except OSError:
        return []


def is_meant(key: str, name: str) -> bool:
    """Whether a name is this key, or ends with it: `lr` for `optim.lr`."""
    return name == key or name.endswith(f".{key}")
