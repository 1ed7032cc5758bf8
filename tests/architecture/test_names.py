"""What names promise: one meaning each, and a function says what it does or what it answers."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator

from sources import Source, python

PROGRAMS = "/agents/demo/material/"  # whole programs that are copied into a run; they share no names with us
ONE_MEANING = {
    "Direction": "min or max; statistics knows nothing of plans",
    "Options": "what a person set for a plug-in; agents and metrics do not know each other",
    "Steps": "the last values of each name; every reader of metrics answers with it",
}
IRREGULAR = {"broken", "found", "given", "held", "hidden", "kept", "known", "lost", "made", "seen", "taken", "told"}
VERBS = {"feed", "embed", "seed", "need"}


def package() -> list[Source]:
    return [source for source in python("src/flagstone") if PROGRAMS not in source.name]


def test_a_class_name_means_one_thing() -> None:
    places = defaultdict(set)
    for source in package():
        for name in types_of(source):
            places[name].add(source.name)
    assert several(places, ONE_MEANING) == {}


def types_of(source: Source) -> Iterator[str]:
    """The classes of a module, and the types that it gives a name at its top."""
    yield from (node.name for node in source.nodes if isinstance(node, ast.ClassDef))
    for node in source.tree.body:
        is_type = isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript)
        yield from (name for name in names_set(node) if is_type and not name.isupper())


def names_set(node: ast.stmt) -> list[str]:
    return [each.id for each in getattr(node, "targets", []) if isinstance(each, ast.Name)]


def test_a_module_name_means_one_thing_in_its_room() -> None:
    """Not in `cli`: there a module is called as its command is."""
    places = defaultdict(set)
    for source in package():
        room, _, module = source.name.removeprefix("src/flagstone/").partition("/")
        name = module.rpartition("/")[2].removesuffix(".py")
        if room != "cli" and name not in ("", "__init__"):
            places[f"{room}: {name}"].add(source.name)
    assert several(places, {"agents: driver": "each agent has one"}) == {}


def several(places: dict[str, set[str]], exceptions: Iterable[str]) -> dict[str, list[str]]:
    return {name: sorted(where) for name, where in places.items() if len(where) > 1 and name not in exceptions}


def test_no_function_is_named_by_a_participle_alone() -> None:
    """`seen` leaves open who saw what: `last_seen`, `unseen_files` and `is_seen` do not."""
    named = {f"{source.name}:{each.name}" for source in package() for each in source.functions() if is_bare(each.name)}
    assert named == set()


def is_bare(name: str) -> bool:
    return name in IRREGULAR or ("_" not in name and name.endswith("ed") and name not in VERBS)
