"""Proposals that somebody wrote beforehand: a folder with one edit a run, or a Python file that makes them."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.experiments.candidates import plain_environment
from flagstone.experiments.proposers.protocol import Proposed, View
from flagstone.plans import Spec
from flagstone.processes import run_quietly

NOTE_FILE = "note.txt"
NOTE_BYTES = 4096
PATCH_S = 60
HOW = "a folder with one edit a run (0002/, 0003.patch, …), or a Python file with propose(view, draft)"


def scripted_proposer(spec: Spec) -> ScriptedProposer:
    if not spec.script:
        raise FlagstoneError(
            f"experiment {spec.name} needs a script (proposer: scripted)",
            hint=f"set `script` in experiment.yaml: {HOW}",
        )
    return ScriptedProposer(spec.script)


@dataclass(frozen=True)
class ScriptedProposer:
    """Takes the edit of each run from a script; its path is relative to the project or run of the experiment."""

    script: str

    def propose(self, view: View, draft: Path, record_dir: Path) -> Proposed:
        """The edit for this run. If the script has none, the experiment ends."""
        place = view.home.base / os.path.expanduser(self.script)
        if place.is_file():
            from flagstone.experiments.proposers.program import propose_by_program

            return propose_by_program(place, view, draft, record_dir)
        if not place.is_dir():
            raise FlagstoneError(f"there is no script {place}", hint=f"set `script` in experiment.yaml: {HOW}")
        folder, patch = place / f"{view.number:04d}", place / f"{view.number:04d}.patch"
        if folder.is_dir():
            lay_over(folder, draft)
            return Proposed(note=note_of(folder / NOTE_FILE))
        if patch.is_file():
            return apply_patch(patch, draft)
        # nothing more to try: this ends an experiment, and is no failure of it
        return Proposed(failure=f"the script has no edit for run {view.number}", facts={"exhausted": True})


def lay_over(folder: Path, draft: Path) -> None:
    """Copies every file of a folder over a draft. No link of the draft is written through."""
    for path in files_below(folder):
        if path == NOTE_FILE:
            continue
        target = draft / path
        for above in reversed(list(target.relative_to(draft).parents)[:-1]):
            make_own_folder(draft / above)
        put(folder / path, target)


def files_below(folder: Path) -> Iterator[str]:
    for place, _, names in os.walk(folder):
        for name in sorted(names):
            yield os.path.relpath(os.path.join(place, name), folder)


def make_own_folder(folder: Path) -> None:
    """Makes sure that this is a real folder: a link could lead into the project itself."""
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    folder.mkdir(exist_ok=True)


def put(source: Path, target: Path) -> None:
    """Puts one file in its place. A plain file that it replaces passes on its mode."""
    status = os.lstat(target) if os.path.lexists(target) else None
    if source.is_symlink() or (status and not stat.S_ISREG(status.st_mode)):
        if status and stat.S_ISDIR(status.st_mode):
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)
        status = None
    if status is None:
        shutil.copy2(source, target, follow_symlinks=False)
    else:
        target.write_bytes(source.read_bytes())


def apply_patch(patch: Path, draft: Path) -> Proposed:
    """Applies a patch as git does: all of it or nothing, and never through a link."""
    # git would otherwise take the draft for a part of the repository that the project may be in
    env = {**plain_environment(), "GIT_CEILING_DIRECTORIES": str(draft.parent)}
    argv = ["git", "apply", "--whitespace=nowarn", str(patch.absolute())]
    code, _, errors = run_quietly(argv, draft, PATCH_S, env=env)
    if code:
        said = " ".join(errors.decode("utf-8", "replace").split())
        return Proposed(failure=f"{patch.name} does not apply: {said[:300]}")
    return Proposed(note=preamble(patch))


def preamble(patch: Path) -> str:
    """The first line of the text before the patch."""
    for line in patch.read_text(encoding="utf-8", errors="replace")[:NOTE_BYTES].splitlines():
        if line.startswith(("diff ", "--- ", "index ")):
            break
        if line.strip():
            return line.removeprefix("Subject: ").strip()
    return ""


def note_of(path: Path) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read(NOTE_BYTES).strip()
    except OSError:
        return ""
