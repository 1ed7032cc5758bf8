"""`flagstone`: finds the command, runs it, and prints an error in two lines: the problem and what to do."""

from __future__ import annotations

import atexit
import os
import sys
from contextlib import suppress
from pathlib import Path

import click

from flagstone import __version__
from flagstone.cli.command_group import CommandGroup
from flagstone.cli.location import Location
from flagstone.errors import FlagstoneError
from flagstone.processes import restore_keyboard_interrupt

COMMANDS = {
    "setup": "set up an experiment in any project that trains something",
    "init": "make a folder for runs, with its own Snakefile, prompts and settings",
    "new": "start a run from a goal",
    "run": "run until a person has to decide",
    "status": "show the state of every stage, and the next command",
    "review": "read what a stage offers, and decide",
    "approve": "open a gate",
    "refine": "ask for changes, in the same conversation",
    "redo": "do a stage again, in a new conversation",
    "restore": "offer an earlier version of a stage again",
    "rollback": "take back the approval of a stage and of all that rest on it",
    "abort": "stop a run",
    "resume": "let an aborted run continue",
    "repin": "update a run's own prompts, schemas and tables",
    "diff": "show what changed since the last approval or version",
    "log": "show what an agent did",
    "cost": "show what a run has cost, and what is left of its budget",
    "experiment": "improve one number, unattended",
    "campaign": "try ideas on a project, and write down what came of them, unattended",
    "bundle": "pack a run so that a stranger can verify it",
    "verify": "say whether a bundle holds",
    "trials": "answer whether one version is better than the other",
    "paper": "build the paper of a run, and check what its numbers rest on",
    "marker": "improve one number of any git repository, in sessions",
    "plugin": "use Flagstone inside Claude Code",
    "doctor": "check what is installed, and say how to fix what is missing",
    "completion": "print the completion script for your shell",
}

FOLDERS = (
    dict.fromkeys(
        ("approve", "refine", "redo", "restore", "rollback", "abort", "resume", "repin", "review", "diff"), "gates."
    )
    | dict.fromkeys(("log", "cost", "status", "doctor"), "looking.")
    | {
        "trials": "trials.",
        "campaign": "campaigns.",
        "marker": "markers.",
        "paper": "paper.",
        "plugin": "plugin.",
        "setup": "setup.",
    }
)


@click.group(
    cls=CommandGroup,
    helps=COMMANDS,
    folders=FOLDERS,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--project", type=click.Path(path_type=Path), help="The folder with the Snakefile (default: the one you are in)."
)
@click.option("--json", "--headless", "as_json", is_flag=True, hidden=True)
@click.version_option(__version__, prog_name="flagstone")
@click.pass_context
def flagstone(ctx: click.Context, project: Path | None, as_json: bool) -> None:
    """AI-assisted research in stages. A person approves each stage before the next one starts.

    \b
    flagstone new attn --goal "Does rotary position embedding help?"
    flagstone run attn
    """
    ctx.obj = Location(Path.cwd(), project)
    if as_json and ctx.invoked_subcommand != "marker":
        raise click.UsageError("--json goes after the name of the command", ctx)
    ctx.meta["json"] = as_json
    if ctx.invoked_subcommand is None:
        from flagstone.cli.looking.status import command

        ctx.invoke(command)


def main() -> None:
    """Runs a command. Exit codes: 0 done or at a gate, 1 our bug, 2 yours to fix, 3 the work failed, 130."""
    restore_keyboard_interrupt()
    ending = [1]  # of an error that nobody foresaw
    atexit.register(lambda: exit_at_once(ending[0]))
    ending[0] = exit_code()
    sys.exit(ending[0])


def exit_at_once(code: int) -> None:
    """Exits without unloading every module, which would take longer than opening a gate. Call it last."""
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def exit_code() -> int:
    try:
        code = flagstone(standalone_mode=False)
        return code if isinstance(code, int) else 0  # a command that chose its exit code, with `Context.exit`
    except FlagstoneError as error:
        print_error(error.problem, error.hint)
        return error.exit_code
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "flagstone"
        print_error(error.format_message(), f"see: {where} --help")
        return 2
    except UnicodeEncodeError:
        print_error("an argument is not valid UTF-8", "give it again as UTF-8 text")
        return 2
    except (click.Abort, KeyboardInterrupt):
        print_error("interrupted", "nothing is lost; run the same command again")
        return 130
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def print_error(problem: str, hint: str) -> None:
    click.echo(f"flagstone: {problem}\n  {hint}", err=True)


if __name__ == "__main__":
    main()
