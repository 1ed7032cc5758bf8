"""Any coding CLI builds a stage by a template: a small one of our own, through real Snakemake."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from workbench import Place, Study

from flagstone.agents.sandbox import strength

# what a coding CLI does, in a few lines: names its conversation, remembers what it was told, writes, answers
CLI = """
import json, os, pathlib, sys, uuid
draft, resumed = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
own = pathlib.Path(os.environ["HOME"], ".smallcli")
session = resumed or str(uuid.uuid4())
prompt = sys.stdin.read()
memory = own / session
before = memory.read_text().splitlines() if resumed else []
memory.write_text("\\n".join([*before, str(len(prompt))]))
def tell(**event): print(json.dumps(event), flush=True)
tell(type="start", id=session)
pathlib.Path("workspace/notes").mkdir(exist_ok=True)
words = "Narrowed." if "NARROWER" in prompt else "To look at what is known."
pathlib.Path("workspace/notes/note.md").write_text(words)
pathlib.Path("workspace/literature").mkdir(exist_ok=True)
pathlib.Path("workspace/literature/nearest_work.csv").write_text(NEAREST)
asked = {"sources": [{"key": "none", "title": "None"}]}
pathlib.Path("workspace/literature/sources.json").write_text(json.dumps(asked))
try: pathlib.Path("approved/01.flag").touch(); tell(type="escaped")
except OSError: tell(type="kept")
pathlib.Path(draft).write_text(SUMMARY.replace("WORDS", words + f" Turn {len(before) + 1}."))
tell(type="answer", text="did it", cost=0.5)
"""
NEAREST = "source_key,did,setting,showed,left_open\nnone,nothing,none,nothing,everything\n"
SUMMARY = """# Stage 01: Literature Survey

## Objective

WORDS

## Previously Approved Stage Summaries

None.

## What I Did

Wrote one file.

## Key Results

One note.

## Files Produced

- `workspace/notes/note.md` - the note
- `workspace/literature/nearest_work.csv` - the nearest work
- `workspace/literature/sources.json` - the works that may be cited

## Suggestions for Refinement

1. Say more.
2. Say less.
3. Say it otherwise.

## Your Options

1. Use suggestion 1
2. Use suggestion 2
3. Use suggestion 3
4. Refine with your own feedback
5. Approve and continue
6. Abort
"""


@pytest.fixture
def study(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    home = tmp_path / "home"
    (home / ".smallcli").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    program = place.root / "smallcli.py"
    program.write_text(f"NEAREST = {NEAREST!r}\nSUMMARY = {SUMMARY!r}\n{CLI}")
    study = place.new("t")
    argv = [sys.executable, str(program), "{draft}"]
    template = {"session": "id", "text": "text", "cost_usd": "cost", "state": ["~/.smallcli"]}
    study.set(agent="command", command={**template, "argv": argv, "resume_argv": [*argv, "{session}"]})
    return study


def test_a_stage_is_built_and_refined_in_one_conversation_of_another_cli(place: Place, study: Study) -> None:
    said = place.snakemake()
    assert said.code == 0, said.text
    assert "To look at what is known. Turn 1." in study.summary("01").read_text()
    study.ask("01", "NARROWER, please.\n")
    assert place.snakemake().code == 0
    assert "Narrowed. Turn 2." in study.summary("01").read_text()
    assert list(Path.home().joinpath(".smallcli").iterdir()) == [], "what it remembers is in a copy of its folder"
    assert "$1.00" in place.flagstone("cost", "t").text


@pytest.mark.skipif(not strength().keeps_files, reason="nothing here keeps files")
def test_another_cli_cannot_approve_what_it_made_either(place: Place, study: Study) -> None:
    assert place.snakemake().code == 0
    assert "kept" in (study.files.drafts("01") / "001" / "events.log").read_text()
    assert not study.files.flag("01").exists()
    assert "waits for you" in place.flagstone("status", "t").text


def test_a_template_without_a_program_is_said_with_its_cure(place: Place, study: Study) -> None:
    study.set(command={"argv": ["no-such-cli", "-"]})
    said = place.snakemake()
    assert said.code == 1
    assert "there is no program no-such-cli on PATH" in said.text
    assert "correct command.argv in run.yaml" in said.text
