"""The code of a notebook is read cell by cell, and keeps the numbers of its lines."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from flagstone.setup import look_at
from flagstone.setup.notebook import notebook_syntax, placed_lines


def notebook(*cells: list[str], indent: int | None = 1, is_one_text: bool = False) -> str:
    texts = [[f"{line}\n" for line in cell] for cell in cells]
    rows = [{"cell_type": "code", "source": "".join(each) if is_one_text else each} for each in texts]
    return json.dumps({"cells": [{"cell_type": "markdown", "source": ["print(0)\n"]}, *rows]}, indent=indent)


def test_each_line_keeps_its_number_even_if_it_stands_there_twice() -> None:
    text = notebook(["x = 1", "print(x)"], ["print(x)", 'ü = "a\\tb"'])
    rows = list(placed_lines(text))
    assert [line for _, line in rows] == ["x = 1", "print(x)", "print(x)", 'ü = "a\\tb"']
    assert len({number for number, _ in rows}) == 4
    for number, line in rows:
        assert json.dumps(f"{line}\n") in text.splitlines()[number - 1]
    assert [node.lineno for node in notebook_syntax(text).body] == [number for number, _ in rows]


def test_what_is_no_python_is_left_out() -> None:
    cell = ["!pip install x", "%matplotlib inline", "files = !ls", "y = 2", "if y:", "    %time f()"]
    cell += ['z = ("%d"', "  % 3)", "w = 4  # why?"]
    text = notebook(cell, ["%%bash", "rm -rf x"], ["help?"])
    assert ast.unparse(notebook_syntax(text)).replace("pass\n", "").split("\n")[0] == "y = 2"
    assert "z = '%d' % 3\nw = 4" in ast.unparse(notebook_syntax(text))
    assert "bash" not in ast.unparse(notebook_syntax(text))
    assert "rm" not in ast.unparse(notebook_syntax(text))


@pytest.mark.parametrize("text", ["", "[", "{}", "null", '{"cells": 3}', '{"cells": [1, {"source": 2}]}'])
def test_rubbish_has_no_code(text: str) -> None:
    try:
        assert notebook_syntax(text).body == []
    except ValueError:
        assert text in ("", "[")


@pytest.mark.parametrize("is_one_text", [False, True])
@pytest.mark.parametrize("indent", [None, 1])
def test_however_a_notebook_is_written_its_metric_is_found(
    tmp_path: Path, indent: int | None, is_one_text: bool
) -> None:
    cells = (["%pip install x", "import math"], ["for epoch in range(3):", "    print(f'val_loss={1 / 3}')"])
    text = notebook(*cells, indent=indent, is_one_text=is_one_text)
    (tmp_path / "train.ipynb").write_text(text)
    found = look_at(tmp_path)
    assert found.skipped == ()
    assert found.findings["metric"].value["name"] == "val_loss"
    number = next(number for number, line in enumerate(text.splitlines(), 1) if "val_loss" in line)
    assert found.findings["metric"].evidence == (f"train.ipynb:{number}",)
    assert found.findings["entry"].evidence == ("train.ipynb:1",)


def test_what_the_command_needs_is_not_said_to_be_imported(tmp_path: Path) -> None:
    (tmp_path / "train.ipynb").write_text(notebook(["print(1)"]))
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").symlink_to("/usr/bin/env")
    (tmp_path / ".venv/pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.11.7\n")
    (tmp_path / ".venv/lib/python3.11/site-packages").mkdir(parents=True)
    faults = look_at(tmp_path).environment.faults
    assert any("nbconvert not installed" in each and "the command needs it" in each for each in faults), faults
