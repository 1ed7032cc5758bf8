"""A person's words come from the editor or, without one, from the terminal."""

from __future__ import annotations

import io

import pytest

from flagstone.cli.location import words_of_person


@pytest.mark.parametrize("editor", ["/no/such/editor", "false"])
def test_without_an_editor_that_works_the_words_are_read_from_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], editor: str
) -> None:
    monkeypatch.setenv("VISUAL", editor)
    monkeypatch.setenv("EDITOR", editor)
    monkeypatch.setattr("sys.stdin", io.StringIO("Narrow it\nto one claim.\n\nnot this\n"))
    assert words_of_person() == "Narrow it\nto one claim.\n"
    assert "write here instead" in capsys.readouterr().err
