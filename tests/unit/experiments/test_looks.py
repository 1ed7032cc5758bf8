"""A folder is looked at once where that suffices, and whatever was written in between is seen all the same."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import Mock

import pytest
from checkouts import FILES, Beside, put, what_stands

from flagstone.experiments.candidates.last_seen import STEP_NS, LastSeen
from flagstone.experiments.engine import proposing
from flagstone.experiments.engine.opening import OpenedExperiment
from flagstone.experiments.engine.proposing import Proposals


@pytest.fixture
def beside(tmp_path: Path) -> Beside:
    return Beside(tmp_path).make()


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that were looked through, file by file; of a look at some of their folders, these."""
    found, scan = list[Path](), LastSeen.scan

    def counted(seen: LastSeen, folder: Path, enters: object, watch: object, *top: str) -> Iterator[object]:
        found.append(Path(folder, "only", *top) if top else folder)
        return scan(seen, folder, enters, watch, *top)  # type: ignore[arg-type]

    monkeypatch.setattr(LastSeen, "scan", counted)
    return found


def rewrite_unseen(folder: Path) -> None:
    """Another content of the same size, at the same time."""
    was = os.stat(folder / "eval.sh")
    with open(folder / "eval.sh", "r+") as stream:
        stream.write(FILES["eval.sh"].replace("1", "9"))
    os.utime(folder / "eval.sh", ns=(was.st_atime_ns, was.st_mtime_ns))


def rewrite_through_another_name(folder: Path) -> None:
    elsewhere = folder.parent / "second-name"
    os.link(folder / "eval.sh", elsewhere)
    elsewhere.write_text("echo 9\n")
    elsewhere.unlink()


def rewrite_through_another_name_within(folder: Path) -> None:
    os.link(folder / "src/model.py", folder / "second-name")
    (folder / "second-name").write_text("lr = 9\n")
    (folder / "second-name").unlink()


def replace_folder_by_link(folder: Path) -> None:
    os.rename(folder / "src", folder.parent / "src-elsewhere")
    put(folder.parent, "src-elsewhere/model.py", "lr = 9\n")
    (folder / "src").symlink_to(folder.parent / "src-elsewhere")


def replace_whole_folder(folder: Path) -> None:
    os.rename(folder, folder.with_name("moved"))
    put(folder, "eval.sh", "echo 9\n")
    put(folder, "src/model.py", "lr = 9\n")


WRITES: dict[str, Callable[[Path], object]] = {
    "content of the same size and time": rewrite_unseen,
    "through another name within": rewrite_through_another_name_within,
    "another program": lambda folder: put(folder, "src/model.py", "lr = 9\n"),
    "stray file": lambda folder: put(folder, "stray.py", "x"),
    "what Python compiles": lambda folder: put(folder, "src/__pycache__/model.pyc", "x"),
    "empty folder": lambda folder: (folder / "empty").mkdir(),
    "removed file": lambda folder: (folder / "src/deep/er.py").unlink(),
    "mode": lambda folder: (folder / "eval.sh").chmod(0o644),
    "mode of a folder": lambda folder: (folder / "src").chmod(0o700),
    "file replaced by a link": lambda folder: os.replace(link_to(folder, "README.md"), folder / "eval.sh"),
    "folder replaced by a link": replace_folder_by_link,
    "folder replaced as a whole": replace_whole_folder,
}


def link_to(folder: Path, name: str) -> Path:
    os.symlink(name, folder / "fresh-link")
    return folder / "fresh-link"


def lay_out_until_all_is_known(beside: Beside, folder: Path, *, is_trusted: bool = False) -> None:
    """What was written just before it is looked at is read again: here it is not."""
    for _ in range(2):
        beside.subject.lay_out(beside.base.tree, folder, is_trusted=is_trusted)
        time.sleep(2 * STEP_NS / 1e9)
    beside.subject.lay_out(beside.base.tree, folder, is_trusted=is_trusted)


def base_of(beside: Beside, folder: Path) -> dict[str, tuple[int, str]]:
    beside.subject.lay_out(beside.base.tree, folder)
    return what_stands(folder)


@pytest.mark.parametrize("how", WRITES)
@pytest.mark.parametrize("is_trusted", [True, False])
def test_whatever_was_done_to_a_folder_the_next_run_finds_the_tree(beside: Beside, how: str, is_trusted: bool) -> None:
    folder, wanted = beside.root / "trees" / "0", base_of(beside, beside.root / "untouched")
    lay_out_until_all_is_known(beside, folder, is_trusted=is_trusted)
    WRITES[how](folder)
    beside.subject.lay_out(beside.base.tree, folder, is_trusted=is_trusted)
    assert what_stands(folder) == wanted


def test_a_folder_of_trusted_commands_is_looked_at_again_only_after_a_write(beside: Beside, looks: list[Path]) -> None:
    folder = beside.root / "trees" / "0"
    for _ in range(5):
        beside.subject.lay_out(beside.base.tree, folder, is_trusted=True)
    assert len(looks) == 2  # the first laid it out, the second saw that it stands
    put(folder, "stray.py", "x")
    beside.subject.lay_out(beside.base.tree, folder, is_trusted=True)
    assert len(looks) == 3


def test_after_a_restart_what_is_known_of_a_folder_is_compared_by_the_objects_of_its_layout(beside: Beside) -> None:
    folder = beside.root / "trees" / "0"
    lay_out_until_all_is_known(beside, folder)
    beside.subject.last_seen_in(folder).drop_record()
    beside.subject.last_seen_in(folder).save()
    restarted = beside.varied()
    restarted.subject.lay_out(beside.base.tree, folder)
    known, wanted = restarted.subject.last_seen_in(folder).blobs, restarted.subject.placement(beside.base.tree)
    assert known == wanted.of_runs.entries
    assert all(known[path] is blob for path, blob in wanted.of_runs.entries.items())


def test_looking_again_is_for_what_is_not_known_by_now(beside: Beside) -> None:
    folder = beside.root / "trees" / "0"
    lay_out_until_all_is_known(beside, folder, is_trusted=True)
    look = beside.subject.last_seen_in(folder).look
    assert look is not None
    assert set(look.paths) == {"src", "src/deep"}


def test_a_folder_of_a_candidate_is_always_looked_at_since_the_kernel_does_not_tell_all(beside: Beside) -> None:
    folder = beside.root / "trees" / "0"
    lay_out_until_all_is_known(beside, folder)
    rewrite_through_another_name(folder)
    beside.subject.lay_out(beside.base.tree, folder)
    assert (folder / "eval.sh").read_text() == FILES["eval.sh"]


def test_a_draft_is_looked_through_once_for_secrets_and_for_the_edit_and_is_not_looked_through_by_the_next_run(
    beside: Beside, looks: list[Path]
) -> None:
    beside.subject.lay_out(beside.base.tree, beside.subject.draft(beside.home.run("r0001")))
    looks.clear()
    for number in range(1, 5):
        run = beside.home.run(f"r{number:04}")
        if number > 1:
            beside.subject.lay_out(beside.base.tree, beside.subject.draft(run))
        assert set(what_stands(run.draft)) == {*FILES, "src", "src/deep"}
        assert (run.draft / "src/model.py").read_text() == "lr = 1\n"
        put(run.draft, "src/model.py", f"lr = {number + 1}\n")
        put(run.draft, "src/new/more.py", "x = 1\n")
        put(run.draft, "src/__pycache__/model.pyc", "x")
        assert {"src/model.py", "src/new/more.py"} < {path for path, _ in beside.subject.touched_in(run.draft)}
        taken = beside.subject.take(run.draft, beside.base, "", number)
        assert (taken.changed, taken.violations) == (("src/model.py", "src/new/more.py"), ())
        beside.subject.release(run)
    assert len(looks) == 4


def test_of_a_draft_whose_writes_the_kernel_reports_only_the_folders_with_new_content_are_looked_at(
    beside: Beside, looks: list[Path]
) -> None:
    for number in range(1, 5):
        run = beside.home.run(f"r{number:04}")
        beside.subject.lay_out(beside.base.tree, beside.subject.draft(run), is_trusted=True)
        time.sleep(2 * STEP_NS / 1e9)
        assert (run.draft / "src/model.py").read_text() == "lr = 1\n"
        if number == 3:
            looks.clear()
        (run.draft / "src/model.py").write_text(f"lr = {number + 1}\n")
        assert "src/model.py" in {path for path, _ in beside.subject.touched_in(run.draft)}
        taken = beside.subject.take(run.draft, beside.base, "", number)
        assert (taken.changed, taken.violations) == (("src/model.py",), ())
        beside.subject.release(run)
    assert looks == [run.draft / "only" / "src" for run in map(beside.home.run, ("r0003", "r0004"))]


@pytest.mark.parametrize("how", WRITES)
def test_whatever_an_agent_does_to_a_draft_whose_writes_are_reported_is_seen_as_in_any_other(
    beside: Beside, how: str
) -> None:
    taken = []
    for is_trusted in (True, False):
        draft = beside.subject.draft(beside.home.run(f"r{is_trusted:04}"))
        lay_out_until_all_is_known(beside, draft, is_trusted=is_trusted)
        WRITES[how](draft)
        found = beside.subject.take(draft, beside.base, "", 1)
        taken.append((found.tree, found.changed, found.violations))
    assert taken[0] == taken[1]


@pytest.mark.parametrize("how", WRITES)
def test_what_is_written_in_a_draft_after_it_was_given_back_reaches_no_later_one(beside: Beside, how: str) -> None:
    first, second, wanted = beside.home.run("r0001"), beside.home.run("r0002"), base_of(beside, beside.root / "right")
    lay_out_until_all_is_known(beside, beside.subject.draft(first))
    beside.subject.take(first.draft, beside.base, "", 1)
    beside.subject.release(first)
    WRITES[how](beside.home.root / "trees" / "draft-0")
    beside.subject.lay_out(beside.base.tree, beside.subject.draft(second))
    assert what_stands(second.draft) == wanted
    assert beside.subject.take(second.draft, beside.base, "", 2).changed == ()


def test_an_edit_after_the_look_is_taken_too(beside: Beside) -> None:
    draft = beside.begin()
    put(draft, "src/model.py", "lr = 2\n")
    list(beside.subject.touched_in(draft))
    put(draft, "src/deep/er.py", "depth = 3\n")
    assert beside.take().changed == ("src/deep/er.py", "src/model.py")


def test_a_look_that_saw_no_file_of_a_removed_draft_is_believed_by_nobody(beside: Beside) -> None:
    draft = beside.begin()
    list(beside.subject.touched_in(draft))
    os.rename(draft, draft.with_name("elsewhere"))
    assert beside.take().violations == ("the folder itself was removed or replaced",)


@pytest.mark.parametrize(
    ("sandbox", "keeps_names", "proposer", "is_believed"),
    [
        ("auto", True, "agent", True),
        ("off", True, "agent", False),
        ("auto", False, "agent", False),
        ("auto", True, "scripted", False),
    ],
)
def test_the_kernel_is_believed_about_a_draft_only_if_the_whole_sandbox_holds_the_agent(
    monkeypatch: pytest.MonkeyPatch, sandbox: str, keeps_names: bool, proposer: str, is_believed: bool
) -> None:
    monkeypatch.setattr(proposing, "strength", lambda: Mock(keeps_names=keeps_names))
    opened = Mock(spec=OpenedExperiment)
    opened.spec = Mock(sandbox=sandbox, has_agent=proposer == "agent")
    proposals = Proposals(opened, Mock(), Mock(), Mock(), print)
    assert proposals.is_writing_reported() == is_believed
