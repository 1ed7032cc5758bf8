"""What a commit only names: submodules come from a person's own object stores, and so does what LFS keeps."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import pytest
from checkouts import Beside, git, put, what_stands

CONTENT = "weights\n" * 1000


@pytest.fixture
def beside(tmp_path: Path) -> Beside:
    return Beside(tmp_path, uncommitted="none").make()


def library(folder: Path, name: str) -> Path:
    """A repository to be a submodule."""
    place = folder / name
    put(place, f"{name}.py", "x = 1\n")
    git(place, "init", "-q", "-b", "main")
    git(place, "add", "-A")
    git(place, "commit", "-q", "-m", "state")
    return place


def add_submodules(beside: Beside) -> None:
    """`outer`, which has `inner` in it, under a name that is not its path."""
    outer, inner = library(beside.root, "outer"), library(beside.root, "inner")
    git(outer, "submodule", "-q", "add", str(inner), "deep/inner")
    git(outer, "commit", "-q", "-a", "-m", "with another in it")
    git(beside.checkout, "submodule", "-q", "add", "--name", "an own name", str(outer), "src/lib")
    git(beside.checkout, "submodule", "-q", "update", "--init", "--recursive")
    beside.commit()


def test_submodules_are_laid_out_at_the_commits_that_are_recorded(beside: Beside) -> None:
    add_submodules(beside)
    put(beside.checkout, "src/lib/outer.py", "x = 2\n")
    git(beside.checkout / "src/lib", "commit", "-q", "-a", "-m", "not recorded yet")
    before = what_stands(beside.checkout)
    found = beside.laid_out(beside.base.tree)
    assert (found["src/lib/outer.py"][1], found["src/lib/deep/inner/inner.py"][1]) == ("x = 1\n", "x = 1\n")
    assert what_stands(beside.checkout) == before
    assert beside.subject.notices(beside.base) == ("not committed, so not part of the experiment: src/lib",)


def test_submodules_that_are_not_checked_out_any_more_come_from_the_repository_that_git_kept(beside: Beside) -> None:
    add_submodules(beside)
    git(beside.checkout, "submodule", "-q", "deinit", "-f", "--all")
    found = beside.laid_out(beside.base.tree)
    assert (found["src/lib/outer.py"][1], found["src/lib/deep/inner/inner.py"][1]) == ("x = 1\n", "x = 1\n")
    assert not beside.subject.notices(beside.base)


def test_submodules_of_a_linked_work_tree_come_from_the_repository_that_git_kept(beside: Beside) -> None:
    add_submodules(beside)
    git(beside.checkout, "worktree", "add", "-q", "--detach", str(beside.root / "linked"))
    os.rename(beside.checkout, beside.root / "main")
    os.rename(beside.root / "linked", beside.checkout)
    git(beside.root / "main", "worktree", "repair", str(beside.checkout))
    assert beside.laid_out(beside.base.tree)["src/lib/deep/inner/inner.py"][1] == "x = 1\n"


def test_a_submodule_whose_commit_is_nowhere_here_is_an_empty_folder_and_told_of_with_the_cure(beside: Beside) -> None:
    add_submodules(beside)
    git(beside.root, "clone", "-q", str(beside.checkout), "fresh")
    os.rename(beside.checkout, beside.root / "old")
    os.rename(beside.root / "fresh", beside.checkout)
    assert beside.laid_out(beside.base.tree)["src/lib"][0] & stat.S_IFDIR
    (said,) = beside.subject.notices(beside.base)
    assert "git submodule update --init" in said and said.endswith("src/lib")


def add_pointer(beside: Beside, path: str, *, has_content: bool = True) -> Path:
    """A file as git-lfs commits it. Returns the place of its content."""
    name = hashlib.sha256(CONTENT.encode()).hexdigest()
    put(beside.checkout, path, f"version https://git-lfs.github.com/spec/v1\noid sha256:{name}\nsize {len(CONTENT)}\n")
    put(beside.checkout, ".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n")
    git(beside.checkout, "-c", "filter.lfs.clean=cat", "add", "-A")
    git(beside.checkout, "commit", "-q", "-m", "with a large file")
    place = beside.checkout / ".git/lfs/objects" / name[:2] / name[2:4] / name
    if has_content:
        put(place.parent, name, CONTENT)
    return place


def test_what_lfs_keeps_is_there_by_content_and_an_edit_leaves_its_pointer_alone(beside: Beside) -> None:
    add_pointer(beside, "weights/large.bin")
    draft = beside.begin()
    assert (draft / "weights/large.bin").read_text() == CONTENT
    put(draft, "src/model.py", "lr = 2\n")
    taken = beside.take()
    assert (taken.changed, taken.violations) == (("src/model.py",), ())
    beside.laid_out(taken.tree)
    assert (beside.root / "home/trees/0/weights/large.bin").read_text() == CONTENT
    beside.subject.store.show_to_git()
    assert git(beside.home.candidates, "show", f"{taken.tree}:weights/large.bin").startswith("version https://git-lfs")
    assert not beside.subject.notices(beside.base)


def test_a_draft_without_links_has_the_pointer_and_that_is_no_violation(beside: Beside) -> None:
    add_pointer(beside, "large.bin")
    beside.subject.lay_out(beside.base.tree, beside.draft, links=False)
    assert (beside.draft / "large.bin").read_text().startswith("version https://git-lfs")
    put(beside.draft, "src/model.py", "lr = 2\n")
    assert beside.take().violations == ()


@pytest.mark.parametrize("text", [CONTENT, "other", None])
def test_a_large_file_that_was_replaced_is_a_violation(beside: Beside, text: str | None) -> None:
    place = add_pointer(beside, "large.bin")
    draft = beside.begin()
    (draft / "large.bin").unlink()
    if text is None:
        os.symlink("/etc/passwd", draft / "large.bin")
    else:
        put(draft, "large.bin", text)
    assert len(beside.take().violations) == 1
    assert place.read_text() == CONTENT


def test_what_is_not_downloaded_and_what_may_change_stay_pointers_and_are_told_of(tmp_path: Path) -> None:
    beside = Beside(tmp_path, uncommitted="none", mutable=("src/**",)).make()
    add_pointer(beside, "src/mine.bin")
    place = add_pointer(beside, "large.bin")
    place.write_text("cut")
    assert beside.laid_out(beside.base.tree)["large.bin"][1].startswith("version https://git-lfs")
    assert beside.subject.notices(beside.base) == (
        "kept with LFS and not downloaded, so pointers in every run (cure: git lfs pull): large.bin",
        "kept with LFS, and pointers in every run because they may change: src/mine.bin",
    )
    put(place.parent, place.name, CONTENT)
    again = Beside(tmp_path, uncommitted="none", mutable=("src/**",))
    assert again.laid_out(again.base.tree)["large.bin"][1] == str(place)
    assert again.laid_out(again.base.tree)["src/mine.bin"][1].startswith("version https://git-lfs")
