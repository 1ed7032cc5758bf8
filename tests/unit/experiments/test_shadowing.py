"""No candidate puts a file of its own in the place of a module of Python."""

from __future__ import annotations

import pytest

from flagstone.experiments.engine.shadowing import shadowing_problems

BASE = ("measure.py", "src/work.py", "package/__init__.py", "package/a.py", "tools/queue.py", "data/json/a.txt")


@pytest.mark.parametrize(
    "path", ["json.py", "src/json.py", "json/__init__.py", "src/re/x.py", "json.cpython-311.so", "data/json/x.py"]
)
def test_a_new_file_that_would_be_imported_for_a_module_of_python_is_named(path: str) -> None:
    (problem,) = shadowing_problems(BASE, (*BASE, path))
    assert problem.startswith(f"{path} would be imported")


@pytest.mark.parametrize(
    "path", ["package/json.py", "new/json.py", "src/other.py", "json.txt", "tools/queue.py", "tools/queue/more.py"]
)
def test_what_nothing_imports_by_that_name_may_be_added(path: str) -> None:
    assert not list(shadowing_problems(BASE, (*BASE, path)))


def test_a_package_made_around_a_new_file_does_not_hide_it() -> None:
    now = (*BASE, "src/__init__.py", "src/json.py")
    assert len(list(shadowing_problems(BASE, now))) == 1
