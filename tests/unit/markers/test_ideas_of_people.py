"""What people say about ideas survives kills and callers at once, and reaches the next prompt."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest
from marker_runs import entry, write

from flagstone.errors import FlagstoneError
from flagstone.experiments.proposers import Proposed, View
from flagstone.markers.folder import MarkerFolder
from flagstone.markers.homes import CarryingProposer
from flagstone.markers.ideas import add_idea, drop_idea, failed_ideas, guidance_of, mentions, read_ideas


@pytest.fixture
def folder(tmp_path: Path) -> MarkerFolder:
    found = MarkerFolder.of(tmp_path, "speed")
    write(found, 1, entry(1, improved=True), entry(2, "unroll the loop"), entry(3, "use threads", None))
    write(found, 2, entry(1, improved=True), entry(2, "sort first"), entry(3, "idea-1: cache", improved=True))
    return found


def test_every_failed_run_is_listed_with_what_was_tried_and_why_it_failed(folder: MarkerFolder) -> None:
    found = [(each.run, each.status, each.metric, each.tried, each.why) for each in failed_ideas(folder)]
    assert found == [
        ("1/r0002", "discard", 1.0, "unroll the loop", "no gain"),
        ("1/r0003", "crash", None, "use threads", "exit code 1"),
        ("2/r0002", "discard", 1.0, "sort first", "no gain"),
    ]


def test_the_next_prompt_has_what_people_want_and_what_failed_in_earlier_experiments(folder: MarkerFolder) -> None:
    for text in ("cache the squares", "use numpy", "inline \x1b[31mit\x1b[0m\n now"):
        add_idea(folder, text)
    drop_idea(folder, "idea-2")
    found = guidance_of(folder, folder.home(2))
    assert found.wanted == ("idea-3: inline it now",)  # a run names the first, and the second is dropped
    assert [line.split()[0] for line in found.earlier] == ["1/r0003", "1/r0002"]
    assert guidance_of(folder, folder.home(1)).earlier == ()


def test_a_run_whose_note_names_an_idea_of_a_person_is_shown_with_what_came_of_it(folder: MarkerFolder) -> None:
    add_idea(folder, "cache the squares")
    assert [(each.run, each.status) for each in mentions(folder)["idea-1"]] == [("2/r0003", "keep")]


def test_a_dropped_run_is_never_in_a_prompt_again(folder: MarkerFolder) -> None:
    assert (drop_idea(folder, "1/r0003"), drop_idea(folder, "2/r0002")) == ("1/r0003", "2/r0002")
    found = guidance_of(folder, folder.home(2))
    assert found.dropped == {"r0002"} and [line.split()[0] for line in found.earlier] == ["1/r0002"]
    assert [each.run for each in failed_ideas(folder) if each.is_dropped] == ["1/r0003", "2/r0002"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("r0002", "name one of them: 1/r0002, 2/r0002"),
        ("2/r0003", "was kept"),
        ("r0099", "there is no run r0099"),
        ("idea-7", "there is no idea-7"),
        ("\x1b[2J", "there is no run"),
    ],
)
def test_only_one_failed_run_can_be_dropped(folder: MarkerFolder, name: str, words: str) -> None:
    with pytest.raises(FlagstoneError, match=words):
        drop_idea(folder, name)


@pytest.mark.parametrize("text", ["", " \n\x1b[31m", "é" * 501])
def test_an_idea_has_words_and_is_not_too_long(folder: MarkerFolder, text: str) -> None:
    with pytest.raises(FlagstoneError):
        add_idea(folder, text)
    assert not folder.ideas.exists()


def test_callers_at_once_do_not_lose_an_idea(folder: MarkerFolder) -> None:
    callers = [threading.Thread(target=add_idea, args=(folder, f"number {n}")) for n in range(12)]
    for each in callers:
        each.start()
    for each in callers:
        each.join()
    ideas = read_ideas(folder).ideas
    assert {each.text for each in ideas} == {f"number {n}" for n in range(12)}
    assert len({each.name for each in ideas}) == 12


def test_a_damaged_file_is_named_and_not_overwritten(folder: MarkerFolder) -> None:
    folder.ideas.write_text("{half")
    with pytest.raises(FlagstoneError, match="cannot be read"):
        add_idea(folder, "another")
    assert folder.ideas.read_text() == "{half"


def test_an_idea_is_there_whole_or_not_at_all_after_a_kill(folder: MarkerFolder) -> None:
    add_idea(folder, "the first")
    child = os.fork()
    if not child:
        os.replace = lambda *_, **__: os._exit(9)  # killed before the new file takes the place of the old one
        os.rename = lambda *_, **__: os._exit(9)
        add_idea(folder, "the second")
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert [each.text for each in read_ideas(folder).ideas] == ["the first"]
    assert add_idea(folder, "the third").name == "idea-2"


def test_the_proposer_of_a_session_is_shown_what_people_want(folder: MarkerFolder) -> None:
    shown: list[View] = []

    class Inner:
        def propose(self, view: View, _draft: Path, _record_dir: Path) -> Proposed:
            shown.append(view)
            return Proposed(note="an edit")

    add_idea(folder, "use numpy")
    add_idea(folder, "use threads")
    home = folder.home(2)
    unused: Any = None
    view = View(4, unused, home, (), None, lambda *_: "", lambda _: "")
    CarryingProposer(Inner(), unused).propose(view, folder.root, folder.root)
    assert shown[0].guidance.wanted == ("idea-2: use threads",)
