"""`flagstone marker schedule`: what systemd and cron are given, with programs of the test in their place."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from flagstone.cli.location import Location
from flagstone.cli.markers.marker import command
from flagstone.markers import marker_named, timer_warnings
from flagstone.markers.marker import Timing
from flagstone.markers.schedule import next_time, systemd
from flagstone.markers.schedule.calendar import calendar_lines
from flagstone.markers.schedule.serving import timer_words
from flagstone.markers.schedule.timers import timer_title

FILE = """markers:
- {name: run time, target: {mutable: [a.py]}, metric: {command: ./time, extract: cat, direction: lower},
   schedule: {type: cron, cron: "30 2 * * *", timezone: Europe/Berlin, duration: 6h}}
- {name: by hand, target: {mutable: [a.py]}, metric: {command: ./time, extract: cat, direction: lower}}
"""
CRONTAB = """#!/bin/sh
[ -e "$FAKES/refused" ] && { echo "crontab: you are not allowed" >&2; exit 1; }
if [ "$1" = -l ]; then [ -e "$FAKES/table" ] || { echo "no crontab for me" >&2; exit 1; }; cat "$FAKES/table"
else cat > "$FAKES/table"; fi
"""
SYSTEMCTL = """#!/bin/sh
echo "$@" >> "$FAKES/calls"
[ "$2" != enable ] || [ ! -e "$FAKES/refused" ] || { echo "Failed to enable unit" >&2; exit 1; }
"""
LOGINCTL = """#!/bin/sh
cat "$FAKES/linger" 2>/dev/null || echo Linger=no
"""


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of programs that stand for those of the machine; there is none yet."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("FAKES", str(folder))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "con fig"))
    for tool in ("sh", "cat", "env"):
        (folder / tool).symlink_to(shutil.which(tool) or "")
    monkeypatch.setenv("PATH", str(folder))
    return folder


def provide(fakes: Path, **programs: str) -> None:
    for name, text in programs.items():
        (fakes / name).write_text(text)
        (fakes / name).chmod(0o755)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    top = tmp_path / "100% a $parser"
    (top / ".git").mkdir(parents=True)
    (top / ".flagstone").mkdir()
    (top / ".flagstone/config.yaml").write_text(FILE)
    return top


def asked(here: Path, *words: str, code: int = 0) -> Any:
    said = CliRunner().invoke(command, [*words, "--json"], obj=Location(here))
    found = json.loads(said.stdout)
    assert said.exit_code == code, found
    return found["data"] if code == 0 else found["message"]


def edit(top: Path, old: str, new: str) -> None:
    path = top / ".flagstone/config.yaml"
    path.write_text(path.read_text().replace(old, new))


def test_a_timer_of_systemd_is_shown_first_and_then_installed(fakes: Path, repository: Path, tmp_path: Path) -> None:
    provide(fakes, systemctl=SYSTEMCTL, loginctl=LOGINCTL)
    assert "there is no terminal" in asked(repository, "schedule", "run time", code=2)
    units = tmp_path / "con fig/systemd/user"
    assert not units.exists()
    found = asked(repository, "schedule", "run time", "-y")
    assert found["kind"] == "systemd" and "loginctl enable-linger" in found["note"]
    timer = units / f"{found['title']}.timer"
    service = timer.with_suffix(".service").read_text()
    assert found["text"] == f"# {timer.with_suffix('.service')}\n{service}\n# {timer}\n{timer.read_text()}"
    assert f"enable --now {timer.name}" in (fakes / "calls").read_text()
    place = str(repository).replace("%", "%%").replace("$", "$$")
    assert f'"marker" "run" "run time" "--repo" "{place}" "--scheduled"\n' in service
    assert f'Environment="XDG_CONFIG_HOME={tmp_path / "con fig"}"\n' in service
    assert f"RuntimeMaxSec={6 * 3600 + 900}\n" in service
    assert "OnCalendar=*-*-* 02:30:00 Europe/Berlin\n" in timer.read_text()
    (fakes / "linger").write_text("Linger=yes\n")
    edit(repository, "30 2", "31 2")
    assert asked(repository, "schedule", "run time", "--show")["installed"] is False
    assert asked(repository, "schedule", "run time", "-y")["note"] == ""
    assert asked(repository, "schedule", "run time")["installed"] is True  # asks nothing: it is there already
    assert asked(repository, "schedule", "run time", "--remove")["removed"] == ["systemd"]
    assert not list(units.iterdir())
    assert "clean --what=state" in (fakes / "calls").read_text()


def test_what_systemd_refuses_leaves_nothing_behind(fakes: Path, repository: Path, tmp_path: Path) -> None:
    provide(fakes, systemctl=SYSTEMCTL, loginctl=LOGINCTL)
    (fakes / "refused").touch()
    assert "Failed to enable unit" in asked(repository, "schedule", "run time", "-y", code=3)
    assert not list((tmp_path / "con fig/systemd/user").iterdir())


def test_without_systemd_a_line_of_cron_is_added_and_every_other_line_stays(fakes: Path, repository: Path) -> None:
    provide(fakes, crontab=CRONTAB)
    edit(repository, ", timezone: Europe/Berlin", "")
    table, others = fakes / "table", "MAILTO=me\n0 5 * * * backup 100\\%\n# flagstone-not-ours"
    table.write_text(others)
    found = asked(repository, "schedule", "run time", "-y")
    assert found["kind"] == "cron"
    assert table.read_text() == f"{others}\n{found['text']}"
    assert found["text"].startswith("30 2 * * * env ")
    assert asked(repository, "schedule", "run time")["installed"] is True
    edit(repository, "30 2", "31 2")
    asked(repository, "schedule", "run time", "-y")
    assert table.read_text().count("flagstone.cli.main") == 1 and "31 2 * * *" in table.read_text()
    edit(repository, "run time", "gone")
    assert asked(repository, "schedule", "run time", "--remove")["removed"] == ["cron"]
    assert table.read_text() == f"{others}\n"
    assert asked(repository, "schedule", "run time", "--remove")["removed"] == []


def test_the_shell_of_cron_reads_back_every_word(fakes: Path, repository: Path) -> None:
    provide(fakes, crontab=CRONTAB)
    edit(repository, ", timezone: Europe/Berlin", "")
    line = asked(repository, "schedule", "run time", "--show")["text"]
    assert not re.search(r"(?<!\\)%", line)
    as_cron_runs_it = line.split(None, 5)[5].replace("\\%", "%")
    shown = as_cron_runs_it.replace(" -P -m flagstone.cli.main ", " -c 'import sys; print(sys.argv[1:])' ").partition(
        " >>"
    )
    said = subprocess.run(["sh", "-c", shown[0]], capture_output=True, text=True, check=True, env={}).stdout
    assert said == f"{['marker', 'run', 'run time', '--repo', str(repository), '--scheduled']}\n"
    assert shown[2].startswith(f"'{repository}/.flagstone/markers/run time/scheduled.log' 2>&1 # flagstone-run-time-")


@pytest.mark.parametrize("zone", ["Asia/Kathmandu"])
def test_cron_is_refused_for_a_zone_that_is_not_the_machines(fakes: Path, repository: Path, zone: str) -> None:
    provide(fakes, crontab=CRONTAB)
    edit(repository, "Europe/Berlin", zone)
    assert "flagstone marker serve" in asked(repository, "schedule", "run time", "-y", code=2)


@pytest.mark.parametrize(("zone", "said"), [("Asia/Kathmandu", " Asia/Kathmandu"), (":/etc/localtime", ""), ("", "")])
def test_the_zone_of_the_terminal_counts_if_the_schedule_names_none(
    monkeypatch: pytest.MonkeyPatch, zone: str, said: str
) -> None:
    monkeypatch.setenv("TZ", zone)
    assert calendar_lines(Timing("overnight"), datetime.now(UTC))[0] == f"*-*-* 01:00:00{said}"


def test_a_line_that_cron_would_cut_off_is_refused(
    fakes: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provide(fakes, crontab=CRONTAB)
    edit(repository, ", timezone: Europe/Berlin", "")
    monkeypatch.setenv("PATH", f"{fakes}:{':'.join(f'/opt/some/tool-{number}/bin' for number in range(40))}")
    assert "longer than the 990 bytes" in asked(repository, "schedule", "run time", "-y", code=2)


def test_a_crontab_that_cannot_be_read_is_never_written(fakes: Path, repository: Path) -> None:
    provide(fakes, crontab=CRONTAB)
    (fakes / "refused").touch()
    assert "neither systemd nor cron" in asked(repository, "schedule", "run time", "-y", code=2)
    assert not (fakes / "table").exists()


def test_a_marker_without_a_schedule_is_refused(fakes: Path, repository: Path) -> None:
    assert "schedule: {type: overnight}" in asked(repository, "schedule", "by hand", "-y", code=2)


def test_a_timer_is_known_to_serve_and_named_once_its_times_are_others(fakes: Path, repository: Path) -> None:
    edit(repository, ", timezone: Europe/Berlin", "")
    for kind in ("cron", "systemd"):
        provide(fakes, crontab=CRONTAB, **({"systemctl": SYSTEMCTL} if kind == "systemd" else {}))
        marker = marker_named(repository, "run time")
        assert timer_words(marker) == "" and timer_warnings(marker) == []
        asked(repository, "schedule", "run time", "-y")
        assert f"left to {kind}" in timer_words(marker) and timer_warnings(marker) == []
        for timing in (Timing("overnight"), Timing()):
            said = timer_warnings(replace(marker, schedule=timing))
            assert len(said) == 1 and f"{kind} starts sessions at other times than" in said[0]
        assert "--remove" in said[0]
        asked(repository, "schedule", "run time", "--remove")


def test_a_timer_has_the_times_of_its_marker_in_later_years_too(
    fakes: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provide(fakes, systemctl=SYSTEMCTL, loginctl=LOGINCTL)
    asked(repository, "schedule", "run time", "-y")
    lines = systemd.calendar_lines
    monkeypatch.setattr(systemd, "calendar_lines", lambda timing, now: lines(timing, now.replace(year=now.year + 3)))
    assert timer_warnings(marker_named(repository, "run time")) == []


def test_no_secret_of_the_terminal_reaches_what_is_installed(
    fakes: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provide(fakes, systemctl=SYSTEMCTL, loginctl=LOGINCTL)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-secret")
    assert "sk-secret" not in asked(repository, "schedule", "run time", "--show")["text"]


def test_names_of_timers_differ_wherever_markers_do() -> None:
    titles = [timer_title(Path(place), name) for place in ("/a", "/b") for name in ("m n", "m-n", "m")]
    assert len(set(titles)) == 6 and all(re.fullmatch(r"[A-Za-z0-9._-]+", title) for title in titles)


ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="there is no systemd-analyze")


@needs_systemd
@pytest.mark.parametrize(
    ("cron", "zone"),
    [
        ("30 2 * * *", "Europe/Berlin"),
        ("0 1 * * *", "Europe/London"),
        ("*/20 1,2 * * *", "America/New_York"),
        ("30 2 13 * 5", "Europe/Berlin"),
        ("15 */6 1-7,29 3,10 *", "Europe/Berlin"),
        ("5 0 * * 7", "America/Havana"),
        ("30 * * * *", "Europe/Berlin"),
        ("0 9 */2 * 1-5", "UTC"),
    ],
)
@pytest.mark.parametrize("day", ["2026-03-06", "2026-03-27", "2026-10-23", "2026-10-30"])
def test_systemd_begins_sessions_when_serve_does(cron: str, zone: str, day: str) -> None:
    timing = Timing("cron", cron=cron, timezone=zone)
    begin = datetime.fromisoformat(day).replace(tzinfo=UTC)
    lines = calendar_lines(timing, begin)
    argv = [ANALYZE or "", "calendar", f"--base-time={day} 00:00:00 UTC", "--iterations=150", *lines]
    said = subprocess.run(argv, capture_output=True, text=True, check=True, env={**os.environ, "TZ": "UTC"}).stdout
    end = begin + timedelta(days=5)
    found = {
        datetime.fromisoformat(text).replace(tzinfo=UTC) for text in re.findall(r"(\d{4}-\S+ \S+) UTC$", said, re.M)
    }
    expected, moment = [], next_time(timing, begin)
    while moment and moment < end:
        expected.append(moment)
        moment = next_time(timing, moment)
    assert sorted(each for each in found if begin < each < end) == expected


@needs_systemd
def test_systemd_can_read_the_unit_files(fakes: Path, repository: Path, tmp_path: Path) -> None:
    provide(fakes, systemctl=SYSTEMCTL, loginctl=LOGINCTL)
    asked(repository, "schedule", "run time", "-y")
    units = sorted(map(str, (tmp_path / "con fig/systemd/user").iterdir()))
    environ = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    said = subprocess.run(
        [ANALYZE or "", "--user", "verify", *units], capture_output=True, text=True, check=False, env=environ
    )
    assert "flagstone" not in said.stderr and said.returncode == 0, said.stderr
