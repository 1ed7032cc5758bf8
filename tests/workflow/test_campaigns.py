"""A campaign from its question to its summary, on real Snakemake, with an agent that plays every role by script."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from workbench import PROGRAMS, RECORDS, Place, Said, Study, prepared_once, wait_until

TRAIN = """import sys
seed = int(sys.argv[1])
gain = 0.0
print(f"val_loss: {1 + (seed * 7919 % 101) / 1000 - gain:.6f}")
"""
WORKS = [["gain = 0.0", 'gain = 0.5 + seed * 31 % 7 / 1000 if "--works" in sys.argv else 0.0']]
WORSE = [["gain = 0.0", 'gain = -0.2 if "--worse" in sys.argv else 0.0']]
NOTHING = [["gain = 0.0", 'gain = 0.0 if "--nothing" in sys.argv else 0.0']]
IDEAS: dict[Any, Any] = {
    1: {"title": "Worse", "switch": ["--worse"], "edits": {"train.py": WORSE}},
    2: {"title": "Works", "switch": ["--works"], "edits": {"train.py": WORKS}},
    3: {"title": "Nothing", "switch": ["--nothing"], "edits": {"train.py": NOTHING}},
}
FAILING: dict[Any, Any] = {1: IDEAS[1], 2: IDEAS[3], 3: {"choice": 0}}


def project(folder: Path) -> Path:
    """A project in a git repository, with an uncommitted edit."""
    folder.mkdir()
    (folder / "train.py").write_text("# an old version\n")
    (folder / "README.md").write_text("Train with: python train.py SEED\n")
    git = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *words], check=True)
    (folder / "train.py").write_text(TRAIN)
    (folder / "secret.txt").write_text("not committed\n")
    return folder


def begin(place: Place, ideas: dict[Any, Any], *words: str, **script: Any) -> Study:
    table = {"*": {"*": "instant"}, "03": {"*": "instant-of campaign"}, "campaign": ideas, **script}
    path = place.script(table)
    said = place.flagstone(
        *("campaign", "new", "t", "--goal", "Is the loss lower?", "--project", str(project(place.root / "nano"))),
        *("--mutable", "train.py", "--metric", "val_loss", "--minimum-effect", "0.1", "--agent", "scripted"),
        *("--smoke", "python train.py 1", "--set", f"scripted.script={path}", "--set", "sandbox=off"),
        *("--set", f"citations.records={RECORDS}", *words),
        *("--", "python", "train.py", "{seed}"),
    )
    assert said.code == 0, said.text
    return place.study()


def outcomes(study: Study) -> dict[str, str]:
    verdict = json.loads((study.root / "trials" / "t" / "verdict.json").read_bytes())
    return {idea["title"]: idea["outcome"] for idea in verdict["ideas"]}


def place_of(study: Study) -> Place:
    return Place(study.root.parents[1])


def campaign(place: Place, *words: str) -> Said:
    return place.flagstone("campaign", *words)


@pytest.fixture(scope="session")
def ended(workshop: Path) -> Study:
    """A campaign that has ended. Its tests only look at it."""

    def build(place: Place) -> None:
        begin(place, IDEAS)
        said = place.snakemake()
        assert said.code == 0, said.text
        (place.root / "said.txt").write_text(said.text)

    return prepared_once(workshop / "campaign", build)


def test_a_campaign_ends_with_a_summary_and_its_documents(ended: Study) -> None:
    study, place = ended, place_of(ended)
    found = outcomes(study)
    assert found["Worse"] == "DROPPED AT SCREEN"
    assert found["Nothing"] == "FAILED CHECK"
    said = (place.root / "said.txt").read_text()
    assert "Campaign t: " in said
    assert "Paper: runs/t/workspace/notes/docs/papers/paper.pdf" in said
    summary = (study.root / "summary.md").read_text()
    assert "Question: Is the loss lower?" in summary
    docs = study.files.workspace / "notes" / "docs"
    names = sorted(path.relative_to(docs).as_posix() for path in docs.rglob("*") if path.is_file())
    assert "papers/paper.pdf" in names
    assert "papers/paper.tex" in names
    assert "research/idea_log.md" in names
    assert "research/baseline_variance_t.md" in names
    assert "research/experiment_idea_2_1.md" in names
    assert "## idea2: Works" in (docs / "research" / "experiment_idea_2_1.md").read_text()
    assert (study.root / "archive" / "ideas" / "idea2" / "draft" / "train.py").is_file()
    lines = [json.loads(line) for line in (study.root / "trials" / "t" / "ledger.jsonl").read_text().splitlines()]
    made = [f"{line['arm']}-{line['slot']}" for line in lines if line["kind"] == "run"]
    assert all((study.root / "trials" / "t" / "runs" / name).is_dir() for name in made)
    log = (docs / "research" / "idea_log.md").read_text()
    assert all(f"Lesson of idea {number}." in log for number in (1, 2, 3))
    assert "DROPPED AT SCREEN" in log
    assert place.flagstone("trials", "verify", "t", "--run", "t").code == 0


def test_the_project_is_copied_with_its_uncommitted_edit_and_never_written(ended: Study, tmp_path: Path) -> None:
    place = place_of(ended)
    copy = ended.files.workspace / "code" / "project"
    assert (copy / "train.py").read_text() == TRAIN
    assert not (copy / "secret.txt").exists()
    assert (place.root / "nano" / "train.py").read_text() == TRAIN
    assert {path.name for path in (place.root / "nano").iterdir()} == {".git", "README.md", "secret.txt", "train.py"}
    assert campaign(place, "report", "t", "--export-to", str(tmp_path)).code == 0
    assert (tmp_path / "docs" / "papers" / "paper.pdf").is_file()


def test_a_campaign_that_finds_nothing_is_a_result(place: Place) -> None:
    study = begin(place, FAILING)
    said = place.flagstone("run", "t")
    assert said.code == 0, said.text
    assert "# Campaign t: NOTHING FOUND" in said.text
    summary = (study.root / "summary.md").read_text()
    assert "Worse, DROPPED AT SCREEN: Lesson of idea 1." in summary
    assert "the reviewer took none of the three ideas" in summary
    assert "Effect:" not in summary
    assert summary.count("\n- Nothing, ") == 1  # one line an idea, repaired or not
    status = json.loads(campaign(place, "status", "t", "--json").text)
    assert status["outcome"] == "NOTHING FOUND"
    assert status["stage"] is None


@pytest.mark.parametrize("moment", ["ideas/idea2/implementer/01", "looks/002.json"])
def test_after_a_kill_nobody_is_asked_again_and_no_run_is_made_again(place: Place, moment: str) -> None:
    study = begin(place, IDEAS)
    trial = study.root / "trials" / "t"
    process = place.start_snakemake()
    wait_until((trial / moment).exists, moment)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    before = {
        path: path.stat().st_mtime_ns for path in [*trial.glob("records/*"), *trial.glob("ideas/*/*/*/answer.json")]
    }
    said = place.snakemake()
    assert said.code == 0, said.text
    assert {path: path.stat().st_mtime_ns for path in before} == before
    asked = [path.read_text() for path in trial.glob("ideas/*/*/*/prompt.md")]
    assert len(asked) - len(set(asked)) <= 1  # the call that was killed, if one was
    lines = [json.loads(line) for line in (trial / "ledger.jsonl").read_text().splitlines()]
    runs = [(line["arm"], line["slot"]) for line in lines if line["kind"] == "run"]
    assert len(runs) == len(set(runs))
    assert outcomes(study)["Worse"] == "DROPPED AT SCREEN"


def test_a_failed_smoke_test_says_what_to_cure(place: Place) -> None:
    begin(place, IDEAS, "--smoke", "python -c 'import missing_package'")
    said = place.flagstone("run", "t")
    assert said.code == 2
    assert "make the smoke test work" in said.text
    assert "missing_package" in said.text


def test_an_effect_that_could_hardly_be_found_ends_the_set_up(place: Place) -> None:
    begin(place, IDEAS, "--minimum-effect", "0.1 sd")
    said = place.flagstone("run", "t")
    assert said.code == 2
    assert "0.1 sd" in said.text


def test_a_used_up_budget_stops_a_campaign_and_a_larger_one_lets_it_go_on(place: Place) -> None:
    study = begin(place, IDEAS, "--set", "budget.agent_calls=6")
    said = place.flagstone("run", "t")
    assert said.code == 3
    assert "the budget of run t is used up" in said.text
    assert json.loads(campaign(place, "status", "t", "--json").text)["outcome"] == "STOPPED"
    study.set(budget={})
    assert place.flagstone("run", "t").code == 0
    log = (study.files.workspace / "notes" / "idea_log.md").read_text()
    assert "NOT TRIED: the budget of run t is used up" in log


def test_a_paper_about_nothing_may_not_claim_an_effect(place: Place) -> None:
    boast = ["instant-of campaign", "write workspace/writing/abstract.tex It works significantly better."]
    modest = ["instant-of campaign", "write workspace/writing/abstract.tex It did not help."]
    study = begin(place, {1: {"choice": 0}}, "--ideas", "1", **{"03": {1: boast, "*": modest}})
    assert place.snakemake().code == 0
    checks = json.loads((study.files.drafts("03") / "001" / "checks.json").read_bytes())["checks"]
    failed = [check for check in checks if check["status"] == "failed"]
    assert [check["rule"] for check in failed] == ["paper-lint"]
    assert "abstract.tex:1: “significantly” claims something" in failed[0]["message"]
    assert study.summary("03").is_file()


def test_a_person_may_decide_about_one_stage(place: Place) -> None:
    study = begin(place, {1: {"choice": 0}}, "--ideas", "1", "--set", "approval.03=person")
    assert place.snakemake().code == 0
    assert study.summary("03").is_file()
    assert not study.summary("04").exists()
    said = campaign(place, "status", "t").text
    assert "stage 03 paper: waits for you" in said and "next: flagstone review 03 --run t" in said
    assert "flagstone campaign status t" in campaign(place, "report", "t").text
    study.touch("03")
    assert place.snakemake().code == 0
    assert study.summary("04").is_file()


def test_an_idea_whose_switch_does_nothing_is_repaired_and_measured(place: Place) -> None:
    lazy = {**IDEAS[3], "title": "Repaired", "repairs": {"train.py": [["gain = 0.0 if", "gain = 0.5 if"]]}}
    study = begin(place, {1: lazy}, "--ideas", "1")
    assert place.snakemake().code == 0
    verdict = json.loads((study.root / "trials" / "t" / "verdict.json").read_bytes())
    assert [idea["outcome"] for idea in verdict["ideas"] if idea["arm"] == "idea1"] == ["FAILED CHECK"]
    assert verdict["arm"] == "idea1r"
    assert (study.files.workspace / "notes/docs/research/experiment_idea_1_1_repaired.md").is_file()
    assert place.flagstone("trials", "verify", "t", "--run", "t").code == 0


def test_three_seeds_decide_where_a_person_asks_for_that(place: Place) -> None:
    study = begin(place, IDEAS, "--gate", "cohens_d")
    said = place.snakemake()
    assert said.code == 0, said.text
    assert outcomes(study)["Works"] == "PROCEED"
    assert "# Campaign t: PROCEED" in said.text
    patch = study.files.workspace / "notes" / "docs" / "research" / "idea.patch"
    subprocess.run(["git", "-C", str(place.root / "nano"), "apply", str(patch)], check=True)
    assert "--works" in (place.root / "nano" / "train.py").read_text()
    assert place.flagstone("trials", "verify", "t", "--run", "t").code == 0


def test_another_run_is_no_campaign(fresh: Study, place: Place) -> None:
    said = campaign(place, "status", "t")
    assert said.code == 2
    assert "run t is no campaign" in said.text


def test_repin_keeps_the_stages_of_a_campaign(place: Place) -> None:
    study = begin(place, IDEAS)
    assert place.flagstone("repin", "--run", "t").code == 0
    assert [stage.name for stage in study.opened.table] == ["setup", "discovery", "paper", "completion"]


@pytest.mark.parametrize(("answer", "is_allowed"), [(b"\n", False), (b"y\n", True)])
def test_a_person_is_shown_the_hosts_and_asked_about_the_network(place: Place, answer: bytes, is_allowed: bool) -> None:
    folder = project(place.root / "nano")
    (folder / "requirements.txt").write_text("thing @ git+https://code.example.org/thing\n")
    words = [str(PROGRAMS / "flagstone"), "campaign", "new", "t", "--goal", "g", "--project", str(folder)]
    screen, terminal = os.openpty()
    with subprocess.Popen(words, cwd=place.root, stdin=terminal, stdout=terminal, stderr=terminal) as process:
        os.close(terminal)
        os.write(screen, answer)
        shown = everything_from(screen)
        assert process.wait(60) == 0, shown
    assert "code.example.org           requirements.txt:1" in shown
    assert "May the runs use the network? [y/N]" in shown
    assert yaml.safe_load((place.root / "runs" / "t" / "run.yaml").read_text())["network"] is is_allowed


def test_without_a_terminal_runs_have_no_network_unless_the_option_says_so(place: Place) -> None:
    study = begin(place, IDEAS)
    assert yaml.safe_load((study.root / "run.yaml").read_text())["network"] is False
    said = campaign(place, "new", "open", "--goal", "g", "--project", str(place.root / "nano"), "--network")
    assert "the set-up of the project names no host" in said.text
    assert yaml.safe_load((place.root / "runs" / "open" / "run.yaml").read_text())["network"] is True


def everything_from(screen: int) -> str:
    """What a program wrote to its terminal until it ended."""
    parts: list[bytes] = []
    with suppress(OSError):  # the terminal is gone
        while part := os.read(screen, 4096):
            parts.append(part)
    return b"".join(parts).decode()
