"""What is shown of a session while it goes on, from its files alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from marker_runs import entry, write

from flagstone.cli.markers.looking.live import footer_of, styled_line
from flagstone.markers.folder import MarkerFolder
from flagstone.markers.marker import Budgets, Loop, Marker, Metric
from flagstone.markers.reporting.course import Course, course_of, run_line, sparkline
from flagstone.records import utc, write_record

BEGAN_S = 1_000_000.0


def marker_in(root: Path, **budgets: Any) -> Marker:
    loop = Loop(budgets=Budgets(**budgets))
    return Marker("speed", root, ("src/**",), Metric("make", "cat", "max"), loop=loop)


def course_in(root: Path, **budgets: Any) -> Course:
    """Two experiments of an earlier session; then one kept, one discarded and one crashed after 300 s of this one."""
    folder = MarkerFolder.of(root, "speed")
    before, now = {"ended_at": utc(BEGAN_S - 9)}, {"ended_at": utc(BEGAN_S + 9), "proposal": {"cost_usd": 0.25}}
    write(folder, 1, entry(1, value=10.0, improved=True, best_value=10.0, **before))
    write(
        folder, 1, entry(2, value=12.0, improved=True, best_value=12.0, **before), entry(3, best_value=12.0, **before)
    )
    write(folder, 1, entry(4, value=15.0, improved=True, best_value=15.0, **now), entry(5, best_value=15.0, **now))
    write(folder, 1, entry(6, value=None, best_value=15.0, **now))
    write_record(folder.session, {"home": "1", "until": 7, "began_at": utc(BEGAN_S)})
    return course_of(marker_in(root, **budgets))


def test_the_footer_says_best_counts_cost_and_time_of_this_session(tmp_path: Path) -> None:
    text = footer_of(course_in(tmp_path, usd=5.0), BEGAN_S + 300, 120).plain
    assert text == (
        "speed · r0007 goes on · best 15 (from 10)  ▁▄▄███\n1 keep 1 discard 1 crash · $0.75 of $5 · about 3 min left"
    )


def test_a_time_limit_that_comes_first_is_the_time_left(tmp_path: Path) -> None:
    assert "at most 40 s left" in footer_of(course_in(tmp_path, wall_s=340.0), BEGAN_S + 300, 120).plain


def test_the_footer_is_never_wider_than_the_terminal(tmp_path: Path) -> None:
    lines = footer_of(course_in(tmp_path), BEGAN_S + 300, 30).plain.split("\n")
    assert [len(line) for line in lines] == [30, 30]


def test_a_run_more_gives_the_course_that_its_ledger_gives(tmp_path: Path) -> None:
    course, more = course_in(tmp_path), entry(7, value=20.0, improved=True, best_value=20.0, ended_at=utc(BEGAN_S + 20))
    write(MarkerFolder.of(tmp_path, "speed"), 1, more)
    assert course.after(more) == course_of(course.marker)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (entry(2, "a note", 12.0, improved=True, reason="better than r0001"), 'keep 12, better than r0001  "a note"'),
        (entry(2, "a note\x1b[2J", 9.0, reason="no better"), 'discard 9, no better  "a note"'),
        (entry(2, "a note", None), 'crash, exit code 1  "a note"'),
        (entry(2, "", 1.0, status="violation", reason="changed guard.py"), "violation 1, changed guard.py"),
    ],
)
def test_each_run_is_told_in_the_words_of_markers(made: Any, words: str) -> None:
    assert run_line(made) == f"r0002 {words}"


def test_the_word_of_a_verdict_has_its_colour() -> None:
    line = styled_line("12:00:00 r0002 keep 12, better  [red]as is[/red]")
    assert line.plain.endswith("[red]as is[/red]")
    assert [str(span.style) for span in line.spans] == ["green"]


@pytest.mark.parametrize(
    ("values", "bars"), [([], ""), ([1.0], "▁"), ([1, 1, 1], "▁▁▁"), ([1, 2, 3], "▁▅█"), (range(100), "▁▂▃▄▅▆▇█")]
)
def test_a_sparkline_shows_the_course_of_a_number(values: Any, bars: str) -> None:
    assert sparkline(list(values), 8) == bars
