"""Sources of a project are real files of each run; only data and what is too large is seen through links."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from laboratory import Edits, Laboratory, set_x, whole

from flagstone.experiments.candidates import project
from flagstone.experiments.candidates.git import repository

IMPORTING = "import pkg.model\nX = 1.0\nprint('from', pkg.model.__file__)\nprint('val_loss:', (X - 3) ** 2)\n"
FILES = {
    "train.py": IMPORTING,
    "pkg/model.py": "Y = 1\n",
    "pkg/weights.bin": "data",
    "configs/a.yaml": "lr: 1\n",
    "data/x.bin": "data",
    ".gitignore": "ignored/\n",
    "ignored/old.py": "old\n",
    ".venv/lib/site.py": "env\n",
}


@pytest.fixture
def sources(laboratory: Laboratory) -> Laboratory:
    laboratory.files = FILES
    return laboratory.make(harness={"argv": [sys.executable, "train.py"], "seconds": 30})


def tree(laboratory: Laboratory) -> Path:
    return laboratory.home.root / "trees" / "0"


def test_what_a_program_imports_is_a_file_of_the_run_and_data_is_a_link(sources: Laboratory) -> None:
    sources.run(Edits({}), limit=1)
    found = tree(sources)
    for path in ("train.py", "pkg/model.py", "configs/a.yaml"):
        assert not (found / path).is_symlink() and (found / path).read_text() == FILES[path]
    links = {path for path in ("pkg/weights.bin", "data", "ignored", ".venv") if (found / path).is_symlink()}
    assert links == {"pkg/weights.bin", "data", "ignored", ".venv"}
    assert f"from {found}/pkg/model.py" in sources.home.run("r0001").log.read_text()


def test_a_source_that_may_not_change_is_a_violation_if_it_does(sources: Laboratory) -> None:
    def edit(draft: Path) -> str:
        (draft / "pkg" / "model.py").write_text("Y = 2\n")
        return "another module"

    sources.run(Edits({2: edit}), limit=2)
    assert sources.words()[-1] == ("r0002", "violation", "invalid")
    assert (sources.project / "pkg" / "model.py").read_text() == "Y = 1\n"
    assert (sources.home.run("r0002").draft / "pkg" / "model.py").read_text() == "Y = 2\n"


def test_a_run_that_writes_into_its_sources_is_named_and_the_next_finds_them_as_they_were(sources: Laboratory) -> None:
    evil = IMPORTING + "open('pkg/model.py', 'w').write('Y = 9')\nimport os\nos.remove('configs/a.yaml')\n"
    sources.run(Edits({2: whole(evil), 3: set_x(2.0)}), limit=3)
    assert [words for words in sources.said if "wrote into" in words] == [
        "r0002 wrote into its sources: configs/a.yaml, pkg/model.py"
    ]
    assert (tree(sources) / "pkg" / "model.py").read_text() == "Y = 1\n"
    assert (sources.project / "pkg" / "model.py").read_text() == "Y = 1\n"


def test_no_run_is_blamed_for_what_was_laid_out_by_another_process(sources: Laboratory) -> None:
    edits = Edits({number: set_x(float(number)) for number in range(2, 8)})
    for _ in range(3):  # each call loads what it knows of the folder, as a block of runs does
        sources.run(edits, limit=2)
    assert [words for words in sources.said if "wrote into" in words] == []


def test_a_folder_of_much_data_with_a_few_settings_in_it_stays_one_link(
    sources: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project, "MOST_LINKS", 5)
    for number in range(10):
        (sources.project / "data" / f"{number}.png").write_text("x")
    (sources.project / "data" / "meta.json").write_text("{}")
    sources.run(Edits({}), limit=1)
    assert (tree(sources) / "data").is_symlink()


def test_a_finished_run_leaves_its_edited_files_its_log_and_its_result(sources: Laboratory) -> None:
    edits = {number: set_x(float(number)) for number in range(2, 8)}
    sources.run(Edits(edits), limit=7)
    run = sources.home.run("r0004")
    assert sorted(os.listdir(run.root)) == ["result.json", "run.log", "train.py"]
    assert "X = 4.0" in (run.root / "train.py").read_text()
    blocks = sum(os.lstat(path).st_blocks * 512 for path in (run.root, run.result, run.log))
    assert blocks <= 16 * 1024


def test_a_project_without_git_has_real_files_for_what_may_change(
    sources: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "run_quietly", lambda *_, **__: (127, b"", b"cannot start git"))
    sources.run(Edits({2: set_x(2.0)}), limit=2)
    assert sources.words()[-1] == ("r0002", "ok", "advance")
    assert not (tree(sources) / "train.py").is_symlink() and (tree(sources) / "pkg").is_symlink()


WRITING = """import json, os
X = 1.0
os.makedirs("results", exist_ok=True)
print("found", os.listdir("results"))
json.dump({"val_loss": (X - 3) ** 2}, open("results/m.json", "w"))
"""


@pytest.fixture
def earlier(laboratory: Laboratory) -> Laboratory:
    """A project with the result of an earlier run among its files, which looks like a source."""
    laboratory.files = {"train.py": WRITING, "results/m.json": '{"val_loss": 0.0001}'}
    return laboratory


@pytest.mark.parametrize("trick", ["os.utime('results/m.json')", "open('results/m.json', 'a')", "pass"])
def test_a_result_of_an_earlier_run_is_no_number_of_a_run_that_touches_it(earlier: Laboratory, trick: str) -> None:
    earlier.make(metric={"name": "val_loss", "direction": "min"})
    earlier.run(Edits({2: whole(f"import os\n{trick}\n")}), limit=2)
    assert [(each.status, each.value) for each in earlier.entries()] == [("ok", 4.0), ("invalid", None)]


def test_a_touched_result_of_an_earlier_run_is_named_with_its_cure(earlier: Laboratory) -> None:
    earlier.make(metric={"name": "val_loss", "direction": "min"})
    earlier.run(Edits({2: whole("import os\nos.utime('results/m.json')\n")}), limit=2)
    reason = earlier.entries()[-1].reason
    assert "results/m.json has it, but holds what it held before the run" in reason and "subject.scratch" in reason


@pytest.mark.parametrize("kind", ["files", "git"])
@pytest.mark.parametrize("option", ["scratch", "path"])
def test_a_tracked_result_is_not_there_for_runs_that_write_it_anew(earlier: Laboratory, kind: str, option: str) -> None:
    subject = {"kind": kind, "mutable": ["train.py"], **({"scratch": ["results"]} if option == "scratch" else {})}
    named = {"backend": "json", "path": "results/m.json"} if option == "path" else {}
    earlier.make(subject=subject, metric={"name": "val_loss", "direction": "min", **named})
    (earlier.project / "results" / "m.json").write_text('{"val_loss": 4.0}')  # what the unedited files give
    for words in (["init", "-q"], ["add", "train.py", "results"], ["commit", "-qm", "one"]):
        subprocess.run(["git", "-c", "user.name=me", "-c", "user.email=me@x", *words], cwd=earlier.project, check=True)
    earlier.run(Edits({2: set_x(2.0)}), limit=2)
    assert [(each.status, each.value) for each in earlier.entries()] == [("ok", 4.0), ("ok", 1.0)]
    assert "found []" in earlier.home.run("r0002").log.read_text()
    assert "wrote into" not in "".join(earlier.said)


def test_a_run_whose_repeats_all_write_into_its_sources_is_named_once(earlier: Laboratory) -> None:
    seeded = WRITING.replace("(X - 3) ** 2}", "(X - 3) ** 2 + int(os.environ['SEED']) % 97 / 1000}")
    earlier.files = {**earlier.files, "train.py": seeded}
    earlier.make(metric={"name": "val_loss", "direction": "min"}, noise={"baseline_repeats": 4})
    earlier.run(Edits({}), limit=1)
    assert len(earlier.entries()[0].measurements) == 4
    assert [words for words in earlier.said if "wrote into" in words] == [
        "r0001 wrote into its sources: results/m.json"
    ]
