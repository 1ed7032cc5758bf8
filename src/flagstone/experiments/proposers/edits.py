"""What may be edited in a draft, and what was: in one line, and undone if need be."""

from __future__ import annotations

import difflib
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from flagstone.experiments.candidates import walk
from flagstone.plans import SubjectSpec
from flagstone.text import one_line

CHANGE = 200
SIDE = 60
COMPARED = 2000  # lines of one file; if more differs, they are only counted
LARGEST = 20_000_000
PATTERN = r"[*?\[]"

Files = Mapping[str, bytes]


def mutable_files(subject: SubjectSpec, draft: Path) -> dict[str, bytes]:
    """The files of a draft that may change, with their content. Links, and what is too large, are not among them."""
    found = {}
    for path, status in files_of(subject, draft):
        is_small = not isinstance(status, OSError) and stat.S_ISREG(status.st_mode) and status.st_size <= LARGEST
        if is_small and path not in found and subject.may_change(path):
            found[path] = (draft / path).read_bytes()
    return dict(sorted(found.items()))


def files_of(subject: SubjectSpec, draft: Path) -> Iterator[tuple[str, os.stat_result | OSError]]:
    """Whatever stands where a glob may name it: a repository has thousands of other files. No link is followed."""
    for top in dict.fromkeys(map(top_of, subject.mutable)):
        place = draft / top
        if os.path.realpath(place) != os.path.join(os.path.realpath(draft), top).rstrip("/"):
            continue
        if place.is_dir():
            yield from ((f"{top}/{path}" if top else path, status) for path, status in walk(place, lambda _: True))
        elif place.exists():
            yield top, place.lstat()


def grant(subject: SubjectSpec, draft: Path, files: Files) -> tuple[Path, ...]:
    """What an agent may write: those files, and the folder in which all matches of a glob are, for new files."""
    tops = dict.fromkeys(top_of(glob) for glob in subject.mutable if re.search(PATTERN, glob))
    named = ((draft / top, draft / top if (draft / top).is_dir() else draft) for top in tops)
    folders = tuple(dict.fromkeys(folder for place, folder in named if not place.is_symlink()))
    return (
        *folders,
        *(draft / path for path in files if not any((draft / path).is_relative_to(each) for each in folders)),
    )


def top_of(glob: str) -> str:
    """The folder that contains all matches of a glob: `src/model` for `src/model/**/*.py`, '' for `*.py`.

    A glob without a pattern is its only match.
    """
    parts = os.path.normpath(glob).split("/")
    fixed = (number for number, part in enumerate(parts) if re.search(PATTERN, part))
    return "/".join(parts[: next(fixed, len(parts))])


def take_back(draft: Path, before: Files, after: Files) -> None:
    """The files as they were."""
    for path in after.keys() - before.keys():
        (draft / path).unlink()
    for path, content in before.items():
        if after.get(path) != content:
            (draft / path).parent.mkdir(parents=True, exist_ok=True)
            (draft / path).write_bytes(content)


def change_in_words(before: Files, after: Files) -> str:
    """What differs, in one line: `train.py: LR = 0.1 → LR = 0.2`."""
    paths = [path for path in sorted({*before, *after}) if before.get(path) != after.get(path)]
    changes = (change_of(path, before.get(path), after.get(path)) for path in paths[:5])
    more = f"; and {len(paths) - 5} more files" if len(paths) > 5 else ""
    return one_line("; ".join(changes), CHANGE - len(more)) + more


def change_of(path: str, before: bytes | None, after: bytes | None) -> str:
    if before is None:
        return f"{path}: new"
    if after is None:
        return f"{path}: removed"
    old, new = without_note(before), without_note(after)
    gone, come = differing_lines(old, new)
    if not gone and not come:
        return f"{path}: the note only"
    if len(gone) == len(come) == 1:
        return f"{path}: {side_text(gone[0])} → {side_text(come[0])}"
    first = next((line for line in (*come, *gone) if len(line.strip()) > 2), "")
    return f"{path}: +{len(come)} −{len(gone)} lines, {side_text(first)}"


def without_note(content: bytes) -> list[str]:
    text = content.decode("utf-8", "replace")
    return [line for line in text.splitlines() if not line.startswith("RUN_NOTE")]


def differing_lines(old: Sequence[str], new: Sequence[str]) -> tuple[list[str], list[str]]:
    """The lines that an edit removed, and those that it added."""
    start, end = 0, 0
    shortest = min(len(old), len(new))
    while start < shortest and old[start] == new[start]:
        start += 1
    while end < shortest - start and old[-1 - end] == new[-1 - end]:
        end += 1
    a, b = list(old[start : len(old) - end]), list(new[start : len(new) - end])
    if len(a) + len(b) > COMPARED:
        return a, b
    gone: list[str] = []
    come: list[str] = []
    for kind, i, j, k, n in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if kind != "equal":
            gone += a[i:j]
            come += b[k:n]
    return gone, come


def side_text(line: str) -> str:
    return one_line(line.strip(), SIDE)


def note_lines(text: str) -> Iterator[str]:
    """The lines of an answer that say something: no headings, fences, rules or bullets alone."""
    is_code = False
    for raw in text.splitlines():
        line = one_line(raw.strip().strip("#*-_>•= "), 4 * SIDE)
        if raw.strip().startswith(("```", "~~~")):
            is_code = not is_code
        elif not is_code and len(re.findall(r"\w", line)) >= 3:
            yield line


def first_saying(text: str) -> str:
    """The first line of an answer that is more than a heading, or else the heading."""
    head = text[:20_000]
    plain = "\n".join(line for line in head.splitlines() if not line.lstrip().startswith("#"))
    return next(note_lines(plain), "") or next(note_lines(head), "")
