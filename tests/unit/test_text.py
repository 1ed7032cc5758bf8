"""Text from agents and files on its way to a screen, a message or a record."""

from __future__ import annotations

from flagstone.text import count_text, escaped_text, list_text, one_line, printable_text

SPOILED = "\x1b[31mred\x1b[0m \x1b]0;title\x07\x9b2J\u202egnp\u200b.elif\r\x00"


def test_nothing_that_steers_a_terminal_reaches_it() -> None:
    assert printable_text(f"{SPOILED}\n\tnext") == "red 2Jgnp.elif\n\tnext"


def test_a_text_becomes_one_line_of_bounded_length() -> None:
    assert one_line(f"  {SPOILED}\n\n more\tthan that") == "red 2J gnp .elif more than that"
    assert one_line("word " * 100, 20) == "word word word word…"


def test_a_name_is_written_with_the_codes_of_what_cannot_be_seen() -> None:
    assert escaped_text("a\x1b[31m\nb\u202e\udcff") == "a\\x1b[31m\\x0ab\\u202e\\xff"
    assert len(escaped_text("\x1b" * 1000, 40)) == 40


def test_lists_and_numbers_read_as_sentences_do() -> None:
    assert list_text(["a", "b", "c"], 2) == "a; b; and 1 more"
    assert (count_text(1, "row"), count_text(2, "row"), count_text(0, "entry", "entries")) == (
        "1 row",
        "2 rows",
        "0 entries",
    )
