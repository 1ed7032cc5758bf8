"""The population: runs start from good candidates of their island, and are kept only if they beat the best of all."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from laboratory import Edits, Laboratory, killed_at, set_x
from views import view_of

from flagstone.experiments.ledger.entry import Entry
from flagstone.experiments.proposers.population import ISLANDS, PopulationProposer
from flagstone.experiments.proposers.protocol import View

VALUES = {1: 4.5, 2: 3.0, 3: 3.1, 4: 3.2, 5: 3.3, 6: 2.0, 7: 2.1, 8: 2.2, 9: 3.4}
EDITS = {number: set_x(value) for number, value in VALUES.items() if number > 1}


def population_of(edits: Edits) -> PopulationProposer:
    return PopulationProposer(edits)


def played(laboratory: Laboratory, limit: int = 9) -> Edits:
    edits = Edits(EDITS)
    laboratory.make(proposer="population")
    laboratory.run(population_of(edits), limit=limit)
    return edits


def starts(laboratory: Laboratory) -> list[tuple[int, int]]:
    return [(each.number, int(each.parent_run[1:])) for each in laboratory.entries() if each.parent_run]


def test_a_run_starts_from_its_island_or_visits_another(laboratory: Laboratory) -> None:
    played(laboratory)
    for number, parent in starts(laboratory):
        assert parent == 1 or number % 5 == 0 or parent % ISLANDS == number % ISLANDS
    assert len({parent for _, parent in starts(laboratory)}) > 2, "not all start from the best"


def test_only_what_beats_the_best_of_all_is_kept(laboratory: Laboratory) -> None:
    played(laboratory)
    best = float("inf")
    for each in laboratory.entries():
        assert each.improved == (each.value is not None and each.value < best)
        best = min(best, each.value or best)


def test_a_run_that_was_killed_starts_from_the_same_candidate_again(laboratory: Laboratory) -> None:
    played(laboratory)
    twin = Laboratory(laboratory.folder.parent / "twin").make(proposer="population")
    for moment in (150, 90, 210):
        killed_at(moment, lambda: twin.run(population_of(Edits(EDITS)), limit=9))
    twin.run(population_of(Edits(EDITS)), limit=9 - len(twin.entries()))
    assert starts(twin) == starts(laboratory)


def entry(laboratory: Laboratory, number: int, value: float, **changes: object) -> Entry:
    made = replace(laboratory.entries()[0], number=number, run_id=f"r{number:04}", parent_run="r0001", value=value)
    return replace(made, tree=f"tree {number}", improved=False, **changes)  # type: ignore[arg-type]


def drawn(view: View) -> Counter[str]:
    """How often each run would be started from by the runs of one island that do not visit another."""
    numbers = [number for number in range(view.number, view.number + 6000, ISLANDS) if number % 5]
    found = (PopulationProposer(Edits({})).parent(replace(view, number=number)) for number in numbers)
    return Counter(each.run_id for each in found if each)


def test_candidates_that_are_better_or_unlike_the_best_are_drawn_more_often_and_refused_ones_never(
    laboratory: Laboratory, tmp_path: Path
) -> None:
    laboratory.make().run(Edits({}), limit=1)
    first = laboratory.entries()[0]
    island = [3, 6, 9, 12, 15, 18]
    bad = entry(laboratory, 21, 0.1, valid=False, refused_by="guard")
    others = [entry(laboratory, number, 1 + number / 10) for number in island]
    equal = replace(entry(laboratory, 24, 1.35), tree="tree 3")
    stranger = entry(laboratory, 22, 0.2)
    view = view_of(tmp_path, [first, *others, bad, stranger, equal], number=27)
    counts = drawn(view)
    assert set(counts) == {"r0001", *(f"r{number:04}" for number in island)}
    assert counts["r0003"] > counts["r0006"] > counts["r0009"] > counts["r0018"]
    far = replace(view, diff=lambda before, after: "+x\n" * 200 if after == "tree 9" else "")
    assert drawn(far)["r0009"] > counts["r0009"] * 1.3


def test_without_a_valid_run_it_starts_from_the_unedited_files(tmp_path: Path) -> None:
    assert PopulationProposer(Edits({})).parent(view_of(tmp_path)) is None
