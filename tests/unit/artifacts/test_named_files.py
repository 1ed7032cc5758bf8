"""The files that the stage table asks for by name: there, readable, and nothing named in them is empty."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from material import outcome

from flagstone.layout import Run
from flagstone.stages import NamedFile

TABLE = NamedFile("workspace/literature/nearest_work.csv", ("source_key", "showed"))
RECORD = NamedFile("workspace/data/design.json", ("arms", "ablations"))


def found(run: Run, content: bytes, file: NamedFile) -> tuple[str, str]:
    path = run.root / file.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    check = outcome(run, leaves=(file,))["named-files"]
    return check.status, check.message


def test_a_table_with_its_columns_filled_passes(run: Run) -> None:
    assert found(run, b'source_key,showed,more\na,"x, y",\nb,z,1\n', TABLE) == ("passed", "1 named file in place")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"source_key,showed\n", "it has no rows"),
        (b"source_key\na\n", "row 1: nothing under showed"),
        (b"source_key,showed\na,b\nc,  \n", "row 2: nothing under showed"),
        (b"source_key,showed\na\n", "row 1: nothing under showed"),
        (b"\xff\xfe\x00\x01", ""),
        (b"source_key,showed\n" + b"x" * 200_000 + b",y\n", "not a CSV table"),
    ],
)
def test_a_table_that_says_nothing_fails_with_the_reason(run: Run, content: bytes, why: str) -> None:
    status, message = found(run, content, TABLE)
    assert status == "failed" and why in message
    assert "`workspace/literature/nearest_work.csv` is a CSV table with the columns `source_key`, `showed`" in message


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ([], "not an object"),
        ({"arms": ["a"]}, "nothing under ablations"),
        ({"arms": [], "ablations": {}}, "nothing under arms, ablations"),
        ({"arms": 0, "ablations": False}, ""),
    ],
)
def test_an_object_needs_something_under_each_key(run: Run, value: object, why: str) -> None:
    status, message = found(run, json.dumps(value).encode(), RECORD)
    assert (status, why in message) == ("failed" if why else "passed", True)


def test_a_file_that_is_missing_or_a_link_out_of_the_run_fails(run: Run, tmp_path: Path) -> None:
    assert outcome(run, leaves=(TABLE,))["named-files"].status == "failed"
    outside = tmp_path / "outside.csv"
    outside.write_text("source_key,showed\na,b\n")
    path = run.root / TABLE.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(outside)
    assert outcome(run, leaves=(TABLE,))["named-files"].status == "failed"


def test_a_stage_that_names_no_files_has_no_such_check(run: Run) -> None:
    assert "named-files" not in outcome(run)
