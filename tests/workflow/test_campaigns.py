"""A campaign from its question to its summary, on real Snakemake, with an agent that plays every role by script."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from workbench import Place, Said, Study

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
    table = {"*": {"*": "instant"}, "03": {"*": "instant-of 07"}, "campaign": ideas, **script}
    path = place.script(table)
    said = place.flagstone(
        *("campaign", "new", "t", "--goal", "Is the loss lower?", "--project", str(project(place.root / "nano"))),
        *("--mutable", "train.py", "--metric", "val_loss", "--minimum-effect", "0.1", "--agent", "scripted"),
        *("--smoke", "python train.py 1", "--set", f"scripted.script={path}", "--set", "sandbox=off", *words),
        *("--", "python", "train.py", "{seed}"),
    )
    assert said.code == 0, said.text
    return place.study()


def outcomes(study: Study) -> dict[str, str]:
    verdict = json.loads((study.root / "trials" / "t" / "verdict.json").read_bytes())
    return {idea["title"]: idea["outcome"] for idea in verdict["ideas"]}


def campaign(place: Place, *words: str) -> Said:
    return place.flagstone("campaign", *words)


def test_a_campaign_ends_with_a_summary_and_its_documents(place: Place) -> None:
    study = begin(place, IDEAS)
    said = place.snakemake()
    assert said.code == 0, said.text
    found = outcomes(study)
    assert found["Worse"] == "DROPPED AT SCREEN"
    assert found["Nothing"] == "FAILED CHECK"
    assert "Campaign t: " in said.text
    summary = (study.root / "summary.md").read_text()
    assert "Question: Is the loss lower?" in summary
    docs = study.files.workspace / "notes" / "docs"
    names = sorted(path.relative_to(docs).as_posix() for path in docs.rglob("*") if path.is_file())
    assert "papers/paper.pdf" in names
    assert "papers/paper.tex" in names
    assert "research/idea_log.md" in names
    assert "research/baseline_variance_t.md" in names
    assert "research/experiment_idea_2_1.md" in names
    log = (docs / "research" / "idea_log.md").read_text()
    assert all(f"Lesson of idea {number}." in log for number in (1, 2, 3))
    assert "DROPPED AT SCREEN" in log


def test_the_project_is_copied_with_its_uncommitted_edit_and_never_written(place: Place) -> None:
    study = begin(place, IDEAS)
    before = sorted(path.name for path in (place.root / "nano").iterdir())
    copy = study.files.workspace / "code" / "project"
    assert (copy / "train.py").read_text() == TRAIN
    assert not (copy / "secret.txt").exists()
    assert place.snakemake().code == 0
    assert (place.root / "nano" / "train.py").read_text() == TRAIN
    assert sorted(path.name for path in (place.root / "nano").iterdir()) == before
    assert campaign(place, "report", "t", "--export-to", str(place.root / "nano")).code == 0
    assert (place.root / "nano" / "docs" / "papers" / "paper.pdf").is_file()
