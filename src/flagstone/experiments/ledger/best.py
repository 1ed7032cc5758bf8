"""The best so far: pointer, source and checkpoint change at one instant, and always agree with the ledger."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from flagstone.experiments.candidates import Subject, unlock
from flagstone.experiments.ledger.derived import best_bytes, primary_of
from flagstone.experiments.ledger.entry import Entry
from flagstone.experiments.measuring import checkpoint
from flagstone.plans import Home, Spec
from flagstone.records import cannot_write, keep, sync_folder, write_record


def promote(home: Home, spec: Spec, subject: Subject, entry: Entry) -> None:
    """Makes this run the best. Everything is put together beside it first; one rename then decides."""
    ready = home.bests / entry.run_id
    try:
        if not (ready / "best.json").is_file():
            build(home, spec, subject, entry)
        if best_name(home) != entry.run_id:
            point_to(home.best, f"bests/{entry.run_id}")
            sync_folder(home.root)
        for link, target in ((home.best_record, "best/best.json"), (home.best_checkpoint, "best/best_ckpt")):
            if not link.is_symlink():
                point_to(link, target)
    except OSError as error:
        raise cannot_write(ready, error) from error


def build(home: Home, spec: Spec, subject: Subject, entry: Entry) -> None:
    """The folder of a best, which gets its name once it is whole.

    Nothing in it is synced: what a power cut takes is in the ledger and among the candidates, and `settle` writes it.
    """
    half = home.bests / f".{entry.run_id}"
    shutil.rmtree(half, ignore_errors=True)
    (half / "source").mkdir(parents=True)
    for path, content in subject.files(entry.tree).items():
        target = half / "source" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    saved = entry.first.checkpoint if entry.first else ""
    kept = checkpoint.of_run(home.run(entry.run_id), saved)
    if kept:
        (half / "best_ckpt").mkdir()
        checkpoint.link(kept, half / "best_ckpt" / saved)
        meta = {"run_id": entry.run_id, "created_at": entry.ended_at, "parent_lineage": entry.previous_best}
        primary = primary_of(entry, spec)
        write_record(half / "best_ckpt" / "meta.json", {**meta, "primary": primary}, durable=False)
    (half / "best.json").write_bytes(best_bytes(entry, spec))
    shutil.rmtree(home.bests / entry.run_id, ignore_errors=True)
    os.rename(half, home.bests / entry.run_id)


def best_name(home: Home) -> str:
    """The run that the pointer names. Returns '' if there is no best."""
    try:
        return Path(os.readlink(home.best)).name
    except OSError:
        return ""


def point_to(link: Path, target: str) -> None:
    """A link to a target, in place of whatever stood there."""
    temporary = link.with_name(f".{link.name}.new")
    temporary.unlink(missing_ok=True)
    os.symlink(target, temporary)
    if link.is_dir() and not link.is_symlink():
        shutil.rmtree(link)
    os.replace(temporary, link)


def restore(home: Home, spec: Spec, subject: Subject, best: Entry | None) -> None:
    """After a kill or a power cut, or when somebody changed it: the best is what the ledger says."""
    if best is None:
        for link in (home.best, home.best_record, home.best_checkpoint):
            if os.path.lexists(link):
                link.unlink()
        return
    ready = home.bests / best.run_id
    if (ready / "best.json").is_file():
        for path, content in subject.files(best.tree).items():
            keep(ready / "source" / path, content)
        keep(ready / "best.json", best_bytes(best, spec))
    promote(home, spec, subject, best)


def remove_checkpoints(home: Home, count: int, entry: Entry, recent: Iterable[str]) -> None:
    """Keeps what the best and the last `count` runs saved. Repeats have what these leave of the count."""
    names = list(recent)
    if entry.previous_best and entry.previous_best not in names:
        names.insert(0, entry.previous_best)  # it was the best for so long that the others are all after it
    saved = [name for name in names if home.run(name).checkpoint.is_dir()]
    kept = [name for name in saved if name != entry.best_run]
    for name in kept[: max(0, len(kept) - count)]:
        shutil.rmtree(home.run(name).checkpoint, onerror=unlock)
        # a former best holds the same files under another name
        shutil.rmtree(home.bests / name / "best_ckpt", ignore_errors=True)
    checkpoint.remove_repeats(map(home.run, saved), max(0, count - len(kept)))
