"""Candidates as objects of a bare git repository: written by us, readable with git, never removed."""

from __future__ import annotations

import os
import threading
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from flagstone.errors import FlagstoneError, WorkFailed
from flagstone.experiments.candidates.git.journal import Journal, Unpacked
from flagstone.experiments.candidates.git.objects import is_object, loose_form, object_name, pack_of, parts_of
from flagstone.experiments.candidates.git.recent import Recent
from flagstone.experiments.candidates.git.repository import Repository, lost_error, plain_environment
from flagstone.experiments.candidates.git.trees import FOLDER, TreeEntry
from flagstone.processes import run_quietly
from flagstone.records import cannot_write, sync_folder

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
DIFF_BYTES = 200_000
PACKED_AT = 300  # objects: about a hundred candidates
ONE_BY_ONE, AT_ONCE_BYTES = 200, 64_000_000
REMEMBERED_BYTES, LARGEST_REMEMBERED = 64_000_000, 500_000


@dataclass
class Store:
    """The repository below `root`.

    New objects are appended to one journal, which is synced once a candidate. Every hundred candidates the journal
    becomes a pack. Before git is asked for an object, those of the journal are written as loose files.
    """

    root: Path
    recent: Recent[str, bytes] = field(default_factory=lambda: Recent(REMEMBERED_BYTES, len), compare=False)
    lock: threading.RLock = field(default_factory=threading.RLock, compare=False)
    packed_at: int = field(default=PACKED_AT, compare=False)

    @cached_property
    def unpacked_objects(self) -> Unpacked:
        return Unpacked(Journal(self.root / "unpacked"))

    @property
    def repository(self) -> Repository:
        """The repository with all objects where git finds them."""
        self.show_to_git()
        return Repository(self.root)

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
        """Stores one object durably; its name."""
        batch = Batch(self)
        sha = batch.put(kind, content)
        batch.write()
        return sha

    def append(self, objects: Iterable[tuple[str, bytes]]) -> None:
        """Stores objects, each as the content of its loose file: durable when this returns."""
        with self.lock:
            self.unpacked_objects.read()
            rows = [(sha, loose) for sha, loose in objects if sha not in self.unpacked_objects.places]
            try:
                self.unpacked_objects.journal.append(rows, self.unpacked_objects.end)
            except OSError as error:
                raise cannot_write(self.root, error) from error
            self.unpacked_objects.read()
            if len(self.unpacked_objects.places) >= self.packed_at:
                self.pack()

    def show_to_git(self) -> None:
        """Writes the objects of the journal as loose files. They need not be durable: the journal has them."""
        with self.lock:
            # one that is known tells whether another process has packed the journal and begun the next
            self.unpacked_objects.find(next(iter(self.unpacked_objects.places), ""))
            for sha in tuple(self.unpacked_objects.places)[self.unpacked_objects.shown :]:
                loose = self.unpacked_objects.find(sha)
                if loose is None:
                    return  # another process has packed them
                try:
                    write_loose(self.path_of(sha), loose)
                except OSError as error:
                    raise cannot_write(self.root, error) from error
                self.unpacked_objects.shown += 1

    def pack(self) -> None:
        """The journal as a pack. Without git everything stays as it is, and is tried again later."""
        shas = tuple(self.unpacked_objects.places)
        loose = [each for sha in shas if (each := self.unpacked_objects.find(sha))]
        try:
            Repository(self.root).take_pack(pack_of([parts_of(each) for each in loose]))
            sync_folder(self.root / "objects" / "pack")
        except FlagstoneError:
            self.packed_at = len(shas) + PACKED_AT
            return
        for sha in shas:
            self.path_of(sha).unlink(missing_ok=True)
        self.unpacked_objects.journal.path.unlink(missing_ok=True)
        self.packed_at = PACKED_AT

    def ignored_paths(self, folder: Path, paths: Sequence[str]) -> frozenset[str]:
        """Which of these paths the `.gitignore` files of a folder name."""
        return Repository(self.root).ignored_paths(folder, paths)

    def content(self, sha: str) -> bytes:
        """The content of an object."""
        return next(content for _, content in self.contents([sha]))

    def contents(self, shas: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """What objects hold. Reads loose ones as files, the rest through git."""
        packed = []
        for sha in dict.fromkeys(shas):
            content = self.recent.rows.get(sha)
            content = self.loose_content(sha) if content is None else content
            if content is None:
                packed.append(sha)
            else:
                yield sha, content
        if packed:
            for sha, content in self.repository.contents(packed):
                self.remember(sha, content)
                yield sha, content

    def small_contents(self, shas: Iterable[str], most: int) -> dict[str, bytes]:
        """What objects hold that are not too large."""
        found, packed = dict[str, bytes](), list[str]()
        for sha in shas:
            content = self.recent.rows.get(sha)
            content = self.loose_content(sha) if content is None else content
            if content is None:
                packed.append(sha)
            elif len(content) <= most:
                found[sha] = content
        sizes = self.repository.sizes(packed) if packed else {}
        return {**found, **dict(self.contents(sha for sha in packed if sizes.get(sha, 0) <= most))}

    def remember(self, sha: str, content: bytes) -> None:
        if len(content) <= LARGEST_REMEMBERED:
            self.recent.put(sha, content)

    def loose_content(self, sha: str) -> bytes | None:
        """The content of an object that is in the journal or a loose file; None if it is packed."""
        try:
            with self.lock:
                loose = self.unpacked_objects.find(sha) or self.path_of(sha).read_bytes()
            if not is_object(sha, loose):
                raise lost_error(self.root, sha)
            return parts_of(loose)[1]
        except FileNotFoundError:
            return None
        except (OSError, zlib.error, ValueError) as error:
            raise lost_error(self.root, sha) from error

    def rows(self, tree: str) -> Iterator[TreeEntry]:
        """Every file and folder of a tree."""
        return iter(self.loose_rows(tree) or tuple(self.repository.rows(tree)))

    def loose_rows(self, tree: str, above: str = "") -> list[TreeEntry]:
        """The rows, if all folders of the tree are loose objects: without a process. Else none."""
        content = self.loose_content(tree)
        if content is None:
            return []
        rows, position = list[TreeEntry](), 0
        while position < len(content):
            end = content.index(b"\0", position)
            mode, _, name = content[position:end].partition(b" ")
            row = TreeEntry(mode.decode(), content[end + 1 : end + 21].hex(), above + os.fsdecode(name))
            position = end + 21
            rows.append(row)
            if row.mode == FOLDER:
                below = self.loose_rows(row.sha, f"{row.path}/")
                if not below:
                    return []
                rows += below
        return rows

    def diff(self, before: str, after: str) -> str:
        """The difference of two trees as a person reads it, cut if it is very long."""
        if before == after:
            return ""
        self.show_to_git()
        argv = ["git", "-c", "core.quotePath=false", "diff", "--no-color", "--no-ext-diff", "--no-textconv", "-M"]
        code, content, output = run_quietly([*argv, before, after], self.root, 60, env=plain_environment())
        if code:
            problem = output.decode("utf-8", "replace").strip()
            raise WorkFailed(f"cannot compare {before[:10]} and {after[:10]}: {problem}", hint="look at candidates.git")
        text = content[:DIFF_BYTES].decode("utf-8", "replace")
        return text if len(content) <= DIFF_BYTES else f"{text}\n[… {len(content) - DIFF_BYTES} bytes left out …]\n"


@dataclass
class Batch:
    """New objects on their way into the store: each durable when `write` returns."""

    store: Store
    waiting: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)
    size: int = 0

    def put(self, kind: bytes, content: bytes) -> str:
        sha = object_name(kind, content)
        if sha not in self.waiting:
            self.waiting[sha] = (kind, content)
            self.size += len(content)
        if self.size > AT_ONCE_BYTES:
            self.write()
        return sha

    def put_commit(self, tree: str, parent: str, note: str, number: int) -> str:
        """Equal edits make equal commits: the number of the run is used as their time."""
        lines = [b"tree " + tree.encode(), *([b"parent " + parent.encode()] if parent else [])]
        lines += [b"%s %s %d +0000" % (role, WRITER, number) for role in (b"author", b"committer")]
        return self.put(b"commit", b"\n".join(lines) + b"\n\n" + note.encode("utf-8", "replace") + b"\n")

    def write(self) -> None:
        """A few objects go to the journal, many become a pack of their own."""
        objects = self.waiting
        self.waiting, self.size = {}, 0
        if len(objects) > ONE_BY_ONE:
            self.store.repository.take_pack(pack_of(list(objects.values())))
            sync_folder(self.store.root / "objects" / "pack")
            return
        for sha, (_, content) in objects.items():
            self.store.remember(sha, content)
        self.store.append((sha, loose_form(*each)) for sha, each in objects.items())


def write_loose(path: Path, content: bytes) -> None:
    """An object as git reads it. Replaces what a kill or a power cut has torn."""
    try:
        if path.read_bytes() == content:
            return
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.write_bytes(content)
    fresh.chmod(0o444)
    os.replace(fresh, path)
