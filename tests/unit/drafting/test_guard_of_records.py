"""What we write down while an agent works is ours alone: the record of its attempt, and the log of calls."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from answering_desk import Desk, good
from test_guard import BOTH, LANDLOCK, NOTHING, agent, attempt, free, put, record, strong_machine  # noqa: F401

from flagstone.agents.accounts.calls import LOG, append_call, append_use, lines_of, spending_of
from flagstone.locks import hold

FORGED = {"kind": "use", "stage": "01", "gpu_s": -99999.0}


@pytest.mark.parametrize("name", ["checks.json", "offer.json", "note.txt", "result.json"])
def test_nothing_can_be_left_beside_the_record_of_an_attempt(desk: Desk, name: str) -> None:
    free(desk)
    desk.answers = [agent(put(f"drafts/01/001/{name}", "{}"), NOTHING), good]
    desk.build()
    assert [row["path"] for row in record(desk)["violations"]] == [f"drafts/01/001/{name}"]
    assert (attempt(desk) / "violations" / "drafts" / "01" / "001" / name).read_text() == "{}"


def adds(*lines: dict[str, Any]) -> Any:
    def act(root: Path) -> None:
        for line in lines:
            with open(root / "logs" / LOG, "a") as log:
                log.write(json.dumps(line) + "\n")

    return act


@pytest.mark.parametrize("has_calls", [True, False])
def test_lines_that_an_agent_adds_to_the_log_of_calls_are_taken_out(desk: Desk, *, has_calls: bool) -> None:
    free(desk)
    if has_calls:
        append_use(desk.run.logs / LOG, stage="02", gpu_s=7200)
    desk.answers = [agent(adds(FORGED, {**FORGED, "stage": "08"}), NOTHING), good]
    desk.build()
    assert [row["path"] for row in record(desk)["violations"]] == [f"logs/{LOG}"]
    assert spending_of(desk.run.logs / LOG).gpu_s == (7200 if has_calls else 0)
    assert not [line for line in lines_of(desk.run.logs / LOG) if line.gpu_s == -99999.0]
    assert "-99999" in (attempt(desk) / "violations" / "logs" / LOG).read_text()


def test_lines_of_an_experiment_that_runs_meanwhile_stay(desk: Desk) -> None:
    free(desk)
    log = desk.run.logs / LOG

    def act(root: Path) -> None:
        append_call(log, {"stage": "05", "experiment": "lr", "cost_usd": 1.0, "agent": "demo"})
        append_call(log, {"stage": "05", "experiment": "other", "cost_usd": 0.0, "agent": "demo"})

    desk.answers = [agent(act, NOTHING), good]
    (desk.run.experiments / "lr").mkdir(parents=True)
    with hold(desk.run.experiments / "lr" / "lock", "experiment lr"):
        desk.build()
    assert [line.experiment for line in lines_of(log) if line.experiment] == ["lr"]


@pytest.mark.parametrize("held_by", [BOTH, LANDLOCK, NOTHING])
@pytest.mark.parametrize("name", ["transcript.jsonl", "events.log", "stderr.txt"])
def test_the_modes_of_what_we_write_meanwhile_are_put_back(desk: Desk, held_by: str, name: str) -> None:
    if held_by == NOTHING:
        free(desk)

    def act(root: Path) -> None:
        path = root / "drafts" / "01" / "001" / name
        path.touch(0o600)
        path.chmod(0o777)

    desk.answers = [agent(act, held_by), good]
    desk.build()
    assert (attempt(desk) / name).stat().st_mode & 0o777 == 0o600
    assert record(desk)["violations"] == [{"path": f"drafts/01/001/{name}", "what": "mode changed", "done": "put back"}]
