"""The demo agent's study, carried out for real in a smaller size."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path

import pytest
from demo_run import DemoRun, demo_run

from flagstone.agents.protocol import Outcome
from flagstone.processes import run_quietly

NO_TEX = shutil.which("latexmk") is None and shutil.which("tectonic") is None
pytestmark = pytest.mark.skipif(NO_TEX, reason="neither latexmk nor tectonic is installed")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> DemoRun:
    run = demo_run(tmp_path_factory.mktemp("demo") / "seven", scale="small")
    assert run.through() == {}
    return run


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> DemoRun:
    """Another data seed; and its training breaks off at run seed 3."""
    run = demo_run(tmp_path_factory.mktemp("demo") / "eight", scale="small", data_seed=8)
    run.through("01", "02", "03", "04")
    program = run.file("code/train.py")
    refusal = '    if "--seed 3 " in " ".join(sys.argv):\n        raise SystemExit("out of memory")\n'
    program.write_text(program.read_text().replace("def main() -> None:\n", f"def main() -> None:\n{refusal}", 1))
    assert run.through("05", "06", "07", "08") == {}
    return run


def paper(run: DemoRun) -> str:
    code, text, _ = run_quietly(["pdftotext", "-layout", str(run.file("artifacts/paper.pdf")), "-"], run.root, 30)
    if code == 127:
        pytest.skip("pdftotext is not installed")
    return text.decode()


def analysis(run: DemoRun) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = json.loads(run.file("results/analysis.json").read_text())
    return found


def test_the_paper_reports_the_numbers_that_were_measured(finished: DemoRun) -> None:
    with finished.file("results/runs.csv").open() as stream:
        runs = [row for row in csv.DictReader(stream) if row["status"] == "ok"]
    text = paper(finished)
    assert len(runs) == 12
    assert all(f"{float(row['test_loss']):.3f}" in text for row in runs)
    assert f"{analysis(finished)['primary']['p_value']:.3f}"[:5] in text


def test_the_paper_says_on_its_first_page_what_it_is(finished: DemoRun) -> None:
    first = " ".join(paper(finished).split("\f")[0].split())
    assert "Scripted demo agent; citations not verified; not peer reviewed." in first
    assert "preprint layout" in first


def test_another_data_seed_changes_the_numbers_of_the_paper(finished: DemoRun, other: DemoRun) -> None:
    numbers = [re.findall(r"\d\.\d{3}", paper(run)) for run in (finished, other)]
    assert numbers[0] and numbers[1] and numbers[0] != numbers[1]


def test_the_same_data_seed_gives_the_same_bytes(finished: DemoRun, tmp_path: Path) -> None:
    again = demo_run(tmp_path / "elsewhere" / "again", scale="small", data_seed=7)
    again.through()
    assert again.content() == finished.content()


def test_a_stage_done_again_gives_the_same_bytes(other: DemoRun) -> None:
    before = other.content()
    other.memory = ""
    for stage in ("01", "02", "03"):
        other.checked(stage, feedback="")
        other.memory += other.text(stage) + "\n"
    assert other.content() == before


def test_the_verdict_follows_from_the_rule_that_was_fixed_before(finished: DemoRun) -> None:
    design, found = json.loads(finished.file("data/design.json").read_text()), analysis(finished)
    loss, rule = found["primary"], design["rule"]
    wanted = "INCONCLUSIVE"
    if loss["upper_bound_95"] < 0:
        wanted = "HARMFUL"
    elif loss["p_value"] <= rule["alpha"] and loss["difference"] >= rule["minimum_effect"]:
        wanted = "SUPPORTED"
    elif loss["upper_bound_95"] < rule["minimum_effect"]:
        wanted = "NO PRACTICAL EFFECT"
    assert found["verdict"] == wanted
    assert f"Verdict: {wanted.lower()}." in " ".join(paper(finished).split())


def test_every_run_has_a_learning_curve_that_tensorboard_reads(finished: DemoRun) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    place = finished.file("results/warmup/constant/seed-1")
    events = EventAccumulator(str(next(place.glob("events.out.tfevents.*[!n]")))).Reload()
    last = events.Scalars("test/loss")[-1]
    metrics = json.loads((place / "metrics.json").read_text())
    assert last.step == metrics["steps"]
    assert last.value == pytest.approx(metrics["metrics"]["test_loss"], abs=1e-5)


def test_training_is_told_run_by_run(finished: DemoRun) -> None:
    told = [event.text for event in finished.events if "train.py --arm" in event.text]
    assert len(told) == 12
    assert all(re.search(r"--arm (constant|warmup) --seed \d+: test loss \d\.\d{3}$", line) for line in told)


def test_nothing_it_leaves_holds_the_place_where_it_was_made(finished: DemoRun) -> None:
    where = str(finished.root).encode()
    assert [path for path, content in finished.content().items() if where in content] == []


def test_the_checklist_is_computed_and_ticks_nothing_that_was_not_looked_at(finished: DemoRun) -> None:
    checks = json.loads(finished.file("reviews/readiness.json").read_text())
    outcomes = {check["id"]: check["outcome"] for check in checks["checks"]}
    assert outcomes.pop("citations") == outcomes.pop("review") == "not checked"
    assert set(outcomes.values()) == {"pass"}
    assert checks["decision"] == "ready with reservations"


def test_a_number_changed_by_hand_is_found_by_the_checklist(other: DemoRun) -> None:
    numbers = other.file("writing/numbers.tex")
    text = numbers.read_text()
    numbers.write_text(re.sub(r"(\\newcommand\{\\LossWarmup\}\{)[^}]*", r"\g<1>0.001", text))
    other.call("08", 2)
    numbers.write_text(text)
    readiness = json.loads(other.file("reviews/readiness.json").read_text())
    failed = [check["id"] for check in readiness["checks"] if check["outcome"] == "fail"]
    assert (failed, readiness["decision"]) == (["numbers"], "not ready")


def test_a_run_that_fails_is_kept_and_counted(other: DemoRun) -> None:
    with other.file("results/runs.csv").open() as stream:
        failed = [row for row in csv.DictReader(stream) if row["status"] != "ok"]
    assert [(row["arm"], row["seed"]) for row in failed] == [("constant", "3"), ("warmup", "3")]
    assert "constant-3, warmup-3 failed" in " ".join(paper(other).split())
    assert "2 failed" in other.text("05")


def test_without_latex_the_paper_says_what_to_install(finished: DemoRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(finished.root / "drafts"))
    result = finished.call("07", 2)
    assert result.outcome is Outcome.CONFIG
    assert "neither latexmk nor tectonic" in result.reason and "apt install" in result.reason


def test_no_template_leaves_a_mark_behind(finished: DemoRun) -> None:
    texts = {path: content for path, content in finished.content().items() if path.endswith((".md", ".tex"))}
    assert [path for path, content in texts.items() if re.search(rb"@[A-Z_]{3,}@", content)] == []
