"""The few git verbs we use: a person's checkout is only read, and no setting but ours reaches our own repository."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from flagstone.errors import FlagstoneError, WorkFailed
from flagstone.experiments.candidates.git.trees import TreeEntry
from flagstone.processes import run_quietly

READ_S = 120
FETCH_S = 1800
MISSING, TOO_LONG = 127, 124
SHA1_LETTERS = 40
AT_ONCE_BYTES = 64_000_000
# programs and hooks that a repository's own settings could start, and what would write to it
INERT = ("-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}", "-c", f"core.attributesFile={os.devnull}")
OWNERS = ("dubious ownership", "unsafe repository")
QUIET = {"GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


@dataclass(frozen=True)
class Modified:
    """What is not as the last commit has it."""

    path: str
    is_tracked: bool


@dataclass(frozen=True)
class Checkout:
    """A person's work tree. Nothing here writes to it, and nothing that its settings name is started."""

    root: Path

    def git(self, *words: str, options: Sequence[str] = ()) -> bytes:
        argv = ["git", "--no-replace-objects", *INERT, *options, *words]
        return answer(argv, self.root, READ_S, env=environment_of_a_person(), about=self.root)

    def head(self) -> str:
        """The commit that is checked out. A folder that is no whole work tree with a commit is refused in words."""
        above = self.git("rev-parse", "--show-prefix").rstrip(b"\n")
        if self.git("rev-parse", "--is-inside-work-tree").strip() != b"true":
            raise FlagstoneError(f"{self.root} is a repository without files", hint="give a checkout of it")
        if above:
            top = self.root.parents[len(Path(os.fsdecode(above)).parts) - 1]
            raise FlagstoneError(f"{self.root} is only a folder of the repository {top}", hint=f"give all of it: {top}")
        try:
            commit = self.git("rev-parse", "--verify", "HEAD").strip().decode()
        except WorkFailed as error:
            raise FlagstoneError(
                f"the repository {self.root} has no commit yet", hint="commit the files first: git add and git commit"
            ) from error
        if len(commit) != SHA1_LETTERS:
            raise FlagstoneError(
                f"{self.root} is a repository with SHA-256 names, which experiments cannot keep yet",
                hint="make a copy with SHA-1 names: git init COPY; git fast-export --all | git -C COPY fast-import",
            )
        self.git("cat-file", "-e", f"{commit}^{{tree}}")
        return commit

    @cached_property
    def common_folder(self) -> Path:
        """What all work trees of the repository share: objects, and the repositories of submodules."""
        answer = self.git("rev-parse", "--path-format=absolute", "--git-common-dir")
        return Path(os.fsdecode(answer.rstrip(b"\n")))

    @cached_property
    def without_filters(self) -> tuple[str, ...]:
        """Options that switch off every program that the settings name for reading files: one may write."""
        try:
            names = self.git("config", "--null", "--name-only", "--get-regexp", r"^filter\.").split(b"\0")
        except WorkFailed:  # it answers 1 where there are none
            return ()
        off = [f"{os.fsdecode(name)}={'false' if name.endswith(b'.required') else ''}" for name in names if name]
        return tuple(word for setting in off for word in ("-c", setting))

    def changes(self) -> tuple[Modified, ...]:
        """What differs from the last commit; what is ignored is not asked for."""
        words = ("--porcelain=v1", "-z", "--untracked-files=normal", "--ignore-submodules=dirty", "--no-renames")
        found = self.git("status", *words, options=self.without_filters).split(b"\0")
        return tuple(Modified(os.fsdecode(line[3:]), line[:2] != b"??") for line in found if line)

    def new_files(self) -> tuple[str, ...]:
        """The files that are neither tracked nor ignored."""
        found = self.git("ls-files", "-z", "-o", "--exclude-standard").split(b"\0")
        return tuple(os.fsdecode(path) for path in found if path and not path.endswith(b"/"))

    def others(self, *, only_ignored: bool = False) -> tuple[str, ...]:
        """What is untracked at the top, and what is ignored further down. A whole folder counts as one."""
        ignored = self.git("ls-files", "-z", "--directory", "-o", "-i", "--exclude-standard").split(b"\0")
        every = [] if only_ignored else self.git("ls-files", "-z", "--directory", "-o").split(b"\0")
        found = {os.fsdecode(path).rstrip("/") for path in (*every, *ignored)}
        further = {os.fsdecode(path).rstrip("/") for path in ignored}
        return tuple(sorted(path for path in found if path and ("/" not in path or path in further)))


@dataclass(frozen=True)
class Repository:
    """A bare repository of our own."""

    root: Path

    def git(
        self, *words: str, stdin: bytes = b"", limit_s: float = READ_S, env: Mapping[str, str] | None = None
    ) -> bytes:
        argv = ["git", "--no-replace-objects", f"--git-dir={self.root}", *INERT, *words]
        return answer(argv, self.root, limit_s, env=env or plain_environment(), stdin=stdin, about=self.root)

    def fetch(self, source: Path, commit: str) -> None:
        """Takes over one commit with its files: not its history, and nothing that depends on the source."""
        trust = self.root / "trust"
        # whose repository it is was looked at under the person's own settings; these are not read here
        trust.write_text("[safe]\n\tdirectory = *\n")
        self.git(
            *("-c", "protocol.file.allow=always", "-c", "protocol.version=2"),
            *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--depth=1"),
            # the repository of a submodule may name a work tree that is gone
            *("--no-recurse-submodules", "--upload-pack", "env GIT_WORK_TREE=. git-upload-pack"),
            *("--", str(source), f"+{commit}:refs/bases/{commit}"),
            limit_s=FETCH_S,
            env={**plain_environment(), "GIT_CONFIG_GLOBAL": str(trust)},
        )

    def tree_of(self, commit: str) -> str:
        return self.git("rev-parse", "--verify", f"{commit}^{{tree}}").strip().decode()

    def rows(self, tree: str) -> Iterator[TreeEntry]:
        """Every file and folder of a tree."""
        for line in self.git("ls-tree", "-r", "-t", "-z", "--full-tree", tree).split(b"\0"):
            if line:
                output, _, path = line.partition(b"\t")
                mode, _, sha = output.decode().split(" ")
                yield TreeEntry(mode.lstrip("0"), sha, os.fsdecode(path))

    def sizes(self, shas: Iterable[str]) -> Mapping[str, int]:
        """The sizes of objects; what is not there is left out."""
        asked = "".join(f"{sha}\n" for sha in shas).encode()
        output = self.git("cat-file", "--batch-check", stdin=asked) if asked else b""
        rows = (line.split() for line in output.decode().splitlines())
        return {row[0]: int(row[2]) for row in rows if len(row) == 3}

    def contents(self, shas: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """The contents of objects, not too many of them in memory at a time."""
        wanted = list(dict.fromkeys(shas))
        sizes = self.sizes(wanted)
        part: list[str] = []
        weight = 0
        for sha in wanted:
            if sha not in sizes:
                raise lost_error(self.root, sha)
            part.append(sha)
            weight += sizes[sha]
            if weight > AT_ONCE_BYTES:
                yield from self.batch(part)
                part, weight = [], 0
        yield from self.batch(part)

    def batch(self, shas: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        output = self.git("cat-file", "--batch", stdin="".join(f"{sha}\n" for sha in shas).encode()) if shas else b""
        position = 0
        for sha in shas:
            end = output.index(b"\n", position)
            fields = output[position:end].split()
            if len(fields) != 3:
                raise lost_error(self.root, sha)
            position = end + 1 + int(fields[2]) + 1
            yield sha, output[end + 1 : position - 1]

    def take_pack(self, pack: bytes) -> None:
        """Stores many objects at once, durably."""
        self.git("index-pack", "--stdin", stdin=pack)

    def ignored_paths(self, folder: Path, paths: Sequence[str]) -> frozenset[str]:
        """Which of these paths the `.gitignore` files of a folder name."""
        argv = ["git", f"--git-dir={self.root}", f"--work-tree={folder}", *INERT, "-c", "core.bare=false"]
        argv += ["-c", f"core.excludesFile={os.devnull}", "check-ignore", "--no-index", "-z", "--stdin"]
        asked = b"".join(os.fsencode(path) + b"\0" for path in paths)
        code, output, _ = run_quietly(argv, folder, READ_S, env=plain_environment(), stdin=asked)
        return frozenset(map(os.fsdecode, output.split(b"\0"))) if code == 0 else frozenset()

    def not_ignored(self, folder: Path, further: Sequence[str]) -> list[str]:
        """The files below a folder that its `.gitignore` files, and these further names, do not exclude."""
        words = [word for name in further for word in ("-x", name)]
        argv = ["git", f"--git-dir={self.root}", f"--work-tree={folder}", *INERT, "-c", "core.bare=false"]
        argv += ["-c", f"core.excludesFile={os.devnull}", "ls-files", "-z", "--others", *words]
        found = answer(
            [*argv, "--exclude-per-directory=.gitignore"], folder, READ_S, env=plain_environment(), about=folder
        )
        return [os.fsdecode(path) for path in found.split(b"\0") if path and not path.endswith(b"/")]


def answer(
    argv: Sequence[str], cwd: Path, limit_s: float, *, env: Mapping[str, str], about: Path, stdin: bytes = b""
) -> bytes:
    """What git answers; where it fails, why in plain words."""
    if not cwd.is_dir():
        raise FlagstoneError(f"there is no folder {cwd}", hint="correct the path")
    code, output, problem = run_quietly(argv, cwd, limit_s, env=env, stdin=stdin)
    if code == 0:
        return output
    raise fault(about, code, problem.decode("utf-8", "replace").strip(), limit_s)


def fault(root: Path, code: int, problem: str, limit_s: float) -> FlagstoneError:
    if code == MISSING and problem.startswith("cannot start"):
        return FlagstoneError("git is not installed", hint="install it and put it on PATH")
    if code == TOO_LONG:
        hint = "check that its disk is mounted and not too slow"
        return WorkFailed(f"git did not answer within {limit_s:g} s in {root}", hint=hint)
    if "not a git repository" in problem:
        return FlagstoneError(f"{root} is not a git repository", hint="give a checkout; or use `kind: files`")
    if any(words in problem for words in OWNERS):
        return FlagstoneError(
            f"{root} belongs to another user, so git refuses to read it",
            hint=f"if you trust it: git config --global --add safe.directory {root}",
        )
    last = problem.splitlines()[-1] if problem else f"exit code {code}"
    return WorkFailed(f"git cannot read {root}: {last}", hint=f"see what is wrong: git -C {root} fsck")


def lost_error(root: Path, sha: str) -> WorkFailed:
    return WorkFailed(
        f"object {sha} is missing from {root}, or damaged", hint=f"git -C {root} fsck lists all missing ones"
    )


def plain_environment() -> dict[str, str]:
    """An environment in which git reads no settings of a person or a machine."""
    closed = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    return {**{name: value for name, value in os.environ.items() if not name.startswith("GIT_")}, **QUIET, **closed}


def environment_of_a_person() -> dict[str, str]:
    """A person's own settings, which say what is ignored and who is trusted; but no other repository than asked."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or "_CONFIG" in name}
    return {**kept, **QUIET}
