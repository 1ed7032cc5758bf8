"""`flagstone doctor`: checks what is installed, and says how to fix what is missing."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryFile

import click

from flagstone import schemas
from flagstone.agents import INSTALL, NEWER_KERNEL, agent_named, strength
from flagstone.cli.location import Location, has_colour
from flagstone.errors import FlagstoneError
from flagstone.layout import Project
from flagstone.processes import gpu_memory_fault, run_quietly
from flagstone.settings import pinned_table, read_layer

SIGNS = {"fine": ("✓", "green"), "missing": ("✗", "red"), "optional": ("–", "yellow")}
FREE_BYTES = 2_000_000_000


@dataclass(frozen=True)
class Finding:
    """One thing that was checked: `fine`, `missing` (and needed), or `optional` (missing, but not needed by all)."""

    what: str
    state: str
    said: str
    cure: str = ""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
@click.pass_obj
def command(location: Location, as_json: bool) -> None:
    """Check everything that a run needs, and say how to fix what is missing.

    \b
    flagstone doctor
    flagstone doctor --json
    """
    project = location.project
    found = [*tools(), *agents(), *sandboxes(), *machine(project), *configuration(project)]
    if as_json:
        click.echo(json.dumps([asdict(each) for each in found], indent=1))
    else:
        for each in found:
            sign, colour = SIGNS[each.state]
            line = f"{click.style(sign, fg=colour)} {each.what:<14} {each.said}"
            click.echo(line, color=has_colour())
            if each.cure:
                click.echo(f"  {'':<14} fix: {each.cure}")
    missing = [each.what for each in found if each.state == "missing"]
    if missing:
        raise FlagstoneError(f"missing: {', '.join(missing)}", hint="the fix for each is shown above")


def tools() -> Iterator[Finding]:
    """Programs that stages call."""
    yield tool("git", ["git", "--version"], "missing", "install git")
    if shutil.which("tectonic"):
        yield tool("TeX", ["tectonic", "--version"], "missing", "")
    else:
        yield tool("TeX", ["latexmk", "-v"], "missing", "make setup, or install latexmk and TeX Live, or tectonic")
    yield tool("PDF reader", ["pdftotext", "-v"], "missing", "make setup, or install poppler-utils: it audits papers")
    yield tool("GPU", ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"], "optional", "")
    fault = gpu_memory_fault()
    cure = "install the driver of the GPU and run make setup; until then no experiment can use GPU memory"
    yield optional_finding("GPU memory", fault and f"cannot be measured: {fault}", cure, "is measured for each run")


def optional_finding(what: str, fault: str, cure: str, fine: str) -> Finding:
    """The finding about something that not everybody needs: its fault and the cure, or `fine` if it has no fault."""
    return Finding(what, "optional", fault, cure) if fault else Finding(what, "fine", fine)


def tool(what: str, argv: list[str], otherwise: str, cure: str) -> Finding:
    code, stdout, stderr = run_quietly(argv, Path.cwd(), 20)
    said = " ".join((stdout or stderr).decode(errors="replace").split())[:100]
    return Finding(what, "fine", said) if code == 0 else Finding(what, otherwise, f"no working {argv[0]}", cure)


def agents() -> Iterator[Finding]:
    fault = agent_named("claude").fault()
    if fault:
        yield Finding("agent", "optional", fault[0], f"{fault[1]}; without it: --agent demo")
    else:
        yield Finding("agent", "fine", "claude is installed and logged in")


def sandboxes() -> Iterator[Finding]:
    """What keeps agents inside their grant: two features of the kernel, and our own check, which is always there."""
    here = strength()
    cure = f"{NEWER_KERNEL}; until then agents cannot run programs, unless `sandbox` is off"
    fine = f"version {here.landlock_abi}: agents can write only what they are granted"
    yield optional_finding("Landlock", here.landlock_fault, cure, fine)
    cure = f"{INSTALL}; until then nothing is hidden from agents, and their chmod and touch are undone, not prevented"
    fine = "what an agent starts ends with it; all that is not granted is read-only"
    yield optional_finding("bubblewrap", here.bubblewrap_fault, cure, fine)
    yield Finding("digest check", "fine", "everything outside a grant is compared before and after every call")


def machine(project: Project) -> Iterator[Finding]:
    """The file system that holds the runs, and the cores."""
    place = project.runs_dir if project.runs_dir.is_dir() else project.root
    try:
        with TemporaryFile(dir=place):
            yield Finding("write access", "fine", f"{place} is writable")
    except OSError as error:
        yield Finding("write access", "missing", f"{place}: {error.strerror}", f"make {place} writable")
    free = shutil.disk_usage(place).free
    state = "fine" if free > FREE_BYTES else "missing"
    yield Finding("disk", state, f"{free / 1e9:.1f} GB free", "" if state == "fine" else "free some space")
    yield Finding("cores", "fine", str(os.cpu_count()))


def configuration(project: Project) -> Iterator[Finding]:
    """Every schema, the settings, the stage table and the prompts of the project."""
    problems = []
    try:
        schemas.check(project.schemas, "settings", read_layer(project.config / "config.yaml"), "config/config.yaml")
        table = pinned_table(project, None)
        lost = [stage.key for stage in table if not (project.prompts / f"{stage.key}.md.j2").is_file()]
        problems += [f"no prompt for stage {key}" for key in lost]
    except FlagstoneError as error:
        problems.append(error.problem)
    for path in sorted(project.schemas.glob("*.schema.yaml")):
        try:
            schemas.problems(project.schemas, path.name.removesuffix(".schema.yaml"), None)
        except Exception as error:  # any fault of a schema is a finding
            problems.append(f"{path.name}: {str(error).splitlines()[0]}")
    if problems:
        yield Finding("configuration", "missing", "; ".join(problems), "correct it; git diff shows what changed")
    else:
        yield Finding("configuration", "fine", "settings, stage table, prompts and schemas are valid")
