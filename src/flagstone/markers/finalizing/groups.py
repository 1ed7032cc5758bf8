"""Which kept edits belong together: one that is better alone begins a group, any other joins the one that it needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flagstone.experiments.candidates import Store, Tree
from flagstone.markers.finalizing.keeps import Group, KeptEdit, note_of, put_onto
from flagstone.markers.finalizing.measuring import Measurer


def groups_of(measurer: Measurer, keeps: Group) -> list[Group]:
    """The groups, in the order of their first runs. Each edit is measured alone on the base, if it merges with that."""
    groups: list[Group] = []
    for keep in keeps:
        alone = put_onto(measurer.store, (keep,), measurer.base)
        is_gain = alone is not None and is_better(measurer, alone, (), keep)
        is_first = is_gain or not groups
        groups = [*groups, (keep,)] if is_first else groups_with(measurer, groups, keep, is_mergeable=alone is not None)
    return groups


def is_better(measurer: Measurer, tree: Tree, group: Group, keep: KeptEdit) -> bool:
    """Whether a tree, which is a group on the base and one more edit, is better than without that edit."""
    before, now = put_onto(measurer.store, group, measurer.base), measurer.baseline
    if before is None or before.sha == tree.sha:
        return False
    if group:
        now = now.after(measurer.judge(before, note_of(group), now))
    is_measured_on = now.best is not None and now.best.tree == before.sha
    return is_measured_on and measurer.judge(tree, note_of((*group, keep)), now).improved


def groups_with(measurer: Measurer, groups: Sequence[Group], keep: KeptEdit, *, is_mergeable: bool) -> list[Group]:
    """The groups with one more edit in the smallest part of them that it merges with.

    One that merges with the base is measured on each part. If it is better on none, it stays alone.
    """
    for part in parts(groups, keep):
        tree = put_onto(measurer.store, union([*part, (keep,)]), measurer.base)
        if tree is None:
            continue
        if not is_mergeable or is_better(measurer, tree, union(part), keep):
            return in_order([*(each for each in groups if each not in part), union([*part, (keep,)])])
    return [*groups, (keep,)]


def parts(groups: Sequence[Group], keep: KeptEdit) -> Iterator[Sequence[Group]]:
    """Each group alone, those that change the same files first, then the latest; then more and more of them."""
    nearest = sorted(groups, key=lambda group: (shares_files(group, keep), group[-1].entry.number), reverse=True)
    yield from ([group] for group in nearest)
    yield from (nearest[:count] for count in range(2, len(nearest) + 1))


def shares_files(group: Group, keep: KeptEdit) -> bool:
    return any(each.paths & keep.paths for each in group)


def chained_groups(store: Store, base: Tree, groups: Sequence[Group], best: Tree) -> list[Group]:
    """The same groups, such that each merges onto those before it, and all together are the best."""
    tree, done = base, list[Group]()
    for group in groups:
        after = put_onto(store, group, tree)
        if after is None and done and put_onto(store, group, base) is not None:
            rest = groups[len(done) + 1 :]
            return chained_groups(store, base, [*done[:-1], union([done[-1], group]), *rest], best)
        tree = after or tree
        done.append(group)
    every = union(groups)
    whole = put_onto(store, every, base)
    is_nearer = whole is not None and tree.sha != whole.sha == best.sha
    return [every] if is_nearer else done


def union(groups: Sequence[Group]) -> Group:
    return tuple(sorted((keep for group in groups for keep in group), key=lambda keep: keep.entry.number))


def in_order(groups: Sequence[Group]) -> list[Group]:
    return sorted(groups, key=lambda group: group[0].entry.number)
