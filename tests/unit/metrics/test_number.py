"""One number, or none: what a command printed is never guessed at."""

from __future__ import annotations

import math

import pytest

from flagstone.metrics.command import locale_fault, number_in, quotation

ACCEPTED = {
    "0": 0.0,
    "42": 42.0,
    "-17": -17.0,
    "3.25": 3.25,
    ".5": 0.5,
    "-.5": -0.5,
    "5.": 5.0,
    "1e-3": 0.001,
    "2.5E+06": 2.5e6,
    "-1.5e2": -150.0,
    "95%": 95.0,
    "95.5%": 95.5,
    "  \t7\r\n\n": 7.0,
    "007": 7.0,
    "0.1": 0.1,
    "123456789012345678": 123456789012345678.0,
}
REFUSED = [
    "",
    "   ",
    "1 2",
    "1\n2",
    "12ms",
    "1,234",
    "nan",
    "NaN",
    "inf",
    "-inf",
    "Infinity",
    "0x10",
    "0b1",
    "1_000",
    "+5",
    "--5",
    "- 5",
    "1e",
    "e5",
    ".",
    "-",
    "%",
    "5%%",
    "5 %",
    "%5",
    "1.2.3",
    "1e999",
    "\u22125",
    "\u0663",
    "five",
    "5;",
    '"5"',
    "$5",
    "1/2",
    "1e5.0",
    "0x1p3",
    "1d3",
    "5e 3",
    "[5]",
]


@pytest.mark.parametrize("text", ACCEPTED)
def test_one_number_is_read_as_it_is_written(text: str) -> None:
    assert number_in(text) == ACCEPTED[text]


def test_minus_nothing_is_nothing() -> None:
    assert math.copysign(1, number_in("-0") or 0.0) == 1
    assert number_in("-0") == number_in("-0.0") == 0


@pytest.mark.parametrize("text", REFUSED)
def test_anything_else_is_no_number(text: str) -> None:
    assert number_in(text) is None


@pytest.mark.parametrize(
    ("text", "sign", "value"),
    [
        ("1,234", ",", 1234.0),
        ("-1,234,567.5", ",", -1234567.5),
        ("1,234%", ",", 1234.0),
        ("12", ",", 12.0),
        ("1.5", ",", 1.5),
        ("1e3", ",", 1000.0),
        ("1.234.567,5", ".", 1234567.5),
        ("1,5", ".", 1.5),
        ("1'234", "'", 1234.0),
        ("1 234", " ", 1234.0),
    ],
)
def test_a_locale_names_the_sign_between_groups_of_three(text: str, sign: str, value: float) -> None:
    assert number_in(text, sign) == value


@pytest.mark.parametrize(
    ("text", "sign"),
    [("1,23", ","), ("1234,567", ","), (",234", ","), ("1 234", ","), ("1.5", "."), ("1,234", ""), ("1,234,", ",")],
)
def test_groups_that_are_not_of_three_are_no_number(text: str, sign: str) -> None:
    assert number_in(text, sign) is None


def test_what_was_printed_instead_is_quoted_in_a_line_that_can_be_printed() -> None:
    assert quotation("\x1b[31mno\x00 tests\n ran \u202e") == '"no tests ran"'
    assert len(quotation("x" * 10_000)) <= 202
    assert quotation(" \n") == "nothing"


def test_a_sign_that_numbers_are_written_with_separates_nothing() -> None:
    assert all(locale_fault(sign) for sign in ("5", "e", "-", "+", "%", "_"))
    assert not any(locale_fault(sign) for sign in ("", ",", ".", "'", " ", "\u202f"))
