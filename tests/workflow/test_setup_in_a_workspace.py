"""In a workspace of several packages, the project is the member that holds the entry."""

from __future__ import annotations

import json
from pathlib import Path

from test_setup import TRAIN, in_terminal, project, setup, spec_of

MEMBER = "packages/one"
SEED = {"pyproject.toml": '[tool.uv.workspace]\nmembers = ["packages/*"]\n', f"{MEMBER}/model.py": "BEST = 0.3\n"}
SEED |= {f"packages/{name}/pyproject.toml": f"[project]\nname = '{name}'\nversion = '0'\n" for name in ("one", "two")}


def workspace(folder: Path, files: dict[str, str]) -> Path:
    return project(folder, SEED | files)


def test_the_member_with_the_entry_is_the_project(tmp_path: Path) -> None:
    root = workspace(tmp_path, {f"{MEMBER}/train.py": TRAIN})
    said = setup(root, "demo", "--yes")
    spec = spec_of(root / MEMBER)
    assert spec["subject"]["entry"] == "train.py" and not (root / ".flagstone").exists()
    assert said.splitlines()[-1].startswith(f"next: cd {root / MEMBER} && flagstone experiment ")


def test_what_the_workspace_says_of_the_command_is_kept(tmp_path: Path) -> None:
    readme = f"# Packages\n\n```sh\npython {MEMBER}/train.py --lr 0.2\n```\n"
    root = workspace(tmp_path, {f"{MEMBER}/train.py": TRAIN, "README.md": readme})
    said = setup(root, "demo", "--yes")
    assert "✓ 3 number     val_loss is 0.01" in said and "✓ 8 same" in said


def test_a_person_who_names_the_root_or_the_command_gets_the_workspace(tmp_path: Path) -> None:
    root = workspace(tmp_path, {f"{MEMBER}/train.py": TRAIN})
    setup(root, "demo", "--yes", "--no-check", "--root", ".")
    assert spec_of(root)["subject"]["entry"] == f"{MEMBER}/train.py"
    setup(root, "two", "--yes", "--no-check", "--", "python", f"{MEMBER}/train.py")
    assert spec_of(root, "two")["subject"]["entry"] == f"{MEMBER}/train.py"


def test_of_two_entries_the_chosen_one_decides_in_each_way_of_answering(tmp_path: Path) -> None:
    files = {f"packages/{name}/{file}": text for name in ("one", "two") for file, text in (("train.py", TRAIN),)}
    root = workspace(tmp_path, {**files, "packages/two/model.py": "BEST = 0.3\n"})
    assert "--entry" in setup(root, "demo", "--yes", code=2)
    setup(root, "flag", "--yes", "--no-check", "--entry", "packages/two/train.py")
    first = json.loads(setup(root, "--json"))
    assert [each["id"] for each in first["questions"][0]] == ["entry"] and first["root"] == str(root)
    answer = "entry: packages/two/train.py\n"
    assert json.loads(setup(root, "--json", "--answers", "-", given=answer))["root"] == str(root / "packages/two")
    setup(root, "answers", "--yes", "--no-check", "--answers", "-", given=answer)
    code, shown = in_terminal(root, "keys", "--seconds", "9", "--no-check", keys=["2\n", *["\n"] * 9])
    assert code == 0, shown
    assert spec_of(root / "packages/two", "flag") == spec_of(root / "packages/two", "answers")
    keyed = spec_of(root / "packages/two", "keys")
    assert keyed["subject"] == spec_of(root / "packages/two", "flag")["subject"]
    assert not (root / ".flagstone").exists() and not (root / "packages/one/.flagstone").exists()
