"""What the engine says of an experiment, in the words of its marker."""

from __future__ import annotations

import pytest

from flagstone.markers.naming import naming_marker, naming_repository


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            "set subject.scratch: [build], or give new --scratch build",
            "set run.scratch: [build]",
        ),
        (
            "set harness.writable: [/var/x], or let the command write below {run_dir}",
            "let the command write below $TMPDIR",
        ),
        ("set `script` in experiment.yaml: a file", "set `loop.script` in the marker file: a file"),
        ("or set `sandbox: auto` in experiment.yaml, or run.yaml", "or set `run.sandbox: auto` in the marker file"),
        (
            "no; or start without them: set subject.at_head in experiment.yaml",
            "no; or start without them: give --head",
        ),
        ("correct it in /a b/.flagstone/markers/x/1/experiment.yaml", "correct it in the marker file"),
        ("name files: subject.mutable in experiment.yaml", "name files: target.mutable in the marker file"),
        ("lower harness.gpus in experiment.yaml", "lower run.gpus in the marker file"),
        (
            "or search without a model: flagstone setup NAME --param KEY=LOW:HIGH",
            "or let a script propose: loop.script",
        ),
    ],
)
def test_a_marker_is_spoken_of_by_its_own_keys(words: str, expected: str) -> None:
    assert naming_marker(words) == expected
    assert naming_marker(expected) == expected


def test_a_command_names_the_repository_that_the_person_has_named() -> None:
    words = "next: flagstone marker results 'a b'"
    assert naming_repository(words, "") == words
    assert naming_repository(words, "../a repo") == "next: flagstone marker --repo '../a repo' results 'a b'"
