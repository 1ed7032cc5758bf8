"""Stage 08: whether the paper is ready to leave the house."""

from __future__ import annotations

import json

from flagstone.agents.demo.measuring import answer_text, verdicts_text
from flagstone.agents.demo.study import Study, fill_in, material
from flagstone.agents.demo.summary import DemoSummary

REPEAT = "python workspace/code/analyse.py --design workspace/data/design.json --results workspace/results --out again"


def dissemination(study: Study) -> DemoSummary:
    """08: what Flagstone cannot check is checked by program; the decision is Flagstone's."""
    design, found = study.design(), study.record("results/analysis.json", "06")
    study.bring("check_readiness.py", "list_artifacts.py", "threats_to_validity.md", to="reviews")
    counts = study.must("reviews/check_readiness.py", "--workspace", "workspace")
    readiness = json.loads((study.root / "bundle" / "readiness.json").read_text(encoding="utf-8"))
    left = [point for point in readiness["points"] if point["outcome"] != "pass"]
    values = {
        "ANSWER": answer_text(found),
        "VERDICTS": verdicts_text(found),
        "SEEDS": len(design["seeds"]),
        "DATA_SEED": design["data"]["data_seed"],
        "DECISION": readiness["decision"],
        "FAILED": readiness["counts"]["fail"],
        "UNCHECKED": readiness["counts"]["not checked"],
        "COMMAND": REPEAT,
    }
    study.write("artifacts/release_notes.md", fill_in(material("release_notes.md"), values))
    arm, first = next(iter(found["tricks"].items()))
    gives = f"again/analysis.json#/tricks/{arm}/mean"
    repeat = {"command": REPEAT, "gives": gives, "value": first["mean"], "tolerance": 0.0, "minutes": 1}
    study.write_record("artifacts/repeat.json", repeat)
    listed = study.must("reviews/list_artifacts.py", "--workspace", "workspace")
    lines = [f"- {point['outcome'].capitalize()}, stage {point['stage']}: {point['rule']}" for point in left]
    return study.summary({**values, "COUNTS": counts, "OPEN": "\n".join(lines), "LISTED": listed})
