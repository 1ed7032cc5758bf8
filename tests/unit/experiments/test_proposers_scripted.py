"""Edits that were written beforehand: folders, patches, and Python files run in a process of their own."""

from __future__ import annotations

from pathlib import Path

import pytest
from entries import entry_of, made_up
from views import ROOT, draft_of, view_of

from flagstone.errors import FlagstoneError
from flagstone.experiments.proposers.protocol import Proposed, View
from flagstone.experiments.proposers.registry import proposer_for
from flagstone.experiments.proposers.scripted import ScriptedProposer

PATCH = """Set X to 2

diff --git a/train.py b/train.py
--- a/train.py
+++ b/train.py
@@ -1 +1 @@
-X = 1.0
+X = 2.0
"""


def proposed(tmp_path: Path, view: View | None = None, draft: Path | None = None) -> tuple[Proposed, Path]:
    draft = draft or draft_of(tmp_path)
    view = view or view_of(tmp_path, made_up(1))
    return ScriptedProposer("script").propose(view, draft, tmp_path / "agent"), draft


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_the_files_of_a_run_are_copied_over_the_draft_with_their_note(tmp_path: Path) -> None:
    write(tmp_path / "script/0002/train.py", "X = 7\n")
    write(tmp_path / "script/0002/conf/a.yaml", "a: 1\n")
    write(tmp_path / "script/0002/note.txt", "X\tto 7 🎉\n")
    said, draft = proposed(tmp_path)
    assert said == Proposed(note="X\tto 7 🎉")
    assert (draft / "train.py").read_text() == "X = 7\n"
    assert (draft / "conf/a.yaml").read_text() == "a: 1\n"
    assert not (draft / "note.txt").exists()


def test_a_copied_file_keeps_the_mode_that_the_draft_has(tmp_path: Path) -> None:
    draft = draft_of(tmp_path)
    (draft / "train.py").chmod(0o755)
    write(tmp_path / "script/0002/train.py", "X = 7\n")
    proposed(tmp_path, draft=draft)
    assert (draft / "train.py").stat().st_mode & 0o777 == 0o755


def test_no_link_of_the_draft_is_written_through(tmp_path: Path) -> None:
    write(tmp_path / "script/0002/prepare.py", "OFFSET = -100\n")
    write(tmp_path / "script/0002/data/x.csv", "1\n")
    _, draft = proposed(tmp_path)
    assert (draft / "prepare.py").read_text() == "OFFSET = -100\n"
    assert (draft / "data/x.csv").read_text() == "1\n"
    assert (tmp_path / "host/prepare.py").read_text() == "OFFSET = 0.5\n"
    assert list((tmp_path / "host/data").iterdir()) == []


def test_a_patch_is_applied_and_what_stands_before_it_is_its_note(tmp_path: Path) -> None:
    write(tmp_path / "script/0002.patch", PATCH)
    said, draft = proposed(tmp_path)
    assert said == Proposed(note="Set X to 2")
    assert (draft / "train.py").read_text() == "X = 2.0\n"


def test_a_patch_is_applied_within_a_repository_too(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    write(tmp_path / ".git/HEAD", "ref: refs/heads/main\n")
    (tmp_path / ".git/objects").mkdir()
    (tmp_path / ".git/refs").mkdir()
    write(tmp_path / "script/0002.patch", PATCH)
    _, draft = proposed(tmp_path)
    assert (draft / "train.py").read_text() == "X = 2.0\n"


def test_a_patch_that_does_not_apply_is_a_failure_that_ends_nothing(tmp_path: Path) -> None:
    write(tmp_path / "script/0002.patch", PATCH.replace("-X = 1.0", "-X = 9.0"))
    said, draft = proposed(tmp_path)
    assert said.failure.startswith("0002.patch does not apply: ")
    assert not said.is_fatal
    assert (draft / "train.py").read_text() == "X = 1.0\n"


def test_a_patch_of_what_stands_behind_a_link_changes_nothing(tmp_path: Path) -> None:
    patch = PATCH.replace("train.py", "prepare.py").replace("X = 1.0", "OFFSET = 0.5").replace("X = 2.0", "OFFSET = -9")
    write(tmp_path / "script/0002.patch", patch)
    said, _ = proposed(tmp_path)
    assert said.failure
    assert (tmp_path / "host/prepare.py").read_text() == "OFFSET = 0.5\n"


def test_a_script_without_an_edit_for_the_run_is_at_its_end(tmp_path: Path) -> None:
    write(tmp_path / "script/0003/train.py", "X = 7\n")
    said, _ = proposed(tmp_path)
    assert said.facts == {"exhausted": True}
    assert said.failure == "the script has no edit for run 2"


def test_a_missing_script_is_named(tmp_path: Path) -> None:
    with pytest.raises(FlagstoneError, match=r"there is no script .*script"):
        proposed(tmp_path)


def test_a_spec_without_a_script_is_refused_before_anything_runs(tmp_path: Path) -> None:
    spec = view_of(tmp_path, proposer="scripted").spec
    with pytest.raises(FlagstoneError, match="needs a script"):
        proposer_for(spec, ROOT / "prompts")


def test_an_experiment_without_a_proposer_says_how_to_go_on(tmp_path: Path) -> None:
    with pytest.raises(FlagstoneError, match="has no proposer") as raised:
        proposer_for(view_of(tmp_path, proposer="none").spec, ROOT / "prompts")
    assert "flagstone experiment step" in raised.value.hint


def test_a_program_sees_the_view_and_edits_the_draft(tmp_path: Path) -> None:
    write(
        tmp_path / "script",
        "import pathlib\n"
        "def propose(view, draft):\n"
        "    last = view['entries'][-1]\n"
        "    pathlib.Path(draft, 'train.py').write_text(f\"X = {view['number']}\\n\")\n"
        "    print('chatter')\n"
        "    return f\"{last['run_id']} {last['verdict']} {view['best']['value']} {len(view['entries'])}\"\n",
    )
    entries = made_up(120)
    view = view_of(tmp_path, entries)
    said, draft = proposed(tmp_path, view)
    assert view.best
    assert said == Proposed(note=f"r0120 {entries[-1].verdict} {view.best.value} 50")
    assert (draft / "train.py").read_text() == "X = 121\n"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("raise ValueError('no idea')", "script failed: ValueError: no idea"),
        ("return 7", "answered int"),
        ("import os; os._exit(3)", "exit code 3"),
    ],
)
def test_a_program_that_fails_has_made_no_edit_and_says_why(tmp_path: Path, body: str, why: str) -> None:
    write(tmp_path / "script", f"def propose(view, draft):\n    {body}\n")
    said, _ = proposed(tmp_path)
    assert why in said.failure or "is empty" in said.failure
    assert not said.is_fatal


def test_a_program_without_propose_says_so(tmp_path: Path) -> None:
    write(tmp_path / "script", "x = 1\n")
    said, _ = proposed(tmp_path)
    assert "has no function propose(view, draft)" in said.failure


def test_a_program_that_answers_none_is_at_its_end(tmp_path: Path) -> None:
    write(tmp_path / "script", "def propose(view, draft):\n    return None\n")
    said, _ = proposed(tmp_path)
    assert said.facts == {"exhausted": True}


def test_a_program_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    write(tmp_path / "script", "import time\ndef propose(view, draft):\n    time.sleep(60)\n")
    view = view_of(tmp_path, [entry_of(1, "advance")], agent={"wall_s": 0.2})
    said, _ = proposed(tmp_path, view)
    assert "wall limit" in said.failure


def test_a_program_can_write_to_the_draft_only(tmp_path: Path) -> None:
    from flagstone.agents.sandbox import strength

    if not strength().landlock_abi and not strength().has_bubblewrap:
        pytest.skip("nothing here keeps a process from writing")
    write(
        tmp_path / "script",
        "import pathlib\n"
        "def propose(view, draft):\n"
        f"    for path in ({str(tmp_path / 'elsewhere')!r}, draft + '/prepare.py', draft + '/data/x'):\n"
        "        try:\n"
        "            pathlib.Path(path).write_text('x')\n"
        "        except OSError:\n"
        "            continue\n"
        "        return path\n"
        "    return 'held'\n",
    )
    said, _ = proposed(tmp_path)
    assert said.note == "held"
    assert (tmp_path / "host/prepare.py").read_text() == "OFFSET = 0.5\n"


def test_a_program_does_not_see_the_keys_of_agents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "not-a-real-key")
    write(
        tmp_path / "script",
        "import os\ndef propose(view, draft):\n    return str(os.environ.get('ANTHROPIC_API_KEY'))\n",
    )
    assert proposed(tmp_path)[0].note == "None"
