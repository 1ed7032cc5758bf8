"""New branches in a person's repository: the only thing that we ever write there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from flagstone.errors import FlagstoneError, WorkFailed
from flagstone.experiments.candidates.git.repository import FETCH_S, INERT, Checkout, environment_of_a_person
from flagstone.experiments.candidates.git.store import Batch, Store
from flagstone.processes import run_quietly

# no hook, no maintenance and no program of a person's is started, and nothing but the branches is written
ALONE = ("-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "core.alternateRefsCommand=true")
FETCH = (
    "--quiet",
    "--atomic",
    "--no-tags",
    "--no-write-fetch-head",
    "--no-auto-maintenance",
    "--no-recurse-submodules",
)


def identity_of(checkout: Checkout) -> str:
    """The name, address and time that git would give a commit of this person now."""
    try:
        return checkout.git("var", "GIT_AUTHOR_IDENT").strip().decode("utf-8", "replace")
    except WorkFailed as error:
        raise FlagstoneError(
            f"git does not know who makes commits in {checkout.root}",
            hint='git config --global user.name "…" and git config --global user.email …',
        ) from error


def refuse_taken_branches(checkout: Checkout, branches: Mapping[str, object]) -> None:
    """Refuses names that git does not take, or that stand for something already."""
    found = checkout.git("for-each-ref", "--format=%(refname)", "refs/heads").decode("utf-8", "replace").split("\n")
    taken = [line.removeprefix("refs/heads/") for line in found if line]
    for name in branches:
        if not is_branch_name(checkout, name):
            raise FlagstoneError(f"{name!r} is no name for a branch", hint="give another one: --branch NAME")
        for other in taken:
            if name == other or name.startswith(f"{other}/") or other.startswith(f"{name}/"):
                raise FlagstoneError(
                    f"branch {other} exists in {checkout.root}",
                    hint=f"give another name (--branch NAME), or remove it: git branch -D {other}",
                )


def is_branch_name(checkout: Checkout, name: str) -> bool:
    """Whether git would take it. What git reads as something else is none: HEAD, @, an option, a whole reference."""
    if name in ("HEAD", "@") or name.startswith(("-", "refs/")):
        return False
    try:
        checkout.git("check-ref-format", f"refs/heads/{name}")
    except WorkFailed:
        return False
    return True


def put_commit_of_person(store: Store, tree: str, parent: str, identity: str, message: str) -> str:
    """Stores a commit that a person is the author of; its name."""
    lines = [f"tree {tree}", f"parent {parent}", f"author {identity}", f"committer {identity}", "", message]
    batch = Batch(store)
    sha = batch.put(b"commit", "\n".join(lines).encode("utf-8", "replace") + b"\n")
    batch.write()
    return sha


def make_branches(checkout: Checkout, store: Store, branches: Mapping[str, str]) -> None:
    """Makes all of these branches at their commits, or none."""
    refuse_taken_branches(checkout, branches)
    store.show_to_git()
    words = [f"{commit}:refs/heads/{name}" for name, commit in branches.items()]
    argv = ["git", "--no-replace-objects", *INERT, *ALONE, "-c", "protocol.file.allow=always"]
    argv += ["-c", "protocol.version=2", "fetch", *FETCH, "--", os.fspath(store.root), *words]
    code, _, problem = run_quietly(argv, Path(checkout.root), FETCH_S, env=environment_of_a_person())
    if code:
        said = problem.decode("utf-8", "replace").strip().splitlines()
        raise WorkFailed(
            f"git did not make the branch in {checkout.root}: {said[-1] if said else f'exit code {code}'}",
            hint="correct that, then give the same command again: nothing is measured twice",
        )
