"""The list of repositories whose markers are known anywhere, as `repository:marker`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.layout import state_folder
from flagstone.locks import sole_use
from flagstone.markers.reading import find_repository
from flagstone.records import content_of, decode_or_none, write_record

LIST = "repositories.json"


def known_repositories() -> tuple[Path, ...]:
    """The repositories on the list, in the order in which they were added. They may be gone meanwhile."""
    path = state_folder() / LIST
    content = content_of(path)
    if content is None and not path.exists():
        return ()
    found = decode_or_none(content or b"", dict[str, list[str]])
    if found is None or "repositories" not in found:
        raise FlagstoneError(
            f"{path} is not a list of repositories", hint="remove it, and add each one: flagstone marker add PATH"
        )
    return tuple(map(Path, found["repositories"]))


def add_repository(repository: Path) -> bool:
    """Adds a repository to the list. Returns False if it is on it already."""
    return change(lambda known: known if repository in known else (*known, repository))


def detach_repository(repository: Path) -> bool:
    """Takes a repository off the list. Returns False if it is not on it."""
    return change(lambda known: tuple(each for each in known if each != repository))


def change(edit: Callable[[tuple[Path, ...]], tuple[Path, ...]]) -> bool:
    path = state_folder() / LIST
    with sole_use(path.with_suffix(".lock")):
        before = known_repositories()
        after = edit(before)
        if after != before:
            write_record(path, {"repositories": [str(each) for each in after]})
    return after != before


def repository_called(name: str, here: Path) -> Path:
    """The repository of this name or path: a known one, or the one around a folder."""
    if "/" in name:
        return find_repository(here / Path(name).expanduser())
    known = list(known_repositories())
    with suppress(FlagstoneError):
        known.append(find_repository(here))
    found = sorted({each for each in known if each.name == name})
    if len(found) == 1:
        return found[0]
    if found:
        paths = "\n".join(f"{each}:MARKER" for each in found)
        raise FlagstoneError(f"several repositories are called {name!r}", hint=f"name one by its path:\n{paths}")
    names = ", ".join(sorted({each.name for each in known})) or "none yet"
    raise FlagstoneError(
        f"no repository is called {name[:80]!r}; known: {names}", hint="flagstone marker add PATH makes one known"
    )
