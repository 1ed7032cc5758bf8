"""The arguments of a project's own command: fixed ones, and those of a file that may change."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from flagstone.errors import FlagstoneError
from flagstone.schemas import parse_yaml

ARGUMENTS_FILE = "arguments.yaml"  # in the tree of every candidate; it comes from own/ of the experiment
ARGUMENTS_WORD = "{arguments}"
LONGEST = 64_000
NUMBERS = ("number", "any")
EXPONENT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d{1,3}\Z", re.ASCII)
Style = Literal["equals", "words", "hydra", "json"]
Kind = Literal["integer", "number", "text", "boolean", "list", "words", "presence", "negatable", "any"]
Fill = Callable[[str], str]


@dataclass(frozen=True)
class CommandArguments:
    """How arguments are written, which are fixed, and which may change, each with its kind."""

    style: Style
    fixed: Mapping[str, Any] = field(default_factory=dict)
    allow: Mapping[str, Kind] = field(default_factory=dict)

    def words(self, own: Mapping[str, Any], fill: Fill) -> Iterator[str]:
        """The words that stand for {arguments}. Only in fixed ones are {seed} and the like filled in."""
        fixed = {key: with_values(value, fill) for key, value in self.fixed.items()}
        every = {key: value for key, value in {**fixed, **own}.items() if value is not None}
        if self.style == "json":
            yield json.dumps(every, ensure_ascii=False)
            return
        for key, value in every.items():
            yield from hydra_words(key, value) if self.style == "hydra" else self.plain_words(key, value)

    def plain_words(self, key: str, value: Any) -> Iterator[str]:
        flag = key if key.startswith("-") else f"--{key}"
        kind = self.allow.get(key) or fixed_kind(value)
        if kind == "presence" or (kind == "negatable" and value):
            yield from [flag] if value else []
        elif kind == "negatable":
            yield f"--no-{key.removeprefix('--')}"
        elif kind == "words":
            yield from (flag, *map(plain_text, value))
        elif self.has_words_of_their_own(key):
            yield from (flag, plain_text(value))
        else:
            yield f"{flag}={plain_text(value)}"

    def has_words_of_their_own(self, key: str) -> bool:
        """Whether a parser of flags gets the values of a key as words that are separate from its flag."""
        is_short = len(key) == 2 and key[0] == "-" != key[1]
        return self.style == "words" or (self.style == "equals" and (is_short or self.allow.get(key) == "words"))

    def own_values(self, content: bytes) -> dict[str, Any]:
        """What the file that may change says. Raises an error that names everything that is not allowed in it."""
        problems = list(self.problems(content))
        if problems:
            raise FlagstoneError("; ".join(problems), hint=f"correct {ARGUMENTS_FILE}")
        return with_numbers(parse_yaml(content, ARGUMENTS_FILE) or {}, self.allow)

    def problems(self, content: bytes) -> Iterator[str]:
        """Everything in the file that is not allowed."""
        if len(content) > LONGEST:
            yield f"{ARGUMENTS_FILE} is larger than {LONGEST} bytes"
            return
        try:
            value = parse_yaml(content, ARGUMENTS_FILE)
        except FlagstoneError as error:
            yield error.problem
            return
        if not isinstance(value, dict | None):
            yield f"{ARGUMENTS_FILE} has to be a mapping of arguments to values"
            return
        if not is_short_enough(value or {}):
            yield f"{ARGUMENTS_FILE} stands for more than {LONGEST} characters, or has a number with too many digits"
            return
        for key, item in with_numbers(value or {}, self.allow).items():
            if problem := self.problem_of(key, item):
                yield f"{ARGUMENTS_FILE}: {problem}"

    def problem_of(self, key: Any, value: Any) -> str:
        if key in self.fixed:
            return f"{key} is fixed"
        if key not in self.allow:
            return f"{str(key)[:80]!r} may not be set; what may: {', '.join(self.allow) or 'nothing'}"
        kind = self.allow[key]
        if value is None or IS_OF[kind](value):
            is_flag = self.has_words_of_their_own(key) and any(map(is_like_flag, as_list(value)))
            return f"{key} would be read as a flag: {str(value)[:80]!r}" if is_flag else ""
        return f"{key} is {str(value)[:80]!r}, and has to be {WORDS_OF[kind]}"


def with_numbers(values: Mapping[Any, Any], kinds: Mapping[str, Kind]) -> dict[Any, Any]:
    """The values, with a number where one is due and YAML has read text: it knows 1.0e-3, but not 1e-3."""
    return {
        key: float(value) if kinds.get(key) in NUMBERS and isinstance(value, str) and EXPONENT.match(value) else value
        for key, value in values.items()
    }


def is_short_enough(values: Mapping[Any, Any]) -> bool:
    """Whether the values can be written: an alias repeats a long text, and Python refuses to write a huge number."""
    try:
        return sum(len(str(each)) for row in values.items() for item in row for each in as_list(item)) <= LONGEST
    except ValueError:
        return False


def is_text(value: Any) -> bool:
    return isinstance(value, str) and "\0" not in value


def is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    return is_integer(value) or isinstance(value, float)


def is_boolean(value: Any) -> bool:
    return isinstance(value, bool)


def is_plain(value: Any) -> bool:
    return is_text(value) or is_number(value) or is_boolean(value)


def is_list(value: Any) -> bool:
    return isinstance(value, list) and all(is_plain(each) for each in value)


IS_OF: Mapping[Kind, Callable[[Any], bool]] = {
    "integer": is_integer,
    "number": is_number,
    "text": is_text,
    "boolean": is_boolean,
    "list": is_list,
    "words": is_list,
    "presence": is_boolean,
    "negatable": is_boolean,
    "any": is_plain,
}
WORDS_OF: Mapping[Kind, str] = {
    "integer": "a whole number",
    "number": "a number",
    "text": "text",
    "boolean": "true or false",
    "list": "a list of plain values",
    "words": "a list of plain values",
    "presence": "true or false",
    "negatable": "true or false",
    "any": "a plain value",
}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def is_like_flag(value: Any) -> bool:
    """Whether a parser would take a value that is a word of its own for a flag."""
    return isinstance(value, str) and value.startswith("-")


def fixed_kind(value: Any) -> Kind:
    """How a fixed value is written: true as the bare flag, false not at all, a list as several words."""
    return "presence" if isinstance(value, bool) else "words" if isinstance(value, list) else "any"


def with_values(value: Any, fill: Fill) -> Any:
    if isinstance(value, str):
        text = fill(value)
        return int(text) if value == "{seed}" and text.isdigit() else text
    return [with_values(each, fill) for each in value] if isinstance(value, list) else value


def plain_text(value: Any) -> str:
    """A value as most parsers of command lines read it."""
    return value if isinstance(value, str) else repr(value)


def hydra_words(key: str, value: Any) -> Iterator[str]:
    if key.startswith("~"):
        yield from [key] if value else []
    else:
        yield f"{key}={hydra_text(value)}"


PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./+@%-]*\Z")
NOT_TEXT = {"true", "false", "null", "nan", "inf"}


def hydra_text(value: Any) -> str:
    """A value in Hydra's grammar of overrides. Text that it would read as something else is quoted."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{','.join(map(hydra_text, value))}]"
    if not isinstance(value, str):
        return repr(value)
    if PLAIN.match(value) and value.lower() not in NOT_TEXT:
        return value
    escaped = re.sub(r"(\\*)('|\Z)", lambda hit: hit[1] * 2 + ("\\'" if hit[2] else ""), value)
    return f"'{escaped}'"
