# Finds the code, the run and its gates, and opens SESSION. The rules ask SESSION for every decision.
import atexit
import sys
from pathlib import Path

HOME = Path(str(workflow.current_basedir)).parent.parent
CALLER = Path.cwd()
sys.path.insert(0, str(HOME / "src"))

from flagstone import status
from flagstone.errors import FlagstoneError
from flagstone.gates import (
    Call,
    end_call,
    end_session,
    export,
    open_session,
    profile_words,
)

export(HOME)

if workflow.is_main_process:
    atexit.register(lambda: end_session(globals().get("SESSION"), is_building()))

IS_MODULE = len(workflow.modifier_stack) > 1


def is_building():
    """Whether this call plans jobs, a dry run included. A report or a summary does not."""
    return workflow.executor_plugin is not None


def is_executing():
    """Whether this call may change files. A dry run, a report, a graph and a cluster job may not."""
    return (
        workflow.is_main_process
        and is_building()
        and not workflow.dryrun
        and not workflow.touch
    )


def is_dry_run():
    return workflow.is_main_process and is_building() and workflow.dryrun


def is_local():
    """Whether jobs run on this machine."""
    return workflow.local_exec


def is_forced(stage):
    wanted = workflow.dag_settings.forcerun or ()
    return workflow.dag_settings.forceall or any(
        word == stage.name or word.endswith((f"_{stage.name}", f"{stage.key}.md"))
        for word in wanted
    )


try:
    SESSION = open_session(
        HOME,
        CALLER,
        config,
        Call(
            is_executing,
            is_forced,
            CALLER,
            is_building,
            is_local,
            profile=profile_words(sys.argv),
            dry=is_dry_run,
            refresh=lambda opened: status.refresh_derived(opened),
            check_trial=lambda opened, plan: status.check_trial(opened, plan),
        ),
    )
except FlagstoneError as error:
    end_call(error)


if SESSION.run and not IS_MODULE:

    workdir: str(SESSION.run.root)


def at(path):
    """A path of the run as rules name it: relative to the run, or absolute inside another workflow."""
    if IS_MODULE or not SESSION.run:
        return str(path)
    return SESSION.run.relative(path)
