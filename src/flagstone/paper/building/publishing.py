"""The copies of the paper in the workspace, which people read and approve."""

from __future__ import annotations

from pathlib import Path

from flagstone.artifacts.rules import published_copies
from flagstone.layout import Run
from flagstone.records import content_of, digest_bytes, read_record, write_atomic, write_record
from flagstone.text import escaped_text

RECORD = "published.json"
ASIDE = "set-aside"


def publish(run: Run) -> list[str]:
    """Copies what was built. Returns the files that something else had written there; they are set aside."""
    known = read_record(run.paper / RECORD) or {}
    foreign, published = [], {}
    for copy, original in published_copies(run).items():
        link = folder_that_leads_out(run, copy)
        if link and set_aside(link):
            foreign.append(run.relative(link))
        content, target = content_of(original), run.root / copy
        if content is None:
            continue
        digest = digest_bytes(content)
        found = content_of(target) if is_plain(target) else None
        if found is None or digest_bytes(found) != digest:
            is_ours = found is not None and digest_bytes(found) == known.get(copy)
            if not is_ours and set_aside(target):
                foreign.append(copy)
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(target, content)
        published[copy] = digest
    if published != known:
        write_record(run.paper / RECORD, published)
    return [escaped_text(path, 120) for path in foreign]


def folder_that_leads_out(run: Run, copy: str) -> Path | None:
    """A folder on the way to a copy that is a link out of the workspace: what we write there would land elsewhere."""
    inside, folders = run.workspace.resolve(), reversed((run.root / copy).parents)
    ours = (folder for folder in folders if folder.is_relative_to(run.workspace) and folder != run.workspace)
    return next((each for each in ours if each.is_symlink() and not each.resolve().is_relative_to(inside)), None)


def is_plain(path: Path) -> bool:
    """Whether it is a file of its own: reading a pipe would wait for ever."""
    return path.is_file() and not path.is_symlink()


def set_aside(path: Path) -> bool:
    """Moves away what lies at a path, and deletes nothing. Returns whether there was anything."""
    if not path.exists() and not path.is_symlink():
        return False
    numbers = (f".{number}" if number else "" for number in range(1000))
    names = (path.with_name(f"{path.name}.{ASIDE}{number}") for number in numbers)
    path.rename(next(name for name in names if not name.exists() and not name.is_symlink()))
    return True
