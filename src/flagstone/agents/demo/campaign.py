"""The stages of a campaign, carried out by script: what the trial came to is told, and typeset with its numbers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from flagstone.agents.demo.reading import approved_before, venue_of
from flagstone.agents.demo.study import Study, fill_in, material
from flagstone.agents.demo.summary import SCRIPTED, DemoSummary, answer_to_feedback, approved_lines
from flagstone.agents.demo.writing import CHECKLIST_OF, Entries, write_yaml
from flagstone.errors import WorkFailed

TITLES = ("Set-up", "Discovery", "Paper", "Completion")  # of the stages of a campaign
TITLE = "Which cheap change helps when some labels are wrong?"
SECTIONS = ("introduction", "method", "results", "discussion")
SOURCES = "sources.json"  # the works that it cites
SUGGESTIONS = ("Let an agent with understanding have the ideas.", "Try other constants.", "Try other data.")
GATES = {
    "confirm": "An idea was dropped if the screening seeds did not favour it. The survivor whose mean came "
    "first was confirmed once, on pairs of runs with seeds that were drawn by the engine and hidden from whoever "
    "wrote the ideas.",
    "cohens_d": "Each idea was run on a few seeds with its switch off and on. It was taken if Cohen's $d$ was large "
    "enough, dropped if it was small, and run on more seeds in between.",
}
# Abstract, results and conclusion, if nothing was confirmed
UNCONFIRMED = (
    "No idea passed the screen, so that none was confirmed.",
    "No idea was confirmed.",
    "None of the ideas is shown to help.",
)
BY_EFFECT_SIZE = (
    "Ideas were judged by their effect size on a few seeds, without a confirmation: all numbers are exploratory.",
    "No idea was confirmed on fresh seeds.",
    "An effect size on a few seeds shows nothing for certain: an idea that does nothing often passes this gate.",
)
CONFIRMED = {
    "mean": "+.2f",
    "ci_low": "+.2f",
    "ci_high": "+.2f",
    "n": "",
    "p": ".2g",
    "g": ".2f",
}  # facts, with formats
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
    """03: the paper, as its agent leaves it: sections, and where each number, table and claim comes from."""
    verdict, place = verdict_of(study), f"trials/{plan_file(study).stem}/verdict.json"
    key, _ = venue_of(study.call.prompt, study.root)
    study.write(f"literature/{SOURCES}", material(SOURCES))
    marks, facts, claims = paper_text(verdict, place)
    for name, value in (("facts", facts), ("claims", claims)):
        write_yaml(study, name, value)
    checklist = ["checklist"] if key.startswith(CHECKLIST_OF) else []
    after = {"after_references": checklist} if checklist else {}
    write_yaml(study, "paper", {"title": TITLE, "keywords": ["label noise"], "sections": list(SECTIONS), **after})
    for section in SECTIONS:
        study.write(f"writing/sections/{section}.tex", fill_in(material(f"campaign/section_{section}.tex"), marks))
    for section in checklist:
        study.write(f"writing/sections/{section}.tex", material(f"section_{section}.tex"))
    study.write("writing/abstract.tex", fill_in(material("campaign/section_abstract.tex"), marks))
    study.write("writing/paper.md", f"# {TITLE}\n\n{outcomes_text(verdict)}\n\n{report_of(study)}")
    return summary_of(study, {"VENUE": key, "OUTCOME": verdict["outcome"]})


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


def paper_text(verdict: Mapping[str, Any], place: str) -> tuple[TemplateValues, Entries, Entries]:
    """The sentences that depend on the outcome, with the facts and claims that they need."""
    facts: Entries = {"minimum_effect": {"from": f"{place}#/minimum_effect", "format": "g", "kind": "config"}}
    gate = {"GATE": GATES[verdict["gate"]]}
    if verdict["confirm"] is None:
        abstract, results, conclusion = UNCONFIRMED if verdict["gate"] == "confirm" else BY_EFFECT_SIZE
        marks = {"ABSTRACT_ENDING": abstract, "CONFIRMATION": results, "CONCLUSION": conclusion}
        return {**gate, **marks}, facts, {}
    for name, form in CONFIRMED.items():
        facts[f"confirm_{name}"] = {"from": f"{place}#/confirm/{name}", **({"format": form} if form else {})}
    facts["idea"] = {"from": f"{place}#/ideas/*/title?where=arm={verdict['arm']}"}
    is_supported = verdict["outcome"] == "SUPPORTED"
    claims, trial = dict[str, dict[str, Any]](), place.rpartition("/")[0]
    ending = f"The verdict is {verdict['outcome'].lower()}."
    interval = "(interval \\val{confirm_ci_low} to \\val{confirm_ci_high}, over \\val{confirm_n} pairs)"

    def confirmed_text(where: str) -> str:
        words = "\\emph{\\val{idea}} saves \\val{confirm_mean} points of test error"
        if not is_supported:
            seen = "\\emph{\\val{idea}} was confirmed with a mean of \\val{confirm_mean} points"
            return f"{seen} {interval}. {ending}"
        claims[f"{where}_best"] = {"kind": "better", "of": "confirm_mean", "against": 0, "verdict": trial}
        return f"\\claim{{{where}_best}}{{{words}}} {interval}. {ending}"

    tests = "The test is a one-sided paired t-test with $p=\\val{confirm_p}$; Hedges' $g$ is \\val{confirm_g}."
    marks = {
        "ABSTRACT_ENDING": confirmed_text("abstract"),
        "CONFIRMATION": f"{confirmed_text('results')} {tests}",
        "CONCLUSION": confirmed_text("conclusion") if is_supported else "None of the ideas is shown to help.",
    }
    return {**gate, **marks}, facts, claims


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
