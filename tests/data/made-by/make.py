"""Makes runs and projects with the code of this checkout, for the test that a later version goes on with them.

    .venv/bin/python tests/data/made-by/make.py COMMIT          makes tests/data/made-by/COMMIT/ with the code of COMMIT
    .venv/bin/python tests/data/made-by/make.py COMMIT stale    makes only what is named, and keeps the rest

What `expected.yaml` says of each was read off `flagstone status`: read it before you commit it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from runs import RUNS
from workplace import CHECKOUT, COPIED, Workplace, flagstone_project, pack, unpack

from projects import PROJECTS

HERE = Path(__file__).resolve().parent
CODE = (*COPIED, "src")
NEUTRAL = Path("/tmp/made")
HEAD = """# What each fixture is, what it was called by the code that made it, and how it goes on. Written by make.py.
# A stage that is not listed is "not yet". `contract`: what the contract calls it instead.
"""


def main(commit: str, *names: str) -> None:
    refuse_other_code(commit)
    made, kept = NEUTRAL / commit, HERE / commit
    shutil.rmtree(made, ignore_errors=True)
    make_runs(made / "study", kept / "runs", names)
    make_projects(made / "projects", kept / "projects", names)
    expected = {"runs": expected_runs(made / "again", kept), "projects": expected_projects(made / "again", kept)}
    (kept / "expected.yaml").write_text(HEAD + yaml.safe_dump(expected, sort_keys=False, width=110))


def refuse_other_code(commit: str) -> None:
    """What lies here must be what the commit holds: the fixtures bear its name."""
    changed = git("diff", "--name-only", commit, "--", *CODE) + git("ls-files", "-o", "--exclude-standard", *CODE)
    if changed:
        raise SystemExit(f"this is not the code of {commit}:\n{changed}")


def git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout


def make_runs(root: Path, kept: Path, names: tuple[str, ...]) -> None:
    place = flagstone_project(root)
    for name, recipe in RUNS.items():
        if name in names or not names:
            recipe.make(place, name)
            pack(root / "runs" / name, kept / f"{name}.tar.gz")


def make_projects(root: Path, kept: Path, names: tuple[str, ...]) -> None:
    for name, recipe in PROJECTS.items():
        if name in names or not names:
            recipe.make(Workplace(root / name))
            pack(root / name, kept / f"{name}.tar.gz")


def expected_runs(root: Path, kept: Path) -> dict[str, Any]:
    """How each stands when it was unpacked elsewhere, as `flagstone status` says, and how it goes on."""
    place = flagstone_project(root)
    for name in RUNS:
        unpack(kept / "runs" / f"{name}.tar.gz", root / "runs")
    rows = {row["name"]: row for row in json.loads(place.flagstone("status", "--json"))}
    return {
        name: {
            **recipe.expected(),
            "state": rows[name]["state"],
            "stages": {stage["nr"]: stage["state"] for stage in rows[name]["stages"] if stage["state"] != "not yet"},
        }
        for name, recipe in RUNS.items()
    }


def expected_projects(root: Path, kept: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, recipe in PROJECTS.items():
        unpack(kept / "projects" / f"{name}.tar.gz", root / "projects")
        place = Workplace(root / "projects" / name)
        rows = {each: vars(goes_on) | standing(place, each) for each, goes_on in recipe.experiments.items()}
        found[name] = {"about": recipe.about, "experiments": rows}
    return found


def standing(place: Workplace, name: str) -> dict[str, Any]:
    """The verdicts so far and the best run, as they are told."""
    status = json.loads(place.experiment("status", name, "--json"))
    ledger = place.root / ".flagstone" / "experiments" / name / "ledger.jsonl"
    verdicts = [json.loads(line)["verdict"] for line in ledger.read_text().splitlines()]
    return {"verdicts": verdicts, "best": status["best_run_id"], "ended_by": status["ended_by"]}


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
