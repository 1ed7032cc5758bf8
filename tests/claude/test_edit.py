"""EDIT: the named file can be written, and nothing else, whatever the model tries."""

from __future__ import annotations

from pathlib import Path

import pytest
from desk import Desk
from messages_api import MessagesApi, Says, use

from flagstone.agents.protocol import AgentResult, CallOutcome

BEFORE = "rate = 1\n"


@pytest.fixture
def train(desk: Desk) -> Path:
    """The one file that may be changed, among others that look like it."""
    for path in ("train.py", "sub/train.py", "eval.py", "approved/note", "workspace/train.py"):
        file = desk.root / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(BEFORE)
    (desk.root / "link.py").symlink_to("eval.py")
    (desk.root / "door").symlink_to(desk.folder / "home")
    (desk.folder / "home" / "train.py").write_text(BEFORE)
    return desk.root / "train.py"


def tries(desk: Desk, api: MessagesApi, train: Path, *lines: Says) -> AgentResult:
    """One call in which the model uses these tools, one after the other."""
    api.plays(use("Read", file_path=str(train)), *lines, Says("done"))
    return desk.edit(train)


def contents(desk: Desk) -> dict[str, str]:
    """What stands in every file a person may care for."""
    files = [path for path in desk.folder.rglob("*") if path.is_file() and "drafts" not in path.parts]
    return {str(path.relative_to(desk.folder)): path.read_text() for path in files if ".claude" not in str(path)}


def change(path: Path | str) -> Says:
    return use("Edit", file_path=str(path), old_string="rate = 1", new_string="rate = 2")


def test_the_named_file_can_be_changed(desk: Desk, api: MessagesApi, train: Path) -> None:
    before = contents(desk)
    result = tries(desk, api, train, change(train))
    assert (result.outcome, dict(result.tools), result.denied) == (CallOutcome.OK, {"Read": 1, "Edit": 1}, ())
    assert contents(desk) == {**before, "run/train.py": "rate = 2\n"}


def test_the_named_file_can_be_written_anew(desk: Desk, api: MessagesApi, train: Path) -> None:
    before = contents(desk)
    assert tries(desk, api, train, use("Write", file_path=str(train), content="new\n")).denied == ()
    assert contents(desk) == {**before, "run/train.py": "new\n"}


ELSEWHERE = {
    "another file": "eval.py",
    "a file of the same name further down": "sub/train.py",
    "a file of the same name in the workspace": "workspace/train.py",
    "a file that is not there yet": "new.py",
    "a flag": "approved/03.flag",
    "a link": "link.py",
    "a file behind a linked folder": "door/train.py",
    "a way round": "sub/../eval.py",
    "a way out": "../home/train.py",
    "hooks for later": ".claude/settings.json",
    "a git hook": ".git/hooks/pre-commit",
}


@pytest.mark.parametrize("path", ELSEWHERE.values(), ids=ELSEWHERE.keys())
def test_nothing_else_can_be_written_and_each_try_is_reported(
    desk: Desk, api: MessagesApi, train: Path, path: str
) -> None:
    before = contents(desk)
    target = f"{desk.root}/{path}"
    write = use("Write", file_path=target, content="mine\n")
    result = tries(desk, api, train, write, use("Read", file_path=target), change(target))
    assert contents(desk) == before
    assert result.outcome is CallOutcome.OK
    assert result.denied, desk.seen
    assert all(denial.startswith(("Write: ", "Edit: ")) for denial in result.denied)


def test_what_was_denied_is_named(desk: Desk, api: MessagesApi, train: Path) -> None:
    target = str(desk.root / "eval.py")
    result = tries(desk, api, train, use("Write", file_path=target, content="mine\n"))
    assert result.denied == (f"Write: {target}",)


def test_there_is_no_shell(desk: Desk, api: MessagesApi, train: Path) -> None:
    before = contents(desk)
    result = tries(desk, api, train, use("Bash", command="touch here", description="touch"))
    assert contents(desk) == before
    assert result.outcome is CallOutcome.OK
    assert "Bash" not in api.asked[0].tools


def test_the_named_file_may_have_a_name_with_blanks_and_umlauts(desk: Desk, api: MessagesApi) -> None:
    odd = desk.root / "my träin file.py"
    odd.write_text(BEFORE)
    assert tries(desk, api, odd, change(odd)).denied == ()
    assert odd.read_text() == "rate = 2\n"


def test_a_file_below_a_linked_run_can_be_written(desk: Desk, api: MessagesApi, train: Path) -> None:
    (desk.folder / "linked").symlink_to(desk.root)
    seen = desk.folder / "linked" / "train.py"
    tries(desk, api, seen, change(seen))
    assert train.read_text() == "rate = 2\n"
