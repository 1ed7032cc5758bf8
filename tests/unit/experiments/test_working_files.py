"""The working files: whose change it was, that none of a person's is lost, and that a kill or a move is put right."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from laboratory import Edits, Laboratory, killed_at, set_x

from flagstone.errors import WorkFailed
from flagstone.experiments.engine import step
from flagstone.experiments.engine.engine import engine_of
from flagstone.experiments.engine.step import is_unedited
from flagstone.plans.folder import RunFolder


def unedited(laboratory: Laboratory) -> bool:
    with engine_of(laboratory.open(), None, laboratory.said.append) as engine:
        return is_unedited(engine)


def restored(laboratory: Laboratory) -> None:
    with engine_of(laboratory.open(), None, laboratory.said.append) as engine:
        engine.working.restore(engine.best_tree)


def set_aside(laboratory: Laboratory) -> list[str]:
    """What was set aside, an edit a time."""
    return [path.read_text().splitlines()[-1] for path in sorted(laboratory.home.aside.rglob("train.py"))]


@pytest.fixture
def begun(laboratory: Laboratory) -> Laboratory:
    laboratory.make()
    laboratory.run(Edits({}), limit=1)
    return laboratory


def added(laboratory: Laboratory, line: str) -> None:
    with open(laboratory.home.working / "train.py", "a") as stream:
        stream.write(line + "\n")


@pytest.mark.parametrize("share", [0, *(pytest.param(share, marks=pytest.mark.slow) for share in range(1, 6))])
def test_after_a_kill_at_any_change_nothing_looks_like_an_edit_of_a_person(laboratory: Laboratory, share: int) -> None:
    laboratory.make()
    laboratory.open()
    edits = {2: set_x(2.0), 3: set_x(2.5)}
    for moment in range(share + 1, 400, 6):
        there = laboratory.copy(f"moment-{moment}")
        was_killed = killed_at(moment, lambda here=there: here.run(Edits(edits), limit=3))  # type: ignore[misc]
        assert unedited(there), f"killed at change {moment}"
        if there.entries():
            source = (there.home.best / "source" / "train.py").read_bytes()
            assert (there.home.working / "train.py").read_bytes() == source
        if not was_killed:
            return
    pytest.fail("the work never came to its end")


def test_an_edit_is_kept_also_where_what_we_had_seen_is_lost(begun: Laboratory) -> None:
    added(begun, "# an hour of work")
    (begun.home.root / "state" / "working.json").unlink()
    assert not unedited(begun)
    restored(begun)
    assert set_aside(begun) == ["# an hour of work"]


def test_edits_that_are_set_aside_within_a_second_do_not_replace_each_other(begun: Laboratory) -> None:
    for number in (1, 2, 3):
        added(begun, f"# edit {number}")
        restored(begun)
    assert sorted(set_aside(begun)) == ["# edit 1", "# edit 2", "# edit 3"]


def test_an_edit_that_only_adds_a_file_is_evaluated_by_the_first_step(laboratory: Laboratory) -> None:
    train = "import os\nprint('val_loss:', 1 if os.path.exists('extra.py') else 2)\n"
    laboratory.files = {"train.py": train}
    laboratory.make(subject={"mutable": ["*.py"], "entry": "train.py"}, proposer="none")
    laboratory.open()
    (laboratory.home.working / "extra.py").write_text("Y = 1\n")
    assert laboratory.step().value == 1.0
    assert [each.value for each in laboratory.entries()] == [2.0, 1.0]


def test_a_new_file_of_the_project_is_nobodys_violation(begun: Laboratory) -> None:
    (begun.project / "notes.txt").write_text("new\n")
    set_x(2.0)(begun.home.working)
    assert begun.step().verdict == "advance"
    assert (begun.home.working / "notes.txt").is_symlink()
    (begun.project / "notes.txt").unlink()
    set_x(2.5)(begun.home.working)
    assert begun.step().verdict == "advance"


def test_a_file_that_the_project_gets_while_an_agent_edits_is_nobodys_violation(begun: Laboratory) -> None:
    def edit(draft: Path) -> str:
        (begun.project / "notes.txt").write_text("new\n")
        return set_x(2.0)(draft) or ""

    begun.run(Edits({2: edit}), limit=1)
    assert begun.words()[-1] == ("r0002", "ok", "advance")


def test_a_project_that_was_moved_goes_on(laboratory: Laboratory) -> None:
    laboratory.files = {**laboratory.files, "data.bin": "data"}
    laboratory.make()
    laboratory.run(Edits({}), limit=1)
    moved = Laboratory(laboratory.folder.parent / "elsewhere", laboratory.files)
    shutil.move(laboratory.folder, moved.folder)
    set_x(2.0)(moved.home.working)
    assert moved.step().verdict == "advance"
    assert os.readlink(moved.home.working / "data.bin") == str(moved.project / "data.bin")


@pytest.mark.parametrize("change", ["link", "mode", "another file", "a link turned", "a folder for a link"])
def test_after_a_violation_the_files_are_right_again(begun: Laboratory, change: str) -> None:
    work = begun.home.working
    if change == "link":
        (begun.folder / "mine.py").write_text("print('val_loss: 0')\n")
        (work / "train.py").unlink()
        (work / "train.py").symlink_to(begun.folder / "mine.py")
    elif change == "mode":
        (work / "train.py").chmod(0o755)
    elif change == "another file":
        (work / "conftest.py").write_text("mine\n")
    elif change == "a link turned":
        (work / "prepare.py").unlink()
        (work / "prepare.py").write_text("OFFSET = -9\n")
    else:
        (work / "prepare.py").unlink()
        (work / "prepare.py").mkdir()
        (work / "prepare.py" / "x").write_text("x\n")
    assert begun.step().status == "violation"
    set_x(2.0)(work)
    assert begun.step().verdict == "advance"
    kept = [path.name for path in begun.home.aside.rglob("*") if not path.is_dir() or path.is_symlink()]
    named = {"another file": "conftest.py", "a link turned": "prepare.py", "a folder for a link": "x"}
    assert kept == ([] if change == "mode" else [named.get(change, "train.py")])


def test_a_kill_while_the_files_are_first_laid_out_is_put_right(laboratory: Laboratory) -> None:
    laboratory.files = {**laboratory.files, "model.py": "Y = 1\n"}
    laboratory.make(subject={"mutable": ["train.py", "model.py"]}, proposer="none")
    for moment in range(1, 200):
        there = laboratory.copy(f"moment-{moment}")
        was_killed = killed_at(moment, there.open)
        set_x(2.0)(there.home.working) if not was_killed else None
        there.step()
        assert there.words()[0] == ("r0001", "ok", "advance") and "violation" not in str(there.words()), moment
        if not was_killed:
            return
    pytest.fail("it never came to its end")


def test_the_first_step_keeps_an_edit_while_the_unedited_files_are_measured(laboratory: Laboratory) -> None:
    laboratory.files = {**laboratory.files, "train.py": "raise SystemExit(3)\n"}
    laboratory.make(proposer="none")
    laboratory.open()
    mended = "print('val_loss: 1')\n"
    (laboratory.home.working / "train.py").write_text(mended)
    with pytest.raises(WorkFailed, match="the unedited files do not run"):
        laboratory.step()
    assert (laboratory.home.working / "train.py").read_text() == mended


def test_an_edit_made_while_the_one_before_is_stored_is_not_taken_for_known(
    begun: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_x(2.0)(begun.home.working)
    keep = step.Candidate.keep

    def keep_and_edit(candidate: step.Candidate, run: RunFolder) -> None:
        keep(candidate, run)
        set_x(7.0)(begun.home.working)

    monkeypatch.setattr(step.Candidate, "keep", keep_and_edit)
    assert begun.step().value == 1.5
    monkeypatch.undo()
    kept = [path.read_text() for path in begun.home.aside.rglob("train.py")]
    assert len(kept) == 1 and "X = 7.0" in kept[0]


@pytest.mark.parametrize(("value", "verdict"), [(2.0, "advance"), (9.0, "revert")])
def test_an_edit_that_was_judged_before_a_kill_is_not_judged_again(
    begun: Laboratory, value: float, verdict: str
) -> None:
    set_x(value)(begun.home.working)

    def killed() -> None:
        from flagstone.experiments.engine import engine

        engine.Engine.follow = lambda *_: os.kill(os.getpid(), 9)  # type: ignore[method-assign,assignment]
        begun.step()

    assert killed_at(10**9, killed)
    assert begun.words()[-1] == ("r0002", "ok", verdict)
    assert unedited(begun)
    source = (begun.home.best / "source" / "train.py").read_text()
    assert (begun.home.working / "train.py").read_text() == source


def test_a_name_that_is_no_utf_8_keeps_nothing_from_beginning(laboratory: Laboratory) -> None:
    laboratory.make()
    Path(os.fsdecode(os.fsencode(laboratory.project) + b"/d\xff.txt")).write_text("x")
    laboratory.run(Edits({2: set_x(2.0)}), limit=2)
    assert unedited(laboratory) and laboratory.words()[-1] == ("r0002", "ok", "advance")


def test_a_mutable_file_that_the_project_gets_in_a_linked_folder_turns_nothing_into_a_violation(
    laboratory: Laboratory,
) -> None:
    laboratory.files = {**laboratory.files, "src/a.py": "A = 1\n", "src/sub/b.txt": "b\n", "src/sub/c.txt": "c\n"}
    laboratory.make(subject={"mutable": ["train.py", "src/**/*.py"], "entry": "train.py"})
    laboratory.run(Edits({}), limit=1)
    (laboratory.project / "src" / "sub" / "new.py").write_text("N = 1\n")
    set_x(2.0)(laboratory.home.working)
    assert laboratory.step().verdict == "advance"
    (laboratory.project / "src" / "sub" / "new.py").unlink()
    set_x(2.5)(laboratory.home.working)
    assert laboratory.step().verdict == "advance"


def test_what_trying_something_out_leaves_is_no_edit(begun: Laboratory) -> None:
    (begun.home.working / "__pycache__").mkdir()
    (begun.home.working / "__pycache__" / "train.cpython-311.pyc").write_bytes(b"\0")
    assert unedited(begun)


def test_a_new_file_is_set_aside_also_where_what_we_had_seen_is_lost(begun: Laboratory) -> None:
    (begun.home.working / "mine.py").write_text("# mine\n")
    shutil.rmtree(begun.home.root / "state")
    restored(begun)
    assert [path.read_text() for path in begun.home.aside.rglob("mine.py")] == ["# mine\n"]
