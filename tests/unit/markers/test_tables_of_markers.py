"""The table of all markers: what it names, and what it cuts where there is little room."""

from __future__ import annotations

from dataclasses import replace

from rich.cells import cell_len

from flagstone.cli.markers.looking.status import table_text
from flagstone.markers.reporting.state import MarkerState

STATE = MarkerState(
    "speed", "/a/tool", "", "active", None, "2026-01-01T10:00:00Z", 12, 3, 10.0, 15.5, 2.25, "HIGH", 1.5, 0
)


def test_a_repository_is_named_where_there_are_several_and_by_its_path_where_two_have_one_name() -> None:
    other = replace(STATE, repository="/b/other")
    clash = replace(STATE, repository="/c/tool", process=7)
    first = [[line.split()[0] for line in table_text(each, 200).splitlines()[1:]] for each in ([STATE], [STATE, other])]
    assert first == [["speed"], ["tool:speed", "other:speed"]]
    lines = table_text([STATE, other, clash], 200).splitlines()[1:]
    assert [line.split()[:2] for line in lines] == [
        ["/a/tool:speed", "active"],
        ["other:speed", "active"],
        ["/c/tool:speed", "running"],
    ]


def test_a_long_name_is_cut_and_every_number_is_shown() -> None:
    text = table_text([replace(STATE, marker="数字 and a name [red]that[/red] goes on and on" * 2)], 80)
    head, row = text.splitlines()
    assert max(cell_len(head), cell_len(row)) <= 80
    assert "…" in row and row.split()[-6:] == ["→", "15.5", "12", "3", "2.2", "$1.50"]


def test_what_steers_a_terminal_is_not_in_the_table() -> None:
    assert "\x1b" not in table_text([replace(STATE, marker="a\x1b[2Jb", repository="/x\x1b[31m")], 80)
