"""Which files a paper may take numbers from: those that a stage offers, and Flagstone's own records."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from flagstone.gates import listed_paths
from flagstone.layout import Run
from flagstone.records import Ledger, read_record

# where no agent may write
OURS = re.compile(
    r"trials/[^/]+/(?:verdict\.json|ledger\.jsonl)|experiments/[^/]+/(?:best\.json|ledger\.jsonl)"
    r"|index/(?:data|results|figures)\.json"
)


@dataclass(frozen=True)
class Permission:
    """What the stages offer, by path, with the digests offered. `allowed` of a caller takes their place."""

    run: Run
    allowed: Callable[[str], bool] | None = None
    offered: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, run: Run, allowed: Callable[[str], bool] | None) -> Permission:
        found: dict[str, set[str]] = {}
        for path in () if allowed else sorted((run.root / "stages").glob("*.json")):
            offer = read_record(path) or {}
            if isinstance(offer.get("artifacts"), list):
                digests = {row.get("path"): row.get("digest") for row in offer["artifacts"] if isinstance(row, dict)}
                for name in listed_paths(offer):
                    found.setdefault(name, set()).add(str(digests.get(name)))
        return cls(run, allowed, found)

    def fault(self, path: str, digest: str) -> str:
        """Why no fact may rest on a file as it is now. Returns '' if one may."""
        if OURS.fullmatch(path):
            return self.record_fault(path)
        if self.allowed is not None:
            return "" if self.allowed(path) else f"no approved or offered stage lists {path}; list it in one"
        if path not in self.offered:
            return f"no stage offers {path}; list it in the summary of the stage that makes it"
        if digest not in self.offered[path]:
            return f"{path} has changed since its stage was offered; do that stage again, or restore the file"
        return ""

    def record_fault(self, path: str) -> str:
        """Whether somebody has changed a line of a ledger, which carries the digest of the line before."""
        if not path.endswith(".jsonl"):
            return ""
        changed = Ledger(self.run.root / path).rewritten_lines()
        return f"{changed[0]} ({path}); restore the ledger from a copy" if changed else ""
