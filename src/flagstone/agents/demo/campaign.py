"""The stages of a campaign, carried out by script: what the trial came to is told, and typeset with its numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from flagstone.agents.demo.closing import UNFIT, compile_paper
from flagstone.agents.demo.reading import approved_before, venue_of
from flagstone.agents.demo.study import Study, fill_in, material
from flagstone.agents.demo.summary import SCRIPTED, DemoSummary, answer_to_feedback, approved_lines
from flagstone.errors import WorkFailed

TITLES = ("Set-up", "Discovery", "Paper", "Completion")  # of the stages of a campaign
TITLE = "Which of Three Cheap Changes Helps When One Label in Five Is Wrong?"
SECTIONS = ("abstract", "introduction", "method", "results", "discussion")
SUGGESTIONS = ("Let an agent with understanding have the ideas.", "Try other constants.", "Try other data.")
GATES = {
    "confirm": "An idea was dropped if three screening seeds did not favour it. The survivor with the largest mean "
    "improvement was confirmed once, on pairs of runs with seeds that were drawn by the engine and hidden from whoever "
    "wrote the ideas, with at most two looks.",
    "cohens_d": "Each idea was run on three seeds with its switch off and on. It was taken if Cohen's $d$ was at least "
    "0.5, dropped below 0.2, and run on two more seeds in between.",
}
# Abstract, results and conclusion, if nothing was confirmed
UNCONFIRMED = (
    "No idea passed the screen, so that none was confirmed.",
    "No idea was confirmed.",
    "None of the three is shown to help.",
)
BY_EFFECT_SIZE = (
    "Ideas were judged by their effect size on a few seeds, without a confirmation: all numbers are exploratory.",
    "The gate asked for an effect size of 0.5 on three seeds. No idea was confirmed on fresh ones.",
    "An effect size on three seeds shows nothing for certain: an idea that does nothing passes this gate in one of "
    "three cases.",
)
TemplateValues = Mapping[str, object]


def campaign_stages() -> Mapping[str, Callable[[Study], DemoSummary]]:
    return {"01": set_up, "02": discovery, "03": paper, "04": completion}


def is_of_campaign(title: str) -> bool:
    return title in TITLES


def set_up(study: Study) -> DemoSummary:
    plan = plan_file(study)
    argv = yaml.safe_load(plan.read_text(encoding="utf-8"))["harness"]["argv"]
    setup = study.record("notes/setup.json", "00")
    study.write_record("notes/setup.json", {**setup, "smoke": ["python", "train.py", "--epochs", "1"]})
    return summary_of(study, {"TRIAL": plan.stem, "ARGV": " ".join(argv)})


def discovery(study: Study) -> DemoSummary:
    return summary_of(study, {"OUTCOMES": outcomes_text(verdict_of(study))})


def paper(study: Study) -> DemoSummary:
    verdict = verdict_of(study)
    key, _ = venue_of(study.call.prompt, study.root)
    study.write("writing/main.tex", fill_in(material("campaign/main.tex"), {"VENUE": key, "TITLE": TITLE}))
    study.write("writing/references.bib", material("references.bib"))
    for section in SECTIONS:
        study.write(f"writing/sections/{section}.tex", material(f"campaign/section_{section}.tex"))
    study.write("writing/numbers.tex", numbers_tex(numbers_of(study, verdict)))
    study.write("writing/tables/ideas.tex", ideas_table(verdict))
    study.write("writing/tables/pairs.tex", pairs_table(verdict))
    study.write("writing/paper.md", f"# {TITLE}\n\n{outcomes_text(verdict)}\n\n{report_of(study)}")
    pages, _ = compile_paper(study)
    return summary_of(study, {"VENUE": key, "PAGES": pages, "OUTCOME": verdict["outcome"]})


def completion(study: Study) -> DemoSummary:
    return summary_of(study, {"OUTCOMES": outcomes_text(verdict_of(study))})


def plan_file(study: Study) -> Path:
    """The one plan of the trial."""
    found = sorted((study.root / "workspace" / "trials").glob("*.yaml"))
    if not found:
        raise WorkFailed("there is no plan in workspace/trials", hint="flagstone campaign new writes one")
    return found[0]


def trial_folder(study: Study) -> Path:
    return study.root / "trials" / plan_file(study).stem


def verdict_of(study: Study) -> dict[str, Any]:
    path = trial_folder(study) / "verdict.json"
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise WorkFailed(f"{path} is missing or unreadable", hint="the trial has to end first") from error


def report_of(study: Study) -> str:
    return study.text_of(f"trials/{plan_file(study).stem}/report.md")


def outcomes_text(verdict: Mapping[str, Any]) -> str:
    """The outcome word, then a line an idea."""
    ideas = [f"- {idea['title']}: {idea['outcome']}" for idea in verdict["ideas"]]
    return "\n".join([f"- The outcome is **{verdict['outcome']}**. {verdict.get('reason', '')}".rstrip(), *ideas])


def numbers_of(study: Study, verdict: Mapping[str, Any]) -> Mapping[str, str]:
    """Every number and ending of the text, by its macro."""
    gate = GATES[verdict["gate"]]
    found = {
        **setting_of(study),
        "GateText": gate,
        "MinimumEffect": f"{verdict['minimum_effect']:g}",
        "ThreeSeeds": three_seeds(study),
    }
    confirmed = verdict["confirm"]
    if confirmed is None:
        abstract, results, conclusion = UNCONFIRMED if verdict["gate"] == "confirm" else BY_EFFECT_SIZE
        return {**found, "AbstractEnding": abstract, "ConfirmationText": results, "Conclusion": conclusion}
    title = next(idea["title"] for idea in verdict["ideas"] if idea["arm"] == verdict["arm"])
    effect = (
        f"{confirmed['mean']:.2f} points (95\\,\\% interval {confirmed['ci_low']:.2f} to {confirmed['ci_high']:.2f})"
    )
    words = f"\\emph{{{title}}} saves {effect} of test error over {confirmed['n']} pairs"
    is_supported = verdict["outcome"] == "SUPPORTED"
    ending = "which supports it." if is_supported else f"and the verdict is {verdict['outcome'].lower()}."
    tests = f"one-sided paired t-test, $p = {confirmed['p']:.4g}$; Hedges' $g = {confirmed['g']:.2f}$"
    helps = f"\\emph{{{title}}} lowers the test error here."
    return {
        **found,
        "AbstractEnding": f"{words}, {ending}",
        "ConfirmationText": f"{words} ({tests}), {ending} Table~\\ref{{tab:pairs}} has every seed.",
        "Conclusion": helps if is_supported else "None of the three is shown to help.",
    }


def setting_of(study: Study) -> dict[str, str]:
    """What was run, as program and baseline say."""
    program = study.text_of("workspace/code/project/train.py")
    images = re.search(r"^TRAINING_IMAGES, TEST_IMAGES = (\d+),", program, re.MULTILINE)
    lines = study.text_of(f"trials/{plan_file(study).stem}/baseline_variance.md").splitlines()
    rows = [[cell.strip() for cell in line.split("|")] for line in lines]
    spread = next((row for row in rows if len(row) > 5 and row[1] == "test_error"), ["--"] * 7)
    seeds = next((line for line in lines if line.startswith("Seeds used:")), "")
    return {
        "TrainingImages": images[1] if images else "some",
        "BaselineMean": spread[2],
        "BaselineSd": spread[3],
        "BaselineSeeds": str(len(seeds.split(","))),
    }


def three_seeds(study: Study) -> str:
    """What a rule of three seeds would have published, in the words of the report."""
    lines = report_of(study).splitlines()
    return UNFIT.sub(" ", next((line for line in lines if line.startswith("The rule of three seeds")), ""))


def numbers_tex(numbers: Mapping[str, str]) -> str:
    return "".join(f"\\newcommand{{\\{name}}}{{{text}}}\n" for name, text in numbers.items())


def idea_row(verdict: Mapping[str, Any], idea: Mapping[str, Any]) -> str:
    """A row of the table: confirmed numbers, or those of the screen."""
    screen = next((row for row in verdict["screen"] if row["arm"] == idea["arm"]), None)
    head = f"{UNFIT.sub(' ', idea['title'])} & {idea['outcome'].lower()}"
    if idea["arm"] == verdict["arm"] and verdict["confirm"]:
        found = verdict["confirm"]
        return f"{head} & {found['n']} & {found['mean']:.2f} & {found['ci_low']:.2f} to {found['ci_high']:.2f}"
    if screen is not None and screen["mean"] is not None:
        return f"{head} & {screen['n']} & {screen['mean']:.2f} & (screening)"
    return f"{head} & -- & -- & --"


def ideas_table(verdict: Mapping[str, Any]) -> str:
    rows = [idea_row(verdict, idea) for idea in verdict["ideas"]]
    about = "Every idea that was tried, with the points of test error saved; positive is better."
    head = "idea & outcome & $n$ & improvement & 95\\,\\% interval"
    return table_tex("ideas", "llrrl", about, head, rows)


def pairs_table(verdict: Mapping[str, Any]) -> str:
    """Every seed of the confirmation."""
    if verdict["confirm"] is None:
        return "% no idea was confirmed\n"
    columns = ("seed", "control", "treated", "e")
    rows = [" & ".join(cell_text(pair[name]) for name in columns) for pair in verdict["confirm"]["pairs"]]
    about = "The confirmation: test error in per cent on each seed, and the points saved."
    return table_tex("pairs", "rrrr", about, "seed & control & treated & saved", rows)


def table_tex(name: str, columns: str, about: str, head: str, rows: Sequence[str]) -> str:
    lines = [
        "\\begin{table}[ht]",
        "\\centering\\small",
        f"\\caption{{{about}}}\\label{{tab:{name}}}",
        f"\\begin{{tabular}}{{{columns}}}",
        "\\toprule",
        f"{head} \\\\",
        "\\midrule",
        *(f"{row} \\\\" for row in rows),
        "\\bottomrule",
        "\\end{tabular}",
        "\\end{table}",
    ]
    return "\n".join(lines) + "\n"


def cell_text(value: float | None) -> str:
    return "failed" if value is None else str(value) if isinstance(value, int) else f"{value:.2f}"


def summary_of(study: Study, values: TemplateValues) -> DemoSummary:
    """The summary of a stage from its template."""
    task = study.call.task
    template = yaml.safe_load(material("campaign/stages.yaml"))[task.stage]
    parts = {name: fill_in(template[name], values) for name in ("objective", "did", "results")}
    answered = f"\n\n{answer_to_feedback(study.feedback)}" if study.feedback else ""
    return DemoSummary(
        stage=task.stage,
        title=task.title,
        objective=parts["objective"],
        approved=approved_lines(approved_before(study.call.prompt, study.root, task.stage)),
        did=f"{parts['did']}{answered}\n\n{SCRIPTED}",
        results=parts["results"],
        files={fill_in(path, values): about for path, about in template["files"].items()},
        suggestions=SUGGESTIONS,
    )
