"""Which files a paper may take numbers from: those that a stage offers, and Flagstone's own records."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from flagstone.artifacts.rules import WRITES_PAPER
from flagstone.errors import suggestion
from flagstone.gates import listed_paths
from flagstone.layout import Run, shipped_files
from flagstone.records import Ledger, content_of, digest_bytes, read_record
from flagstone.stages import load_table

# where no agent may write
OURS = re.compile(
    r"trials/[^/]+/(?:verdict\.json|ledger\.jsonl)|experiments/[^/]+/(?:best\.json|ledger\.jsonl)"
    r"|index/(?:data|results|figures)\.json"
)


@dataclass(frozen=True)
class Permission:
    """What the stages offer, by path, with the digests offered."""

    run: Run
    offered: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, run: Run) -> Permission:
        found: dict[str, set[str]] = {}
        later = stages_from_paper_on(run)
        for path in sorted((run.root / "stages").glob("*.json")):
            offer = {} if path.stem in later else read_record(path) or {}
            if isinstance(offer.get("artifacts"), list):
                digests = {row.get("path"): row.get("digest") for row in offer["artifacts"] if isinstance(row, dict)}
                for name in listed_paths(offer):
                    found.setdefault(name, set()).add(str(digests.get(name)))
        return cls(run, found)

    def offers_file(self, path: str) -> bool:
        """Whether a stage offers a file as it is now."""
        content = content_of(self.run.root / path)
        return content is not None and not self.fault(path, digest_bytes(content))

    def fault(self, path: str, digest: str) -> str:
        """Why no fact may rest on a file as it is now. Returns '' if one may."""
        if OURS.fullmatch(path):
            return self.record_fault(path)
        if path not in self.offered:
            return f"no stage offers {path}; list it in the summary of the stage that makes it"
        if digest not in self.offered[path]:
            return f"{path} has changed since its stage was offered; do that stage again, or restore the file"
        return ""

    def record_fault(self, path: str) -> str:
        """Whether somebody has changed a ledger, whose lines carry the digest of the line before, or a verdict."""
        folder = (self.run.root / path).parent
        changed = Ledger(folder / "ledger.jsonl").rewritten_lines() if folder.name != "index" else []
        if changed:
            return f"{changed[0]} ({self.run.relative(folder)}); restore the ledger from a copy"
        if folder.parent.name == "trials" and not (folder / "verdict.json").is_file():
            return f"trial {folder.name} has no verdict yet; take its numbers when it has ended"
        if path.endswith("verdict.json") and not is_verdict_in_ledger(folder):
            return f"{path} is not what the trial's ledger says; remove it, and run: flagstone trials report"
        if path.endswith("best.json") and not is_best_in_ledger(folder):
            return f"{path} is not what the experiment's ledger says; take the number from ledger.jsonl"
        return ""

    def missing_text(self, path: str) -> str:
        """What to read instead of a file that is not there."""
        known = [*self.offered, *(self.run.relative(found) for found in self.run.root.glob("[te]*s/*/*.json*"))]
        return suggestion(path, known) or "name a file that a stage offers"


def stages_from_paper_on(run: Run) -> tuple[str, ...]:
    """The keys of the stage that writes the paper, and of those after it: what they offer is no result."""
    pinned = run.pinned / "stages.yaml"
    if not pinned.is_file():
        return ()
    table = load_table(pinned, shipped_files() / "schemas", validate=False)
    writing = [stage for stage in table if WRITES_PAPER in stage.requires or stage.work == "paper"]
    return tuple(each.key for stage in writing for each in (stage, *table.descendants(stage.nr)))


def is_best_in_ledger(experiment: Path) -> bool:
    """Whether best.json names the best run of the ledger, and its value there."""
    written = read_record(experiment / "best.json") or {}
    lines = Ledger(experiment / "ledger.jsonl").entries()
    name, value = written.get("run_id"), (written.get("primary") or {}).get("value")
    is_best = bool(lines) and lines[-1].get("best_run") == name
    return is_best and any((line.get("run_id"), line.get("value")) == (name, value) for line in lines)


def is_verdict_in_ledger(trial: Path) -> bool:
    """Whether the numbers of verdict.json are those of the line that ended the trial: it may have been edited since."""
    written = read_record(trial / "verdict.json") or {}
    lines = [line for line in Ledger(trial / "ledger.jsonl").entries() if line.get("kind") == "verdict"]
    ideas = lines[-1].get("ideas", []) if lines else []
    confirmed = next((idea.get("confirmation") for idea in ideas if idea.get("arm") == written.get("arm")), None) or {}
    for pair in confirmed.get("pairs", []):
        pair["e"] = pair.pop("improvement", None)
    return (
        bool(lines)
        and written.get("outcome") == lines[-1].get("outcome")
        and bool(written.get("exploratory")) == bool(lines[-1].get("exploratory"))
        and (written.get("confirm") or {}) == confirmed
        and written.get("screen") == [idea["screen"] for idea in ideas if idea.get("screen")]
    )
