"""Makes a branch of what the sessions of a marker kept: measured again, commit by commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypedDict

from flagstone.errors import FlagstoneError, WorkFailed
from flagstone.experiments.candidates import (
    Checkout,
    identity_of,
    make_branches,
    put_commit_of_person,
    refuse_taken_branches,
)
from flagstone.locks import hold
from flagstone.markers.finalizing.groups import chained_groups, groups_of
from flagstone.markers.finalizing.keeps import Group, KeptEdit, keeps_of, last_experiment, note_of, put_onto
from flagstone.markers.finalizing.measuring import Measurer, bench_of, home_for
from flagstone.markers.finalizing.message import LeftOut, NewCommit, left_out, new_commit
from flagstone.markers.folder import MarkerFolder
from flagstone.markers.marker import Marker

Way = Literal["groups", "one", "each"]


@dataclass(frozen=True)
class FinalizeOptions:
    """How a person wants the result: one commit for each group, one in all, or a branch for each group."""

    branch: str = ""
    way: Way = "groups"
    onto_head: bool = False


@dataclass(frozen=True)
class FinalizeResult:
    """The branches, their commits, and what is not part of them.

    `home` is the experiment of the sessions, `measured_in` that of the measurements. `difference` says why the last
    tree is not that of the best. `is_behind`: HEAD is not what the branches start from.
    """

    marker: str
    home: str
    measured_in: str
    base: str
    best_run: str
    branches: Mapping[str, str]
    commits: tuple[NewCommit, ...]
    left_out: tuple[LeftOut, ...]
    difference: str
    is_behind: bool
    remote: str
    is_on_github: bool


def finalize(
    marker: Marker, schemas: Path, options: FinalizeOptions, say: Callable[[str], None] = lambda _: None
) -> FinalizeResult:
    """Makes the branch, or all branches, or none. After a kill, what was measured is not measured again."""
    folder, checkout = MarkerFolder.of(marker.repository, marker.name), Checkout(marker.repository)
    last, rows = last_experiment(folder)
    with hold(folder.lock, f"marker {marker.name}"):
        branch, head = options.branch or marker.branch, checkout.head()
        names = [f"{branch}-{number}" for number in range(1, len(rows) + 1)] if options.way == "each" else [branch]
        refuse_taken_branches(checkout, dict.fromkeys(names))
        identity = identity_of(checkout)
        home = home_for(marker, last, head if options.onto_head else None)
        with bench_of(marker, home, schemas, say) as measurer:
            refuse_lost_base(checkout, measurer.base_commit)
            keeps = keeps_of(rows, measurer.tree)
            found = list(measured_commits(marker, measurer, keeps, options.way))
            commits = [each for each in found if isinstance(each, NewCommit)]
            lost = tuple(each for each in found if isinstance(each, LeftOut))
            refuse_nothing(marker, commits, lost)
            made = with_names(measurer, commits, identity, names, is_chain=options.way != "each")
            branches = {each.branch: each.commit for each in made}
            make_branches(checkout, measurer.store, branches)
            return FinalizeResult(
                marker=marker.name,
                home=last.root.name,
                measured_in=home.root.name,
                base=measurer.base_commit,
                best_run=keeps[-1].run_id,
                branches=branches,
                commits=tuple(made),
                left_out=lost,
                difference=difference_text(made, lost, keeps[-1]),
                is_behind=measurer.base_commit != head,
                **remote_facts(checkout),
            )


def measured_commits(marker: Marker, measurer: Measurer, keeps: Group, way: Way) -> Iterator[NewCommit | LeftOut]:
    """The commits in their order, and what is left out, each with the reason. Nothing is committed yet."""
    allowed, barred = permitted_keeps(measurer, keeps)
    yield from barred
    if not allowed:
        return
    groups = [allowed] if way == "one" else groups_of(measurer, allowed)
    if way == "groups":
        groups = chained_groups(measurer.store, measurer.base, groups, keeps[-1].after)
    tree, now = measurer.base, measurer.baseline
    for group in groups:
        after = put_onto(measurer.store, group, tree)
        if after is None or after.sha == tree.sha:
            yield left_out(group, "changes nothing any more" if after else "does not merge with what it is put onto")
            continue
        entry = measurer.judge(after, note_of(group), now)
        if fault := entry.reason if not entry.improved else measurer.gate_fault(entry):
            yield left_out(group, fault)
            continue
        assert now.best is not None
        yield new_commit(marker, group, entry, now.best)
        if way != "each":
            tree, now = after, now.after(entry)


def permitted_keeps(measurer: Measurer, keeps: Group) -> tuple[Group, list[LeftOut]]:
    """The edits of files that may still change, and the others."""
    may_change = measurer.engine.opened.spec.subject.may_change
    outside = {keep.run_id: [path for path in sorted(keep.paths) if not may_change(path)] for keep in keeps}
    barred = [
        left_out((keep,), f"it changes {outside[keep.run_id][0]}, which may not change")
        for keep in keeps
        if outside[keep.run_id]
    ]
    return tuple(keep for keep in keeps if not outside[keep.run_id]), barred


def refuse_lost_base(checkout: Checkout, commit: str) -> None:
    try:
        checkout.git("cat-file", "-e", f"{commit}^{{commit}}")
    except WorkFailed as error:
        raise FlagstoneError(
            f"{checkout.root} has no commit {commit[:10]} any more, which the sessions started from",
            hint="put the result onto the commit that is checked out: flagstone marker finalize --onto HEAD",
        ) from error


def refuse_nothing(marker: Marker, commits: Sequence[NewCommit], lost: Sequence[LeftOut]) -> None:
    if commits:
        return
    reasons = "\n".join(f"{', '.join(each.runs)}: {each.reason}" for each in lost)
    raise WorkFailed(
        f"no branch was made: nothing that marker {marker.name} kept stands when it is measured again\n{reasons}",
        hint="correct what failed, then give the same command again; or make more runs: flagstone marker run",
    )


def with_names(
    measurer: Measurer, commits: Sequence[NewCommit], identity: str, names: Sequence[str], *, is_chain: bool
) -> list[NewCommit]:
    """The commits, stored, each with its name and its branch: one after the other, or each on the base."""
    parent, made = measurer.base_commit, list[NewCommit]()
    for number, each in enumerate(commits):
        sha = put_commit_of_person(measurer.store, each.tree, parent, identity, each.message)
        made.append(replace(each, commit=sha, branch=names[0 if is_chain else number]))
        parent = sha if is_chain else parent
    return made


def difference_text(made: Sequence[NewCommit], lost: Sequence[LeftOut], best: KeptEdit) -> str:
    """Why the last tree of a branch is not that of the best. Returns '' if it is."""
    if made[-1].tree == best.after.sha:
        return ""
    if lost:
        return f"the branch differs from {best.run_id}, the best, by what is left out"
    if len({each.branch for each in made}) > 1:
        return f"all branches together are {best.run_id}, the best"
    return f"the branch is {best.run_id}, the best, put onto another commit"


class RemoteFacts(TypedDict):
    """Where a person would push to."""

    remote: str
    is_on_github: bool


def remote_facts(checkout: Checkout) -> RemoteFacts:
    names = checkout.git("remote").decode("utf-8", "replace").split()
    remote = "origin" if "origin" in names else next(iter(names), "")
    url = checkout.git("remote", "get-url", remote) if remote else b""
    return {"remote": remote, "is_on_github": b"github.com" in url}
