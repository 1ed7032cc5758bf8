"""The code of a notebook is read cell by cell, and keeps the numbers of its lines."""

from __future__ import annotations

import json

import pytest

from flagstone.setup.notebook import notebook_code


def notebook(*cells: list[str], indent: int | None = 1) -> str:
    rows = [{"cell_type": "code", "source": [f"{line}\n" for line in cell]} for cell in cells]
    return json.dumps({"cells": [{"cell_type": "markdown", "source": ["print(0)\n"]}, *rows]}, indent=indent)


def test_each_line_keeps_its_number_even_if_it_stands_there_twice() -> None:
    text = notebook(["x = 1", "print(x)"], ["print(x)", 'ü = "a\\tb"'])
    code = notebook_code(text).splitlines()
    assert [line for line in code if line] == ["x = 1", "print(x)", "print(x)", 'ü = "a\\tb"']
    for number, line in enumerate(code):
        assert not line or json.dumps(f"{line}\n") in text.splitlines()[number]


def test_what_is_no_python_is_left_out() -> None:
    text = notebook(["!pip install x", "%matplotlib inline", "y = 2"], ["%%bash", "rm -rf x"], ["help?"])
    assert [line for line in notebook_code(text).splitlines() if line] == ["y = 2"]


@pytest.mark.parametrize("text", ["", "[", "{}", "null", '{"cells": 3}', '{"cells": [1, {"source": 2}]}'])
def test_rubbish_has_no_code(text: str) -> None:
    try:
        assert notebook_code(text).strip() == ""
    except ValueError:
        assert text in ("", "[")


def test_a_notebook_on_one_line_has_no_numbers_to_name() -> None:
    with pytest.raises(ValueError, match="no lines of the file"):
        notebook_code(notebook(["x = 1"], indent=None))
