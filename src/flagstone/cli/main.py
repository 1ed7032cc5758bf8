"""`flagstone`: finds the command, and prints every error a person can meet in two lines."""

from __future__ import annotations

import atexit
import difflib
import importlib
import os
import sys
from contextlib import suppress
from pathlib import Path

import click

from flagstone import __version__
from flagstone.cli.where import Standing
from flagstone.errors import FlagstoneError
from flagstone.processes import restore_keyboard_interrupt

COMMANDS = {
    "new": "start a run from a goal",
    "run": "build until only people are awaited",
    "status": "what stands where, and the one next command",
    "review": "read what a stage offers, and decide",
    "approve": "open a gate",
    "refine": "ask for changes, in the same conversation",
    "redo": "do a stage again, in a new conversation",
    "rollback": "take back the approval of a stage and all that rests on it",
    "abort": "stop a run",
    "resume": "undo abort",
    "repin": "take the newer prompts, schemas and tables",
    "diff": "what changed since the last version or approval",
    "log": "what an agent did",
    "cost": "what a run has cost, and what is left of its budget",
    "experiment": "improve one number unattended",
    "doctor": "whether everything needed is here, each with its cure",
    "completion": "the line that makes your shell complete these commands",
}

FOLDERS = dict.fromkeys(
    ("approve", "refine", "redo", "rollback", "abort", "resume", "repin", "review", "diff"), "gates."
) | dict.fromkeys(("log", "cost", "status", "doctor"), "looking.")


class Commands(click.Group):
    """Loads a command's module only when it is called: `status` must answer at once."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            close = difflib.get_close_matches(name, COMMANDS, n=1)
            if close:
                raise FlagstoneError(f"there is no command {name!r}", hint=f"did you mean: flagstone {close[0]}")
            return None
        folder = FOLDERS.get(name, "")
        command = importlib.import_module(f"flagstone.cli.{folder}{name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--project", type=click.Path(path_type=Path), help="A Flagstone checkout (default: found upwards).")
@click.version_option(__version__, prog_name="flagstone")
@click.pass_context
def flagstone(ctx: click.Context, project: Path | None) -> None:
    """Long-form AI research with a gate between the stages that only a person opens.

    \b
    flagstone new attn --goal "Does rotary position embedding help?"
    flagstone run attn
    """
    ctx.obj = Standing(Path.cwd(), project)
    if ctx.invoked_subcommand is None:
        from flagstone.cli.looking.status import command

        ctx.invoke(command)


def main() -> None:
    """Runs a command. Exit codes: 0 done or at a gate, 1 our bug, 2 yours to put right, 3 the work failed, 130."""
    restore_keyboard_interrupt()
    ending = [1]  # of an error that nobody foresaw
    atexit.register(lambda: leave(ending[0]))
    ending[0] = exit_code()
    sys.exit(ending[0])


def leave(code: int) -> None:
    """Ends without taking every loaded module apart, which takes longer than opening a gate. Run when all is done."""
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def exit_code() -> int:
    try:
        flagstone(standalone_mode=False)
    except FlagstoneError as error:
        complain(error.problem, error.hint)
        return error.exit_code
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "flagstone"
        complain(error.format_message(), f"see: {where} --help")
        return 2
    except UnicodeEncodeError:
        complain("a word that was given holds bytes which are not UTF-8", "give it again as text")
        return 2
    except (click.Abort, KeyboardInterrupt):
        complain("interrupted", "nothing was lost; give the same command again")
        return 130
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def complain(problem: str, hint: str) -> None:
    click.echo(f"flagstone: {problem}\n  {hint}", err=True)


if __name__ == "__main__":
    main()
