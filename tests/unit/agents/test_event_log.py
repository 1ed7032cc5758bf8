"""What an agent does is written as it happens, and never more of it than can be read."""

from __future__ import annotations

from pathlib import Path

from flagstone.agents.event_log import LARGEST, open_event_log
from flagstone.agents.protocol import Event


def test_events_are_there_as_they_happen_and_go_on_after_those_of_before(tmp_path: Path) -> None:
    path = tmp_path / "events.log"
    path.write_text("before\n")
    with open_event_log(path) as heard:
        heard(Event.of("text", "the word"))
        assert path.read_text().endswith("text     the word\n")
    assert path.read_text().startswith("before\n")


def bytes_written() -> int:
    """How much this process has written to files so far."""
    return int(Path("/proc/self/io").read_text().split("wchar: ")[1].split()[0])


def test_of_very_many_the_beginning_and_the_end_are_kept_and_it_is_said(tmp_path: Path) -> None:
    path, written = tmp_path / "events.log", bytes_written()
    with open_event_log(path) as heard:
        for number in range(300_000):
            heard(Event.of("text", f"number {number}"))
    assert bytes_written() - written < 2 * LARGEST
    lines = path.read_text().splitlines()
    assert path.stat().st_size <= LARGEST + 1000
    assert lines[0].endswith("number 0") and lines[-1].endswith("number 299999")
    assert sum("bytes left out" in line for line in lines) == 1
