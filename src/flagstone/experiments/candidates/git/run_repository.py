"""The repository that git finds in a run: commit, tags and objects of the project's own, which no run can harm."""

from __future__ import annotations

import os
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.experiments.candidates.git.repository import READ_S, SHA1_LETTERS, Checkout, plain_environment
from flagstone.processes import run_quietly
from flagstone.records import cannot_write

CONFIG = "[core]\n\trepositoryformatversion = 0\n\tbare = false\n\thooksPath = /dev/null\n"


def make_run_repository(root: Path, place: Path, *, has_every_file: bool) -> None:
    """Programs ask git for the commit they run at. Makes nothing if the project has none.

    HEAD is the commit that the experiment began with. If a run has every file of it, an edit shows as a change that is
    not committed. Otherwise git takes all files as unchanged: what a run sees through links would be a change too.
    """
    checkout = Checkout(root)
    try:
        commit = checkout.git("rev-parse", "--verify", "HEAD").strip()
        common = checkout.common_folder
        has_every_file &= not checkout.git("rev-parse", "--show-prefix").strip()
        tags = checkout.git("for-each-ref", "--format=%(objectname) %(refname)", "refs/tags")
    except FlagstoneError:
        return
    if len(commit) != SHA1_LETTERS:
        return
    try:
        for folder in ("objects/info", "refs"):
            (place / folder).mkdir(parents=True, exist_ok=True)
        (place / "config").write_text(CONFIG)
        (place / "packed-refs").write_bytes(tags)
        (place / "objects" / "info" / "alternates").write_bytes(os.fsencode(common) + b"/objects\n")
        shallow = common / "shallow"
        if shallow.is_file():
            (place / "shallow").write_bytes(shallow.read_bytes())
        (place / "HEAD").write_bytes(commit + b"\n")
    except OSError as error:
        raise cannot_write(place, error) from error
    make_index(place, is_compared=has_every_file)


def make_index(place: Path, *, is_compared: bool) -> None:
    def git(*words: str, stdin: bytes = b"") -> bytes:
        return run_quietly(["git", f"--git-dir={place}", *words], place, READ_S, env=plain_environment(), stdin=stdin)[
            1
        ]

    git("read-tree", "HEAD")
    if not is_compared:
        git("update-index", "-z", "--skip-worktree", "--stdin", stdin=git("ls-files", "-z"))
