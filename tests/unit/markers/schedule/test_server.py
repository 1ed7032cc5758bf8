"""What `serve` starts, and when: with a clock and sessions of the test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest

from flagstone.locks import hold
from flagstone.markers import Marker, MarkerFolder, Metric, set_status
from flagstone.markers.marker import Timing
from flagstone.markers.schedule.server import Server, ServerWorld

NIGHT = Timing("overnight", timezone="UTC")
HOURLY = Timing("cron", cron="0 * * * *", timezone="UTC")


@dataclass
class World:
    """A clock that moves only when somebody waits, and sessions that end with the exit codes of a list."""

    markers: list[Marker]
    now: datetime
    codes: dict[str, list[int | None]] = field(default_factory=dict)
    takes: timedelta = timedelta()
    started: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    left_to: str = ""
    on_play: Callable[[], object] = lambda: None

    def play(self, marker: Marker) -> int | None:
        self.started.append(f"{marker.name} {self.now:%a %H:%M}")
        self.on_play()
        self.now += self.takes
        codes = self.codes.get(marker.name, [])
        return codes.pop(0) if codes else 0

    def serve(self, until: str, at_once: int = 2) -> list[str]:
        """Serves until a time. Returns what was started."""
        end, before = at(until), len(self.started)

        def wait(wait_s: float) -> None:
            for session in tuple(server.running.values()):
                session.join()
            self.now += timedelta(seconds=wait_s)

        server = Server(
            ServerWorld(
                markers=lambda: self.markers,
                play=self.play,
                now=lambda: self.now,
                wait=wait,
                is_asked=lambda: self.now > end,
                say=self.lines.append,
                left_to=lambda _: self.left_to,
            ),
            at_once,
        )
        server.serve()
        return self.started[before:]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def marker(tmp_path: Path) -> Marker:
    return Marker("m", tmp_path / "r", ("a.py",), Metric("true", "cat", "min"), schedule=NIGHT)


@pytest.fixture
def world(marker: Marker) -> World:
    return World([marker], at("2026-01-05 23:05"))  # a Monday


def test_a_marker_that_never_ran_waits_for_its_time(world: World) -> None:
    assert world.serve("2026-01-06 00:59:59") == []
    assert world.serve("2026-01-08 00:30") == ["m Tue 01:00", "m Wed 01:00"]


def test_a_session_that_was_missed_is_run_once(world: World) -> None:
    world.serve("2026-01-05 23:10")
    world.now = at("2026-01-09 15:00")
    assert world.serve("2026-01-10 02:00") == ["m Fri 15:00", "m Sat 01:00"]


def test_times_that_come_during_a_session_are_left_out(world: World, marker: Marker) -> None:
    world.markers = [replace(marker, schedule=HOURLY)]
    world.takes = timedelta(hours=2, minutes=30)
    assert world.serve("2026-01-06 06:30") == ["m Tue 00:00", "m Tue 03:00", "m Tue 06:00"]


def test_a_failing_marker_is_tried_again_after_1_2_4_hours_and_at_last_daily(world: World) -> None:
    world.codes["m"] = [3, 2, 1, 3, 3, 3, 3, 0]
    assert world.serve("2026-01-11 02:00") == [
        "m Tue 01:00", "m Tue 02:00", "m Tue 04:00", "m Tue 08:00", "m Tue 16:00", "m Wed 08:00", "m Thu 08:00",
        "m Fri 08:00", "m Sat 01:00", "m Sun 01:00",
    ]  # fmt: skip
    assert "r:m: failed 3 times in a row (exit code 1); next: " in "\n".join(world.lines)


def test_a_restart_remembers_the_failures(world: World) -> None:
    world.codes["m"] = [3, 3, 3]
    world.serve("2026-01-06 02:30")
    assert world.serve("2026-01-06 03:59") == []
    assert world.serve("2026-01-06 09:00") == ["m Tue 04:00", "m Tue 08:00"]


def test_a_session_that_was_asked_to_end_is_due_at_once_when_it_is_served_again(world: World) -> None:
    world.codes["m"] = [None]
    world.on_play = lambda: setattr(world, "now", world.now + timedelta(days=1))
    assert world.serve("2026-01-06 01:01") == ["m Tue 01:00"]
    world.on_play = lambda: None
    assert world.serve("2026-01-07 01:30") == ["m Wed 01:01"]
    assert world.serve("2026-01-08 02:00") == ["m Thu 01:00"]


def test_a_kill_leaves_the_session_due(world: World) -> None:
    world.serve("2026-01-06 00:30")
    world.now = at("2026-01-06 01:20")  # whoever began it at 01:00 was killed and wrote nothing down
    assert world.serve("2026-01-06 01:21") == ["m Tue 01:20"]


def test_a_marker_at_rest_is_left_out_and_not_made_up_for(world: World, marker: Marker) -> None:
    set_status(marker, "paused")
    assert world.serve("2026-01-06 12:00") == []
    assert sum("its status is paused" in line for line in world.lines) == 1
    set_status(marker, "active")
    assert world.serve("2026-01-07 02:00") == ["m Wed 01:00"]


def test_a_marker_that_a_timer_runs_left_to_it(world: World) -> None:
    world.left_to = "its timer runs it"
    assert world.serve("2026-01-07 12:00") == []
    assert sum("its timer runs it" in line for line in world.lines) == 2


def test_a_session_of_somebody_else_is_waited_for_and_named_once(world: World, marker: Marker) -> None:
    folder = MarkerFolder.of(marker.repository, marker.name)
    with hold(folder.lock, "it"):
        assert world.serve("2026-01-06 04:00") == []
    assert sum("which runs a session of it" in line for line in world.lines) == 1
    assert len(world.serve("2026-01-06 05:00")) == 1


def test_a_schedule_that_was_edited_begins_with_its_next_time(world: World, marker: Marker) -> None:
    world.serve("2026-01-06 02:00")
    world.now = at("2026-01-06 15:00")
    world.markers = [replace(marker, schedule=Timing("cron", cron="0 14 * * *", timezone="UTC"))]
    assert world.serve("2026-01-07 14:30") == ["m Wed 14:00"]


def test_a_clock_that_was_wrong_keeps_nothing_from_its_time(world: World) -> None:
    world.now = at("2036-01-01 12:00")
    world.codes["m"] = [3]
    world.serve("2036-01-02 01:30")
    world.now = at("2026-01-05 12:00")
    assert world.serve("2026-01-07 02:00") == ["m Tue 12:00", "m Wed 01:00"]


def test_only_so_many_sessions_run_at_once_and_the_longest_due_comes_first(world: World, marker: Marker) -> None:
    late = Timing("cron", cron="30 0 * * *", timezone="UTC")
    others = [replace(marker, name=name, repository=marker.repository.with_name(name)) for name in "abc"]
    world.markers = [*others, replace(marker, schedule=late)]
    world.serve("2026-01-05 23:10")
    world.now = at("2026-01-06 02:00")
    assert [each[0] for each in world.serve("2026-01-06 02:10", at_once=1)] == ["m", "a", "b", "c"]


def test_a_disk_that_is_full_does_not_make_a_failing_session_start_again_and_again(
    world: World, marker: Marker
) -> None:
    world.serve("2026-01-05 23:10")
    MarkerFolder.of(marker.repository, marker.name).schedule.unlink()
    MarkerFolder.of(marker.repository, marker.name).schedule.mkdir()  # nothing can be written there
    world.codes["m"] = [3, 3]
    assert world.serve("2026-01-06 03:00") == ["m Tue 01:00", "m Tue 02:00"]
    assert any("cannot write" in line for line in world.lines)


def test_it_waits_a_minute_at_most_so_that_edits_count(world: World) -> None:
    waits: list[float] = []
    server = Server(
        ServerWorld(
            markers=lambda: world.markers,
            play=world.play,
            now=lambda: world.now,
            wait=waits.append,
            is_asked=lambda: bool(waits),
            say=world.lines.append,
        )
    )
    server.serve()
    assert waits == [60.0]
    world.now = at("2026-01-06 00:59:30")
    assert server.start_due() == 30.0


def test_a_marker_has_one_session_at_a_time(world: World, marker: Marker) -> None:
    world.serve("2026-01-05 23:10")
    world.now, may_end = at("2026-01-06 02:00"), Event()
    world.on_play = lambda: may_end.wait(60)
    server = Server(
        ServerWorld(
            markers=lambda: world.markers,
            play=world.play,
            now=lambda: world.now,
            wait=lambda _: None,
            is_asked=lambda: False,
            say=world.lines.append,
        )
    )
    for _ in range(3):
        server.start_due()
    sessions = tuple(server.running.values())
    may_end.set()
    for session in sessions:
        session.join()
    assert world.started == ["m Tue 02:00"]
