"""Candidates as objects of a bare git repository: written by us, readable with git, never removed."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from flagstone.errors import WorkFailed
from flagstone.experiments.candidates.repository import plain_environment
from flagstone.processes import run_quietly
from flagstone.records import cannot_write

# precious objects: not even `git gc --prune=now` removes a candidate
CONFIG = """[core]
\trepositoryformatversion = 1
\tfilemode = true
\tbare = true
\thooksPath = /dev/null
[extensions]
\tpreciousObjects = true
[gc]
\tauto = 0
\tpruneExpire = never
"""
WRITER = b"Flagstone <experiment@localhost>"
FILE, PROGRAM, LINK, FOLDER = "100644", "100755", "120000", "40000"
DIFF_BYTES = 200_000
MAKE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


@dataclass(frozen=True)
class Blob:
    """One file of a tree: its git mode and its object."""

    mode: str
    sha: str


@dataclass(frozen=True)
class Store:
    """The repository below `root`."""

    root: Path

    def make(self) -> None:
        """An empty repository, as `git init --bare` leaves it, without a process."""
        try:
            for folder in ("objects/info", "objects/pack", "refs/heads"):
                (self.root / folder).mkdir(parents=True, exist_ok=True)
            (self.root / "config").write_text(CONFIG)
            (self.root / "HEAD").write_text("ref: refs/heads/best\n")
        except OSError as error:
            raise cannot_write(self.root, error) from error

    def path_of(self, sha: str) -> Path:
        return self.root / "objects" / sha[:2] / sha[2:]

    def put(self, kind: bytes, content: bytes) -> str:
        """Stores an object durably, once; its name."""
        whole = kind + b" %d\0" % len(content) + content
        sha = hashlib.sha1(whole, usedforsecurity=False).hexdigest()
        path = os.fspath(self.path_of(sha))
        if os.path.exists(path):
            return sha
        try:
            place(path, zlib.compress(whole, 1))
        except OSError as error:
            raise cannot_write(Path(path), error) from error
        return sha

    def content(self, sha: str) -> bytes:
        """The content of an object."""
        try:
            whole = zlib.decompress(self.path_of(sha).read_bytes())
        except FileNotFoundError:
            return self.packed(sha)
        except (OSError, zlib.error) as error:
            raise lost(self.root, sha) from error
        return whole[whole.index(b"\0") + 1 :]

    def packed(self, sha: str) -> bytes:
        """An object that a person's `git gc` has packed."""
        for kind in ("blob", "tree", "commit"):
            code, content, _ = run_quietly(["git", "cat-file", kind, sha], self.root, 60)
            if code == 0:
                return content
        raise lost(self.root, sha)

    def put_tree(self, files: Mapping[str, Blob]) -> str:
        """Stores a tree of these files, folders below it first."""
        rows: list[tuple[bytes, str, str]] = []
        below: dict[str, dict[str, Blob]] = {}
        for path, blob in files.items():
            first, _, rest = path.partition("/")
            if rest:
                below.setdefault(first, {})[rest] = blob
            else:
                rows.append((os.fsencode(first), blob.mode, blob.sha))
        for name, inner in below.items():
            rows.append((os.fsencode(name), FOLDER, self.put_tree(inner)))
        # git sorts folders as if their names ended with a slash
        rows.sort(key=lambda row: row[0] + (b"/" if row[1] == FOLDER else b""))
        return self.put(b"tree", b"".join(b"%s %s\0" % (m.encode(), n) + bytes.fromhex(s) for n, m, s in rows))

    def tree(self, sha: str, above: str = "") -> Iterator[tuple[str, Blob]]:
        """Every file of a tree with its path."""
        content = self.content(sha)
        position = 0
        while position < len(content):
            end = content.index(b"\0", position)
            mode, _, name = content[position:end].partition(b" ")
            inner = content[end + 1 : end + 21].hex()
            path = f"{above}{os.fsdecode(name)}"
            position = end + 21
            if mode == FOLDER.encode():
                yield from self.tree(inner, f"{path}/")
            else:
                yield path, Blob(mode.decode(), inner)

    def put_commit(self, tree: str, parent: str, note: str, number: int) -> str:
        """Stores a commit. Equal edits make equal commits: the number of the run stands for the time."""
        lines = [b"tree " + tree.encode(), *([b"parent " + parent.encode()] if parent else [])]
        lines += [b"%s %s %d +0000" % (role, WRITER, number) for role in (b"author", b"committer")]
        return self.put(b"commit", b"\n".join(lines) + b"\n\n" + note.encode("utf-8", "replace") + b"\n")

    def diff(self, before: str, after: str) -> str:
        """The difference of two trees as a person reads it, cut where it is very long."""
        if before == after:
            return ""
        argv = ["git", "-c", "core.quotePath=false", "diff", "--no-color", "--no-ext-diff", "--no-textconv", "-M"]
        code, content, told = run_quietly([*argv, before, after], self.root, 60, env=plain_environment())
        if code:
            said = told.decode("utf-8", "replace").strip()
            raise WorkFailed(f"cannot compare {before[:10]} and {after[:10]}: {said}", hint="look at candidates.git")
        text = content[:DIFF_BYTES].decode("utf-8", "replace")
        return text if len(content) <= DIFF_BYTES else f"{text}\n[… {len(content) - DIFF_BYTES} bytes left out …]\n"


def place(path: str, content: bytes) -> None:
    """Puts an object in its place, whole and for good, or not at all."""
    folder = os.path.dirname(path)
    temporary = f"{folder}/tmp_obj_{os.urandom(8).hex()}"  # as git names its own, so that it knows what they are
    try:
        handle = os.open(temporary, MAKE, 0o444)
    except FileNotFoundError:
        os.makedirs(folder, exist_ok=True)
        handle = os.open(temporary, MAKE, 0o444)
    try:
        try:
            while content:
                content = content[os.write(handle, content) :]
            os.fsync(handle)
        finally:
            os.close(handle)
        os.replace(temporary, path)
    except OSError:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def lost(root: Path, sha: str) -> WorkFailed:
    return WorkFailed(
        f"{root} has lost the object {sha}", hint="put it back from a backup; git fsck shows what is lost"
    )
