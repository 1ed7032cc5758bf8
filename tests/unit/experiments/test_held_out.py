"""What is held out: only the hidden check finds it, and a candidate that puts a file there is refused."""

from __future__ import annotations

from pathlib import Path

from laboratory import Edits, Laboratory, set_x

from flagstone.experiments.measuring.secrets import secret_paths

SEEN = "test -e kept/secret.py || test -e kept/data.bin"


def test_only_the_hidden_check_finds_what_is_held_out(laboratory: Laboratory) -> None:
    files = {"train.py": laboratory.files["train.py"], "prepare.py": "OFFSET = 0.5\n", "kept/secret.py": "KEY = 1\n"}
    laboratory.files = {**files, "kept/data.bin": "data"}
    drafts: list[bool] = []

    def look(draft: Path) -> str:
        drafts.append((draft / "kept" / "secret.py").exists() or (draft / "kept" / "data.bin").exists())
        return set_x(2.0)(draft) or ""

    laboratory.make(
        subject={"mutable": ["train.py"], "held_out": ["kept/**"]},
        harness={"argv": ["bash", "-c", f"if {SEEN}; then echo val_loss: 0; else python3 train.py; fi"]},
        guard={"argv": ["bash", "-c", f"! {{ {SEEN}; }}"]},
        hidden={"argv": ["bash", "-c", "test -e kept/secret.py && test -e kept/data.bin"]},
    )
    laboratory.run(Edits({2: look}), limit=2)
    assert [(each.value, each.verdict) for each in laboratory.entries()] == [(4.5, "advance"), (1.5, "advance")]
    assert drafts == [False]
    assert not (laboratory.home.working / "kept" / "secret.py").exists()


def test_a_candidate_that_adds_a_file_there_is_a_violation(laboratory: Laboratory) -> None:
    def add(draft: Path) -> str:
        (draft / "kept").mkdir(exist_ok=True)
        (draft / "kept" / "mine.py").write_text("KEY = 2\n")
        return set_x(2.0)(draft) or ""

    laboratory.files = {**laboratory.files, "kept/secret.py": "KEY = 1\n"}
    subject = {"mutable": ["**/*.py"], "entry": "train.py", "held_out": ["kept/**"]}
    laboratory.make(subject=subject, hidden={"argv": ["true"]}).run(Edits({2: add}), limit=2)
    entry = laboratory.entries()[1]
    assert entry.status == "violation" and "held out" in entry.reason


def test_what_the_hidden_check_found_is_in_no_file_of_the_run(laboratory: Laboratory) -> None:
    hidden = {"argv": ["bash", "-c", "echo 987123"], "extract": "cat", "threshold": 5}
    laboratory.make(hidden=hidden).run(Edits({2: set_x(2.0)}), limit=2)
    assert laboratory.entries()[1].tries_of("hidden")[0].value == 987123
    below = [path for path in (laboratory.home.root / "runs").rglob("*") if path.is_file()]
    assert below and not any(b"987123" in path.read_bytes() for path in below)


def test_copies_in_other_experiments_of_the_same_marker_are_kept_from_runs_too(laboratory: Laboratory) -> None:
    laboratory.files = {**laboratory.files, "kept/secret.py": "KEY = 1\n"}
    laboratory.make(subject={"mutable": ["train.py"], "held_out": ["kept/**"]}, hidden={"argv": ["true"]})
    other, spec = laboratory.home.root.with_name("another"), laboratory.open().spec
    for name in ("trees/hidden-0", "candidates.git", "hidden"):
        (other / name).mkdir(parents=True)
    alias = laboratory.home.root.with_name("finalizing-1-1")
    alias.mkdir()
    (alias / "candidates.git").symlink_to(other / "candidates.git")
    found = set(secret_paths(laboratory.home, spec))
    assert {other / "trees" / "hidden-0", other / "candidates.git", other / "hidden"} <= found
    assert {laboratory.home.candidates, laboratory.project / "kept"} <= found
    assert not any(path.is_symlink() for path in found)
