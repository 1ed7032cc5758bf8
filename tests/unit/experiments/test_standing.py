"""Where an experiment stands, in a few lines."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from entries import entry_of, home_for, made_up, progress_of, spec_for, write_ledger
from laboratory import Edits, Laboratory, set_x

from flagstone.experiments.ledger.ledger import History, entries_of, ledger_problems, tail_entries
from flagstone.experiments.ledger.progress import Progress
from flagstone.experiments.reporting.status import (
    Position,
    last_text,
    position_of,
    status_record,
    status_text,
)
from flagstone.locks import hold, holder_of
from flagstone.plans.folder import Home
from flagstone.records import Ledger


def position(tmp_path: Path, count: int = 200, **changes: object) -> Position:
    entries = made_up(count)
    spec = spec_for(tmp_path, stopping={"plateau": 5, "max_runs": 20_000})
    return replace(Position("lr", spec, progress_of(entries), entries[-1], is_edited=False), **changes)


@cache
def ten_thousand_runs() -> Progress:
    return progress_of(made_up(10_000))


def rows(text: str) -> dict[str, str]:
    return dict(row.split(": ", 1) for row in text.splitlines())


def test_the_status_has_the_form_of_the_plugin(tmp_path: Path) -> None:
    entries = [entry_of(1, "advance", 2.0), entry_of(2, value=3.0), entry_of(3, "crash", None, status="crash")]
    entries += [entry_of(4, "advance", 1.25), entry_of(5, value=2.0), entry_of(6, value=2.0)]
    spec = spec_for(tmp_path, stopping={"plateau": 5, "max_runs": 200}, metric={"name": "val/loss", "direction": "min"})
    told = rows(status_text(Position("lr", spec, progress_of(entries), entries[-1], is_edited=True)))
    assert told["expr"] == "lr"
    assert told["primary"] == "val/loss (min) — best: 1.25 @ r0004"
    assert told["runs"] == "6 total (2 advance / 3 revert / 1 crash)"
    assert told["termination"] == "max_runs 6/200, plateau 2/5"
    assert told["train.py"] == "edited since best"


def test_of_several_files_the_status_names_none_that_may_be_unedited(tmp_path: Path) -> None:
    spec = spec_for(tmp_path, subject={"mutable": ["train.py", "model.py"]})
    entries = [entry_of(1, "advance", 2.0)]
    told = rows(status_text(Position("lr", spec, progress_of(entries), entries[-1], is_edited=True)))
    assert told["working files"] == "edited since best" and "train.py" not in told


def test_the_status_says_when_the_working_files_are_those_of_the_best(tmp_path: Path) -> None:
    assert rows(status_text(position(tmp_path)))["train.py"] == "in-sync with best"


def test_the_status_tells_of_noise_and_of_what_was_spent(tmp_path: Path) -> None:
    told = rows(status_text(position(tmp_path)))
    assert told["noise"].startswith("baseline 5 runs, sd 0.0")
    assert "repeats; confidence" in told["noise"] and "MAD)" in told["noise"]
    assert told["spent"].endswith("$4.00 of calls")
    entries = [entry_of(1, "advance", proposal={"cost_usd": None}), entry_of(2)]
    unknown = Position("lr", spec_for(tmp_path), progress_of(entries), entries[-1])
    assert rows(status_text(unknown))["spent"].endswith("$0.02 of calls (1 of unknown cost, counted in full)")


def test_the_status_says_that_noise_is_off(tmp_path: Path) -> None:
    quiet = position(tmp_path, spec=spec_for(tmp_path, noise="off"))
    assert rows(status_text(quiet))["noise"].startswith("off (every strictly better number is kept)")


@pytest.mark.parametrize("letters", ["x", "🎉", "ü\n\t\x1b[31m"])
def test_the_status_of_ten_thousand_runs_is_short_whatever_the_words_in_it(letters: str, tmp_path: Path) -> None:
    spec = spec_for(
        tmp_path,
        metric={"name": (letters * 200)[:200], "direction": "min"},
        subject={"mutable": [f"{letters * 60}.py"]},
        stopping={
            "threshold": 1e-9,
            "plateau": 99_999,
            "max_runs": 99_999,
            "wall_h": 1e6,
            "gpu_h": 1e6,
            "cost_usd": 1e6,
        },
    )
    long = position(tmp_path, spec=spec, problems=(letters * 500,) * 3, name="n" * 64)
    long = replace(long, last=replace(long.last, note=letters * 4000), holder={"pid": 1, "since": "x" * 99})  # type: ignore[type-var]
    text = status_text(replace(long, progress=ten_thousand_runs()))
    assert len(text.splitlines()) <= 10
    assert len(text.encode()) <= 1024
    assert "runs: 10000 total" in text and "max_runs 10000/99999" in text


def test_the_status_of_an_experiment_without_a_run_says_so(tmp_path: Path) -> None:
    home = home_for(tmp_path)
    home.root.mkdir(parents=True)
    text = status_text(position_of(home, spec_for(tmp_path)))
    assert "best: none yet" in text and "0 total" in text
    assert list(home.root.iterdir()) == [], "looking must not write"


def test_the_status_is_the_same_from_what_was_remembered_and_from_the_ledger_alone(tmp_path: Path) -> None:
    home, spec, entries = home_for(tmp_path), spec_for(tmp_path), made_up(300)
    write_ledger(home, entries[:-1])
    History.read(home).append(entries[-1])
    quick = status_text(position_of(home, spec))
    (home.root / "state" / "progress.json").unlink()
    assert status_text(position_of(home, spec)) == quick
    assert "300 total" in quick


def test_a_last_line_that_a_kill_cut_off_is_passed_over(tmp_path: Path) -> None:
    home, spec, entries = home_for(tmp_path), spec_for(tmp_path), made_up(20)
    write_ledger(home, entries)
    whole = home.ledger.read_bytes()
    home.ledger.write_bytes(whole[:-40])
    found = position_of(home, spec)
    assert (found.progress.number, found.problems) == (19, ())
    assert [each.number for each in tail_entries(home.ledger, 3)] == [17, 18, 19]
    Ledger(home.ledger).append(entries[19])
    assert list(entries_of(home.ledger)) == entries
    assert position_of(home, spec).problems == ("line 20 of ledger.jsonl cannot be read and is passed over",)


@pytest.mark.parametrize("change", ["edited", "lost", "swapped", "unreadable"])
def test_a_changed_ledger_is_said(change: str, tmp_path: Path) -> None:
    home = home_for(tmp_path)
    write_ledger(home, made_up(20))
    lines = home.ledger.read_bytes().splitlines(keepends=True)
    if change == "edited":
        lines[7] = lines[7].replace(b'"verdict":"', b'"verdict": "')
    elif change == "lost":
        del lines[7]
    elif change == "swapped":
        lines[7], lines[8] = lines[8], lines[7]
    else:
        lines[7] = b"\x00 no line\n"
    home.ledger.write_bytes(b"".join(lines))
    problems = position_of(home, spec_for(tmp_path)).problems
    assert problems and all("of ledger.jsonl" in problem for problem in problems)
    assert problems[0] in status_text(position_of(home, spec_for(tmp_path)))


def test_a_whole_ledger_and_a_missing_one_have_no_problem(tmp_path: Path) -> None:
    home = home_for(tmp_path)
    assert ledger_problems(home.ledger) == []
    write_ledger(home, made_up(300))
    assert ledger_problems(home.ledger) == []


def test_the_last_runs_are_those_of_the_ledger(tmp_path: Path) -> None:
    home, entries = home_for(tmp_path), made_up(90)
    write_ledger(home, entries)
    for count in (0, 1, 7, 90, 500):
        assert tail_entries(home.ledger, count) == (entries[-count:] if count else [])


def test_the_table_of_the_last_runs_is_no_wider_than_a_terminal() -> None:
    wild = [replace(each, note="tab\tline\n🎉 " + "x" * 4000) for each in made_up(40)]
    table = last_text(wild).splitlines()
    assert len(table) == 41
    assert table[0].split() == ["run_id", "status", "verdict", "primary_value", "improved", "note"]
    assert max(map(len, table)) <= 120
    assert table[1].startswith("r0001")
    assert last_text([]) == "no runs yet\n"


def test_the_record_of_the_status_is_json(tmp_path: Path) -> None:
    spec = spec_for(tmp_path, stopping={"threshold": 0.5})
    record = json.loads(json.dumps(status_record(Position("lr", spec, progress_of([]), None)), allow_nan=False))
    assert record["termination"] == {"primary_threshold": {"done": None, "limit": 0.5}}
    assert status_record(position(tmp_path))["runs"]["total"] == 200


def test_the_status_says_who_runs_it_and_that_a_stop_was_asked_for(tmp_path: Path) -> None:
    home, spec = home_for(tmp_path), spec_for(tmp_path)
    write_ledger(home, made_up(5))
    home.stop.touch()
    with hold(home.lock, "experiment"):
        since = (holder_of(home.lock) or {})["since"]
        told = rows(status_text(position_of(home, spec)))
    assert told["expr"].startswith(f"made-up (running since {since}, process ")
    assert told["termination"].startswith("stop requested")


def test_the_status_says_what_has_ended_it_until_the_limit_is_raised(tmp_path: Path) -> None:
    entries = [entry_of(1, "advance"), entry_of(2, should_terminate=True, terminated_by="max_runs(2)")]

    def told(most: int) -> str:
        spec = spec_for(tmp_path, stopping={"max_runs": most})
        return rows(status_text(Position("lr", spec, progress_of(entries), entries[-1])))["termination"]

    assert told(2) == "ended by max_runs(2) — max_runs 2/2"
    assert told(9) == "max_runs 2/9"


def test_an_edit_of_the_working_files_is_seen(laboratory: Laboratory) -> None:
    laboratory.make(stopping={"max_runs": 2})
    laboratory.run(Edits({2: set_x(2.0)}))
    opened = laboratory.open()

    def edited() -> bool | None:
        return position_of(opened.home, opened.spec).is_edited

    assert edited() is False
    set_x(7.0)(opened.home.working)
    assert edited() is True
    shutil.rmtree(opened.home.bests)
    assert edited() is True
    set_x(2.0)(opened.home.working)
    assert edited() is False


def test_a_working_file_that_is_gone_is_an_edit(laboratory: Laboratory) -> None:
    laboratory.make(stopping={"max_runs": 2})
    laboratory.run(Edits({2: set_x(2.0)}))
    opened = laboratory.open()
    (opened.home.working / "train.py").unlink()
    assert position_of(opened.home, opened.spec).is_edited is True


def test_looking_imports_nothing_that_starts_processes_or_reads_schemas() -> None:
    heavy = "{'flagstone.processes', 'jsonschema', 'numpy', 'matplotlib'} & set(sys.modules)"
    code = (
        f"import sys, flagstone.experiments.reporting.status, flagstone.experiments.measuring.log_end; print(*{heavy})"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == []


def test_a_home_that_is_not_there_has_no_runs(tmp_path: Path) -> None:
    assert list(entries_of(Home(tmp_path / "none", tmp_path).ledger)) == []
