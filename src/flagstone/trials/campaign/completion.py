"""The end of a campaign: its documents under their own names, what is in the way in the archive, and the summary."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.experiments.candidates import Store
from flagstone.layout import Run
from flagstone.plans import unused_path
from flagstone.records import content_of, write_atomic
from flagstone.trials.campaign.asking import CampaignRecord, idea_number
from flagstone.trials.campaign.idea_log import NAME, journal_text
from flagstone.trials.campaign.outcome import PAPER, PATCH, RESEARCH, leading_idea, summary_text
from flagstone.trials.campaign.roles import INNOVATOR, REVIEWER
from flagstone.trials.reporting import Report, heading_of, markdown, minimum_effect_of, sections_of

DOCS = "workspace/notes/docs"
SUMMARY = "summary.md"
ARCHIVE = "archive"
INTERMEDIATE = ("draft", "empty")  # of an idea: private folders of its roles, whose content is in the store
INPUT = re.compile(r"\\input\{([^}]+)\}")
UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")


def complete(record: CampaignRecord) -> None:
    """Exports the documents, archives what is only intermediate, and writes summary.md. Raw runs stay as they are."""
    run = Run(record.folder.base)
    for path, content in documents_of(record, run):
        write_atomic(run.root / path, content)
    archive(record, run)
    write_atomic(run.root / SUMMARY, summary_text(record).encode())


def documents_of(record: CampaignRecord, run: Run) -> Iterator[tuple[str, bytes]]:
    """Every exported document by its path in the run."""
    baseline = content_of(record.folder.baseline)
    if baseline is not None:
        yield f"{RESEARCH}/baseline_variance_{scale_text(record)}.md", baseline
    log = f"# Idea log\n\n{journal_text(record)}"
    yield f"{RESEARCH}/{NAME}", log.encode("utf-8", "replace")
    yield from idea_documents(record)
    found = leading_idea(record)
    if found:  # the commit of an idea has the baseline as its parent
        commit = record.story.ideas[found.arm].commit
        yield PATCH, Store(record.folder.store).diff(f"{commit}^", commit).encode("utf-8", "surrogateescape")
    yield from paper_documents(run)


def idea_documents(record: CampaignRecord) -> Iterator[tuple[str, bytes]]:
    """One report for each idea that was measured."""
    report = Report(record.spec, record.story, minimum_effect_of(record.spec, record.story))
    ended = {idea.arm: heading_of(idea) for idea in report.ideas}
    for arm, idea in record.story.ideas.items():
        wanted = ("Result", ended.get(arm), "Baseline")
        sections = [section for section in sections_of(report) if section.heading in wanted]
        if idea.tree:
            name = idea_name(record, idea_number(arm)) + ("_repaired" if arm.endswith("r") else "")
            yield f"{RESEARCH}/experiment_{name}.md", markdown(f"Experiment: {idea.title}", sections).encode()


def idea_name(record: CampaignRecord, number: int) -> str:
    """The short name that the innovator gave the idea that was taken."""
    ideas = (record.answer(number, INNOVATOR) or {}).get("ideas", [])
    choice = int((record.answer(number, REVIEWER) or {}).get("choice", 0))
    return str(ideas[choice - 1]["name"]) if 0 < choice <= len(ideas) else f"idea{number}"


def paper_documents(run: Run) -> Iterator[tuple[str, bytes]]:
    writing = run.workspace / "writing"
    text = content_of(writing / "paper.md")
    if text is not None:
        yield f"{PAPER}/{UNSAFE.sub('_', run.name)}.md", text
    if (writing / "main.tex").is_file():
        yield f"{PAPER}/paper.tex", whole_latex(writing, "main.tex").encode("utf-8", "replace")
    pdf = content_of(run.workspace / "artifacts" / "paper.pdf")
    if pdf is not None:
        yield f"{PAPER}/paper.pdf", pdf


def whole_latex(writing: Path, name: str, depth: int = 4) -> str:
    """A LaTeX document as one file. What cannot be read stays an `\\input`."""
    text = (writing / name).read_text(encoding="utf-8", errors="replace")

    def content(found: re.Match[str]) -> str:
        path = found[1] if found[1].endswith(".tex") else f"{found[1]}.tex"
        is_ours = depth and (writing / path).is_file() and (writing / path).resolve().is_relative_to(writing.resolve())
        return whole_latex(writing, path, depth - 1) if is_ours else found[0]

    return INPUT.sub(content, text)


def scale_text(record: CampaignRecord) -> str:
    """How large a run is, as 1M for a million, if the plan names an argument for it; otherwise the trial's name."""
    words = record.spec.experiment.harness.argv
    values = (words[place + 1] for place, word in enumerate(words[:-1]) if word.lstrip("-") in record.spec.scale)
    value = next(values, "")
    for size, letter in ((10**9, "B"), (10**6, "M"), (10**3, "k")):
        if value.isdecimal() and int(value) >= size:
            return f"{int(value) / size:g}{letter}"
    return UNSAFE.sub("_", value) or record.spec.name


def archive(record: CampaignRecord, run: Run) -> None:
    """Moves the private folders of the roles to archive/."""
    for arm in record.story.ideas:
        for name in INTERMEDIATE:
            source, target = record.folder.idea(arm) / name, run.root / ARCHIVE / "ideas" / arm / name
            if source.is_dir():
                target.parent.mkdir(parents=True, exist_ok=True)
                os.rename(source, unused_path(target))


def export_to(run: Run, folder: Path) -> list[Path]:
    """Copies the exported documents to docs/ of a folder, such as the project. Nothing there is overwritten."""
    source = run.root / DOCS
    paths = sorted(path for path in source.rglob("*") if path.is_file())
    if not paths:
        raise FlagstoneError(
            f"run {run.name} has exported nothing yet", hint=f"its last stage does that: flagstone run {run.name}"
        )
    made = []
    for path in paths:
        target = folder / "docs" / path.relative_to(source)
        if content_of(target) == path.read_bytes():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target = unused_path(target)
        shutil.copyfile(path, target)
        made.append(target)
    return made
