"""The group of marker commands: one place that prints what a command answers, as text or as one JSON document."""

from __future__ import annotations

import contextlib
import functools
import json
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from flagstone.cli.command_group import CommandGroup
from flagstone.cli.markers.tccw import own_words
from flagstone.errors import FlagstoneError
from flagstone.records import plain_value, spell_nonfinite
from flagstone.text import printable_text

WORDS = ("--json", "--headless")
GIVEN = "flagstone.marker"


@dataclass(frozen=True)
class GroupOptions:
    """The repository and the marker that were named before the command."""

    repo: Path | None = None
    marker: str | None = None


@dataclass(frozen=True)
class Answer:
    """What a command answers: as data, and as text. `failure` says which part of the work failed, if any did."""

    data: Any = None
    text: str = ""
    failure: str = ""
    exit_code: int = field(default=0)


class MarkerGroup(CommandGroup):
    """Every command returns an `Answer`. With `--json` anywhere, stdout is one document, for errors too."""

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **extra: Any) -> click.Context:
        end = args.index("--") if "--" in args else len(args)
        words = [word for word in args[:end] if word not in WORDS] + args[end:]
        parse = super().make_context

        def make() -> click.Context:
            return parse(info_name, own_words(words), *rest, **extra)

        above = extra.get("parent") or (rest[0] if rest else None)
        if len(words) == len(args) and not (above and above.meta.get("json")):
            return make()
        made: click.Context = as_document(make)
        made.meta["json"] = True
        return made

    def invoke(self, ctx: click.Context) -> Any:
        if ctx.meta.get("json"):
            answer = as_document(functools.partial(super().invoke, ctx))
            print_document(document_of(answer))
        else:
            answer = super().invoke(ctx)
            if isinstance(answer, Answer) and answer.text:
                click.echo(printable_text(answer.text), nl=not answer.text.endswith("\n"))
        if isinstance(answer, Answer) and answer.exit_code:
            ctx.exit(answer.exit_code)
        return None


def as_document(work: Callable[[], Any]) -> Any:
    """What the work returns. If it ends in any other way, prints the document of that, and exits."""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return work()
    except click.exceptions.Exit as ended:
        print_document({"status": "ok", "data": None})
        raise click.exceptions.Exit(ended.exit_code) from None
    except BaseException as error:
        message, code = message_of(error)
        print_document({"status": "error", "message": message, "code": code} if code else ok_document(message))
        raise click.exceptions.Exit(code) from None


def message_of(error: BaseException) -> tuple[str, int]:
    """What to say of an error, and its exit code. Of one that nobody foresaw, the traceback goes to stderr."""
    if isinstance(error, FlagstoneError):
        return str(error), error.exit_code
    if isinstance(error, click.UsageError):
        return error.format_message(), 2
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return "interrupted\nnothing is lost; run the same command again", 130
    if isinstance(error, UnicodeEncodeError):
        return "an argument is not valid UTF-8\ngive it again as UTF-8 text", 2
    traceback.print_exception(error, file=sys.stderr)
    return f"{type(error).__name__}: {error}", 1


def ok_document(data: Any) -> dict[str, Any]:
    return {"status": "ok", "data": data}


def document_of(answer: Any) -> dict[str, Any]:
    if not isinstance(answer, Answer):
        return ok_document(answer)
    if answer.exit_code:
        return {"status": "error", "message": answer.failure, "code": answer.exit_code, "data": answer.data}
    return ok_document(answer.data)


def print_document(document: dict[str, Any]) -> None:
    """Prints one JSON document. ASCII only, so that no terminal and no file name can break it."""
    sys.stdout.write(json.dumps(spell_nonfinite(plain_value(document))) + "\n")
    sys.stdout.flush()
