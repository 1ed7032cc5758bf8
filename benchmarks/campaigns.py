"""How often a campaign ends SUPPORTED although nothing works: the real commands, with an agent that answers at once.

    python benchmarks/campaigns.py [CAMPAIGNS]       20 by default; 300 take hours on a small machine

Every idea draws other noise with its switch than without, and gains nothing. `benchmarks/trials.py` does the same by
simulation, with thousands of campaigns.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from math import comb
from pathlib import Path

import yaml

from measured.project import FLAGSTONE, throw_away_project
from measured.rounds import command

CAMPAIGNS = 20
WRONG = 0.05  # the rate that is promised
SURE = 0.01  # so rarely a product that keeps the promise is accused
PROGRAM = """import hashlib, sys
words = " ".join(sys.argv[1:])
draws = [hashlib.sha256(f"{words} {nr}".encode()).digest()[0] / 255 for nr in range(12)]
print(f"val_loss: {10 + sum(draws) - 6:.6f}")
# the ideas:
"""


def main() -> None:
    campaigns = int(sys.argv[1]) if len(sys.argv) > 1 else CAMPAIGNS
    outcomes: Counter[str] = Counter()
    with throw_away_project() as root:
        project = root / "project"
        project.mkdir()
        (project / "train.py").write_text(PROGRAM)
        script = write_script(root)
        for number in range(campaigns):
            outcomes[outcome_of_campaign(root, f"c{number}", script)] += 1
            sys.stdout.write(f"{number + 1}/{campaigns}  {dict(outcomes)}\n")
            sys.stdout.flush()
    wrong, most = outcomes["SUPPORTED"], most_wrong(campaigns)
    sys.stdout.write(f"SUPPORTED although nothing works: {wrong} of {campaigns}; at most {most} are to be expected\n")
    sys.exit(wrong > most)


def write_script(root: Path) -> Path:
    """An agent whose three ideas add a switch that changes nothing but the noise."""
    ideas = {
        number: {
            "title": f"Idea {number}",
            "switch": [f"--idea{number}"],
            "edits": {"train.py": [["# the ideas:", f"# the ideas: --idea{number}"]]},
        }
        for number in (1, 2, 3)
    }
    path = root / "campaign.yaml"
    path.write_text(yaml.safe_dump({"*": {"*": "instant"}, "03": {"*": "instant-of 07"}, "campaign": ideas}))
    return path


def outcome_of_campaign(root: Path, name: str, script: Path) -> str:
    words = ("--goal", "Is the loss lower?", "--project", root / "project", "--mutable", "train.py")
    words += ("--metric", "val_loss", "--minimum-effect", "0.001", "--smoke", "python train.py 1")
    words += ("--agent", "scripted", "--set", f"scripted.script={script}")
    command(FLAGSTONE, "campaign", "new", name, *words, "--", "python", "train.py", "{seed}", cwd=root)
    plan = root / "runs" / name / "workspace" / "trials" / f"{name}.yaml"
    plan.write_text(plan.read_text() + "underpowered: accept\n")
    command(FLAGSTONE, "run", name, "--cores", "2", cwd=root)
    return str(json.loads((root / "runs" / name / "trials" / name / "verdict.json").read_text())["outcome"])


def most_wrong(campaigns: int) -> int:
    """The number of wrong papers that a product which keeps the promise exceeds in one of a hundred such benchmarks."""
    chances = [comb(campaigns, k) * WRONG**k * (1 - WRONG) ** (campaigns - k) for k in range(campaigns + 1)]
    return next(k for k in range(campaigns + 1) if sum(chances[: k + 1]) >= 1 - SURE)


if __name__ == "__main__":
    main()
