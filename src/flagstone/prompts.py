"""The prompts of a run: strict Jinja templates, filled with what one attempt knows."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from flagstone.errors import FlagstoneError
from flagstone.text import collapse_spaces

if TYPE_CHECKING:
    import jinja2

SHORTEST_FENCE = 8
TILDES = re.compile("~+")


@dataclass(frozen=True, kw_only=True)
class PromptParts:
    """Everything that a prompt may use: each name in a template is one of these fields."""

    stage_nr: str
    stage_key: str
    stage_title: str
    run_root: str
    draft_path: str
    brief: str
    call_minutes: int
    stage_prompt: str = ""  # its template, if that is not <stage_key>.md.j2
    memory: str = ""
    memory_digest: str = ""  # sha256 of memory.md, if that file takes the place of `memory`
    handoffs: tuple[tuple[str, str], ...] = ()
    index_rows: tuple[str, ...] = ()
    feedback: str = ""
    reason: str = ""  # refine | upstream changed | interrupted | redo
    upstream_changes: tuple[str, ...] = ()
    failed_rules: tuple[tuple[str, str], ...] = ()
    venue: Mapping[str, object] = field(default_factory=dict)
    requirements: tuple[str, ...] = ()
    experiments: tuple[str, ...] = ()
    trials: tuple[str, ...] = ()  # what each planned trial came to
    earlier: tuple[str, ...] = ()  # where the last version and draft are, if the conversation about them was lost


@dataclass(frozen=True, kw_only=True)
class ExperimentParts:
    """All that the prompt of one run of an experiment may say. What `fix_run` names failed and is to be fixed."""

    experiment: str
    run_id: str
    goal: str
    entry: str
    project: str
    mutable: str
    around: str
    protected: str
    scope: str
    metric: str
    wanted: str  # lower | higher
    standing: str
    constraints: str
    noise: str
    latest: str
    gains: str
    ideas: str
    level: str  # normal | refine | pivot | search | halt
    failures: int
    may_run: bool
    command: str = ""  # what is measured
    immutable: str = ""
    instructions: str = ""  # of a person, for the agent
    issues: str = ""  # what a command found in its files
    further_tools: str = ""  # besides reading, editing and the shell
    wanted_ideas: str = ""
    earlier_ideas: str = ""
    fix_run: str = ""
    rework: int = 0  # 1 and more: what the guard refused is to be fixed, from its own files
    fix_reason: str = ""
    fix_note: str = ""
    fix_diff: str = ""
    fix_tail: str = ""


@dataclass(frozen=True, kw_only=True)
class NextParts:
    """All that the prompt for the design of the next experiment may say."""

    experiment: str
    goal: str
    metric: str
    direction: str
    scope: str
    names: str
    report: str


@dataclass(frozen=True, kw_only=True)
class RoleParts:
    """All that the prompt of a role in a campaign may say. What it was told by others is JSON or plain text."""

    number: int
    attempts: int
    question: str
    metric: str
    wanted: str  # lower | higher
    mutable: str
    argv: str
    largest_change: int
    sources: str
    baseline: str
    log: str = ""
    ideas: str = ""
    choice: str = ""
    plan: str = ""
    failed: str = ""
    diff: str = ""
    outcome: str = ""


@dataclass(frozen=True, kw_only=True)
class ReviewParts:
    """All that the prompt of a reviewer of a draft may say."""

    stage_title: str
    brief: str
    memory: str
    draft: str
    sources: str
    paper: str = ""  # the text of the PDF
    facts: str = ""
    audit: str = ""
    earlier: tuple[str, ...] = ()  # the issues of earlier rounds, never what the author says about them


def role_prompt(folder: Path, role: str, parts: RoleParts) -> str:
    """The prompt of one role of a campaign."""
    return render(folder, f"campaign/{role}.md.j2", parts)


def review_prompt(folder: Path, template: str, parts: ReviewParts) -> str:
    """The prompt for whoever judges a draft."""
    return render(folder, template, parts)


Parts = PromptParts | ExperimentParts | NextParts | RoleParts | ReviewParts


def next_prompt(folder: Path, parts: NextParts) -> str:
    """The prompt for the design of the next experiment."""
    return render(folder, "experiment_next.md.j2", parts)


def experiment_prompt(folder: Path, parts: ExperimentParts) -> str:
    """The prompt for one edit of an experiment."""
    return render(folder, "experiment.md.j2", parts)


def first_prompt(folder: Path, parts: PromptParts) -> str:
    """The prompt that starts a conversation: the stage's own instructions, then everything they rest on."""
    return render(folder, "_partials/first.md.j2", parts)


def continuation_prompt(folder: Path, parts: PromptParts) -> str:
    """The prompt that continues a conversation: the reason, what the checks found, and the feedback word for word."""
    return render(folder, "continuation.md.j2", parts)


def repair_prompt(folder: Path, parts: PromptParts, template: str = "") -> str:
    """The prompt after a turn whose work did not pass: each failed rule, and what to do about it."""
    return render(folder, template or "repair.md.j2", parts)


def render(folder: Path, name: str, parts: Parts) -> str:
    """Renders a template. An error in it names its file and line."""
    import jinja2

    try:
        return environment(folder).get_template(name).render(vars(parts))
    except jinja2.TemplateNotFound as error:
        newer = (
            f", or take the newer prompts: flagstone repin {parts.stage_nr}" if isinstance(parts, PromptParts) else ""
        )
        raise FlagstoneError(f"there is no prompt {error.name} in {folder}", hint=f"create it{newer}") from error
    except jinja2.TemplateSyntaxError as error:
        raise FlagstoneError(
            f"{error.filename or folder}, line {error.lineno}: not a valid template: {error.message}",
            hint="correct that line; {{ name }} inserts a value, {% if %} and {% for %} need their end",
        ) from error
    except jinja2.UndefinedError as error:
        raise FlagstoneError(
            f"{place_in(folder, error.__traceback__)}: the template uses an unknown value: {error.message}",
            hint=f"a prompt may use: {', '.join(vars(parts))}",
        ) from error


def compile_all(folder: Path) -> None:
    """Compiles every template in advance. An error in one is reported when it is used."""
    import jinja2

    ready = environment(folder)
    for name in ready.list_templates():
        with suppress(jinja2.TemplateError):
            ready.get_template(name)


@functools.cache
def environment(folder: Path) -> jinja2.Environment:
    """Strict, unescaped, and closed: only templates of this one folder can be included."""
    import jinja2

    strict = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # prompts are plain text, read by a model and never by a browser
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    strict.filters["material"] = material
    strict.filters["one_line"] = lambda value: collapse_spaces(
        str(value)
    )  # a value that cannot start a line of its own
    return strict


def material(text: str, name: str) -> str:
    """Text from outside as a fenced block that no line of it can close, otherwise word for word."""
    clean = text.encode("utf-8", "replace").decode("utf-8")  # file names may hold lone surrogates
    longest = max(map(len, TILDES.findall(clean)), default=0)
    fence = "~" * max(SHORTEST_FENCE, longest + 1)
    end = "" if clean.endswith("\n") else "\n"
    return f"{fence} material: {name}\n{clean}{end}{fence}"


def place_in(folder: Path, trace: TracebackType | None) -> str:
    """The innermost template line of a traceback."""
    place = str(folder)
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.startswith(str(folder)):
            place = f"{trace.tb_frame.f_code.co_filename}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return place
