"""A room of the package names what others may use, and others ask the room; inside it, modules ask each other."""

from __future__ import annotations

import ast

from sources import ROOT, Source, python

PACKAGE = ROOT / "src" / "flagstone"


def test_other_rooms_are_imported_by_what_they_export() -> None:
    package = [source for source in python("src/flagstone") if "/agents/demo/material/" not in source.name]
    assert [f"{source.name} imports {name}" for source in package for name in reached_into(source)] == []


def test_no_exported_name_is_also_a_module_of_its_room() -> None:
    """Whichever was imported first would win."""
    clashes = {
        f"{stub.parent.name}.{alias.name}"
        for stub in PACKAGE.rglob("__init__.pyi")
        for node in ast.parse(stub.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if (stub.parent / f"{alias.name}.py").exists()
    }
    assert clashes == set()


def reached_into(source: Source) -> list[str]:
    """The modules of other rooms that a file imports from."""
    own = source.path.parent.relative_to(PACKAGE.parent).as_posix().replace("/", ".")
    found = []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("flagstone."):
            room, _, _ = node.module.rpartition(".")
            is_module = (PACKAGE.parent / f"{node.module.replace('.', '/')}.py").exists()
            is_outside = own != room and not own.startswith(f"{room}.")
            if is_module and is_outside and room != "flagstone" and not room.startswith("flagstone.cli"):
                found.append(node.module)
    return found
