"""A run for the demo agent, or for the agent `scripted`, to work in, and calls to make of it."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripted_agent.agent import ScriptedAgent

from flagstone.agents.demo import DemoAgent
from flagstone.agents.protocol import AgentCall, AgentResult, Conversation, Event, Limits, Mode, Task
from flagstone.artifacts import RuleCheck, StageCheck, TurnFacts, check_stage, snapshot
from flagstone.gates import open_run
from flagstone.layout import Project, Run
from flagstone.paper.building import PaperOrder, build_paper, publish
from flagstone.records import DigestCache, digest_file, write_record
from flagstone.setup.pinning import pin_all
from flagstone.stages import load_table

CHECKOUT = Path(__file__).resolve().parents[3]
TABLE = load_table(CHECKOUT / "config" / "stages.yaml", CHECKOUT / "schemas")
RECORDS = CHECKOUT / "src" / "flagstone" / "agents" / "demo" / "material" / "citations"
STAGES = tuple(stage.nr for stage in TABLE)


def material(name: str, text: str) -> str:
    return f"\n~~~~~~~~ material: {name}\n{text}\n~~~~~~~~\n"


@dataclass
class DemoRun:
    """A run directory, with the demo agent's options and everything that it said."""

    root: Path
    options: dict[str, Any]
    memory: str = ""
    events: list[Event] = field(default_factory=list)
    checks: tuple[RuleCheck, ...] = ()

    def draft(self, stage: str, attempt: int = 1) -> Path:
        return self.root / "drafts" / stage / str(attempt) / "draft.md"

    def text(self, stage: str, attempt: int = 1) -> str:
        return self.draft(stage, attempt).read_text()

    def file(self, place: str) -> Path:
        return self.root / "workspace" / place

    def asked(
        self, stage: str, attempt: int = 1, *, feedback: str = "", resume: bool = False, **more: Any
    ) -> AgentCall:
        """A call as the engines make it; `more` replaces single fields."""
        prompt = "# Your task\n" + material("the brief", "Does it help?") + material("approved memory", self.memory)
        fields: dict[str, Any] = {
            "prompt": prompt + (material("feedback", feedback) if feedback else ""),
            "conversation": Conversation(str(uuid.uuid4()), resume),
            "task": Task(stage, TABLE.stage(stage).title, attempt, self.root, self.draft(stage, attempt)),
            "mode": Mode.WORK,
            "writable": (self.root / "workspace", self.draft(stage, attempt)),
            "model": None,
            "limits": Limits(wall_s=120, silence_s=60, turns=10, cost_usd=None),
            "record_dir": self.draft(stage, attempt).parent,
            "options": self.options,
        }
        return AgentCall(**{**fields, **more})

    def call(self, stage: str, attempt: int = 1, **more: Any) -> AgentResult:
        call = self.asked(stage, attempt, **more)
        for folder in (call.record_dir, call.task.draft.parent, self.root / "workspace"):
            folder.mkdir(parents=True, exist_ok=True)
        call.task.draft.touch()
        if stage == "08":  # what Flagstone leaves before it asks
            point = {"stage": "07", "rule": "self-review", "outcome": "not checked", "evidence": ""}
            counts = {"pass": 0, "fail": 0, "not checked": 1}
            (self.root / "bundle").mkdir(exist_ok=True)
            write_record(
                self.root / "bundle" / "readiness.json",
                {"decision": "ready with reservations", "counts": counts, "points": [point]},
            )
        agent = ScriptedAgent() if self.options.get("script") else DemoAgent()
        return agent.call(call, self.events.append)

    def checked(self, stage: str, attempt: int = 1, **more: Any) -> list[str]:
        """Carries out a stage and returns the rules that it breaks."""
        row = TABLE.stage(stage)
        run, cache = Run(self.root), DigestCache(None)
        turn = TurnFacts(*snapshot(run, cache))
        self.call(stage, attempt, **more)
        where = (run, stage, row.title, self.draft(stage, attempt))
        built = self.built_paper() if stage == "07" else ()
        self.checks = check_stage(StageCheck(*where, turn, row.requires, cache, row.leaves), built)
        return [f"{check.rule}: {check.message}" for check in self.checks if check.status == "failed"]

    def built_paper(self) -> tuple[RuleCheck, ...]:
        """What Flagstone does after the agent of stage 07: it builds the paper from what the other stages offer."""
        settings = "agent: demo\nvenue: neurips_2025\n"
        (self.root / "run.yaml").write_text(settings)
        (self.root / "brief.md").write_text("Does it help?")
        run = Run(self.root)
        project = Project(CHECKOUT, self.root.parent)
        pin_all(project, run)
        opened = open_run(project, run, {"citations": {"records": str(RECORDS)}}, validate=False)
        built = build_paper(PaperOrder(opened, opened.table.stage("07"), run.paper))
        publish(run)
        return built.checks

    def offer(self, stage: str) -> None:
        """What Flagstone leaves when a stage is approved: the files that it offers, with their digests."""
        files = [path for path in sorted(self.root.glob("workspace/**/*")) if path.is_file()]
        rows = [{"path": os.path.relpath(path, self.root), "digest": digest_file(path)} for path in files]
        (self.root / "stages").mkdir(exist_ok=True)
        write_record(self.root / "stages" / f"{TABLE.stage(stage).key}.json", {"stage": stage, "artifacts": rows})

    def through(self, *stages: str) -> dict[str, list[str]]:
        """Carries out stages, each approved as it is, and returns the rules that each breaks."""
        broken = {}
        for stage in stages or STAGES:
            broken[stage] = self.checked(stage)
            self.offer(stage)
            self.memory += self.text(stage) + "\n"
        return {stage: rules for stage, rules in broken.items() if rules}

    def content(self) -> dict[str, bytes]:
        """Every file of the workspace, and every draft."""
        places = [*self.root.glob("workspace/**/*"), *self.root.glob("drafts/*/*/draft.md")]
        return {os.path.relpath(path, self.root): path.read_bytes() for path in places if path.is_file()}


def demo_run(root: Path, **options: Any) -> DemoRun:
    root.mkdir(parents=True, exist_ok=True)
    return DemoRun(root, options)
