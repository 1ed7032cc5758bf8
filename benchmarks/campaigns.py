"""How often a campaign ends SUPPORTED although nothing works: the real commands, with an agent that answers at once.

    python benchmarks/campaigns.py [CAMPAIGNS] [--results FILE]

20 campaigns by default; 300 take hours on a small machine. Each that has ended adds a line to FILE, and those that are
there are not run again: after Ctrl-C the same command goes on. Every campaign has noise of its own, in which an idea
draws other values with its switch than without, and gains nothing. `benchmarks/trials.py` does the same by simulation,
with thousands of campaigns.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from math import comb
from pathlib import Path

import yaml

from measured.project import FLAGSTONE, throw_away_project
from measured.rounds import command

CAMPAIGNS = 20
WRONG = 0.03  # the rate that the simulation finds; at most 0.05 is promised
SURE = 0.003  # so rarely a product with this rate is accused: 18 of 300 are let pass
PROGRAM = """import hashlib, sys
words = " ".join(["CAMPAIGN", *sys.argv[1:]])
draws = [hashlib.sha256(f"{words} {nr}".encode()).digest()[0] / 255 for nr in range(12)]
print(f"val_loss: {10 + sum(draws) - 6:.6f}")
# the ideas:
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Counts campaigns that end SUPPORTED although nothing works.")
    parser.add_argument("campaigns", nargs="?", type=int, default=CAMPAIGNS)
    parser.add_argument("--results", type=Path, help="a file of JSON lines that is gone on with")
    asked = parser.parse_args()
    outcomes: Counter[str] = Counter(earlier_outcomes(asked.results))
    for number in range(outcomes.total() + 1, asked.campaigns + 1):
        began = time.time()
        outcome = outcome_of_campaign(f"c{number}")
        outcomes[outcome] += 1
        if asked.results:
            row = {"campaign": number, "outcome": outcome, "seconds": round(time.time() - began, 1)}
            with asked.results.open("a") as stream:
                stream.write(json.dumps(row) + "\n")
        sys.stdout.write(f"{number}/{asked.campaigns}  {dict(outcomes)}\n")
        sys.stdout.flush()
    wrong, most = outcomes["SUPPORTED"], most_wrong(outcomes.total())
    sys.stdout.write(
        f"SUPPORTED although nothing works: {wrong} of {outcomes.total()}; at most {most} are to be expected\n"
    )
    sys.exit(wrong > most)


def earlier_outcomes(results: Path | None) -> list[str]:
    """How the campaigns ended that were run before."""
    if results is None or not results.exists():
        return []
    return [json.loads(line)["outcome"] for line in results.read_text().splitlines()]


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


def outcome_of_campaign(name: str) -> str:
    """The outcome of one whole campaign, in a project of its own that is removed afterwards."""
    with throw_away_project() as root:
        project = root / "project"
        project.mkdir()
        (project / "train.py").write_text(PROGRAM.replace("CAMPAIGN", name))
        words = ("--goal", "Is the loss lower?", "--project", project, "--mutable", "train.py")
        words += ("--metric", "val_loss", "--minimum-effect", "0.001", "--smoke", "python train.py 1")
        words += ("--agent", "scripted", "--set", f"scripted.script={write_script(root)}")
        command(FLAGSTONE, "campaign", "new", name, *words, "--", "python", "train.py", "{seed}", cwd=root)
        run = root / "runs" / name
        plan = run / "workspace" / "trials" / f"{name}.yaml"
        plan.write_text(plan.read_text() + "underpowered: accept\n")
        command(FLAGSTONE, "run", name, "--cores", "1", cwd=root)
        verdict = json.loads((run / "trials" / name / "verdict.json").read_text())
        if verdict["exploratory"]:
            raise SystemExit("the confirmation seeds cannot be hidden here, so that no campaign can end SUPPORTED")
        return str(verdict["outcome"])


def most_wrong(campaigns: int) -> int:
    """The number of wrong papers that a product with this rate exceeds in three of a thousand such benchmarks."""
    chances = [comb(campaigns, k) * WRONG**k * (1 - WRONG) ** (campaigns - k) for k in range(campaigns + 1)]
    return next(k for k in range(campaigns + 1) if sum(chances[: k + 1]) >= 1 - SURE)


if __name__ == "__main__":
    main()
