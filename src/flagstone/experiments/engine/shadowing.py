"""New files with the name of a module of Python: what measures a candidate would import them in its place."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator

IMPORTABLE = (".py", ".pyc", ".so")


def shadowing_problems(base: Collection[str], now: Collection[str]) -> Iterator[str]:
    """A sentence about each new file that shadows a module, in a folder where imports may start.

    Within a package of the base nothing is found by that name alone. A module that the base shadows already may be
    edited.
    """
    new = sorted(path for path in now if path not in base and path.endswith(IMPORTABLE))
    before = set(modules_in(base)) if new else set()
    for path in new:
        for root, name in modules_in([path]):
            is_package = f"{root}__init__.py" in base
            is_root = not root or any(each.startswith(root) for each in base)
            if name in sys.stdlib_module_names and is_root and not is_package and (root, name) not in before:
                yield f"{path} would be imported in place of Python's own module {name}"


def modules_in(paths: Collection[str]) -> Iterator[tuple[str, str]]:
    """Every folder above one of these files, ending in a slash, with the name that it can be imported by there."""
    for path in paths:
        if path.endswith(IMPORTABLE):
            *folders, file = path.split("/")
            names = [*folders, file.partition(".")[0]]
            yield from (("".join(f"{each}/" for each in folders[:at]), name) for at, name in enumerate(names))
