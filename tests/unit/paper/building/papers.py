"""A run with a small paper in it, as an agent leaves it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from flagstone.gates import open_run
from flagstone.layout import Project, Run
from flagstone.paper.building import Build, PaperOrder, build_paper, paper_stage
from flagstone.setup.new_run import NewRun, create

CHECKOUT = Path(__file__).resolve().parents[4]
SECTIONS = ("introduction", "related_work", "method", "experiments", "results", "limitations", "conclusion")


@dataclass(frozen=True)
class Paper:
    """A run whose paper is written, and built as often as a test asks."""

    project: Project
    run: Run

    def write(self, path: str, text: str) -> None:
        target = self.run.writing / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def describe(self, **changes: object) -> None:
        """Writes paper.yaml; None leaves a key out."""
        given = {"title": "A small paper", "sections": list(SECTIONS), "keywords": ["tests"], **changes}
        self.write("paper.yaml", yaml.safe_dump({key: value for key, value in given.items() if value is not None}))

    def order(self, **changes: object) -> PaperOrder:
        opened = open_run(self.project, self.run, validate=False)
        return replace(PaperOrder(opened, paper_stage(opened), self.run.paper), **changes)

    def build(self, **changes: object) -> Build:
        return build_paper(self.order(**changes))

    def failures(self) -> dict[str, str]:
        return {check.rule: check.message for check in self.build().failures}


def new_paper(root: Path, venue: str = "neutral") -> Paper:
    """A paper that breaks no rule."""
    project = Project(CHECKOUT, root / "runs")
    run = create(project, NewRun(name="t", goal="Does it help?", sets={"agent": "demo", "venue": venue}))
    paper = Paper(project, run)
    paper.describe()
    paper.write("abstract.tex", "We ask a question and answer it.\n")
    for name in SECTIONS:
        paper.write(f"sections/{name}.tex", f"\\section{{{name.replace('_', ' ').title()}}}\nThere are words here.\n")
    sources = CHECKOUT / "src/flagstone/agents/demo/material/sources.json"
    shutil.copy(sources, run.workspace / "literature" / "sources.json")
    paper.write("sections/introduction.tex", "\\section{Introduction}\nWe follow \\citet{zhang2018mixup}.\n")
    statement = "\\paragraph{Reproducibility statement.} All is here."
    paper.write("sections/conclusion.tex", f"\\section{{Conclusion}}\n{statement}\n")
    return paper
