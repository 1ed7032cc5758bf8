"""Stages 01 to 03: what is known, what is claimed, and how it will be tested."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from flagstone.agents.demo.reading import material_of, wished_seeds
from flagstone.agents.demo.study import Study, fill_in, material
from flagstone.agents.demo.summary import Summary, quoted

SMALL = {
    "data": {"train_rows": 300, "test_rows": 600},
    "training": {"steps": 240, "warmup_steps": 48, "record_every": 20},
}
SMALL_SEEDS = 6


def survey(study: Study) -> Summary:
    """01: a note that claims no search, because none took place."""
    study.bring("survey.md", "references.bib", to="literature")
    brief = material_of(study.call.prompt, "the brief") or study.text_of("brief.md") or "There is no brief."
    return study.summary({"QUESTION": template()["question"], "BRIEF": quoted(brief, 1200)})


def hypothesis(study: Study) -> Summary:
    """02: a prediction that can fail."""
    study.bring("hypotheses.md", "hypotheses.json", to="notes")
    design = template()
    return study.summary({"QUESTION": design["question"], "MINIMUM": design["rule"]["minimum_effect"]})


def study_design(study: Study) -> Summary:
    """03: the data, and the plan before any run."""
    design = planned_design(study)
    study.write_record("data/design.json", design)
    study.bring("make_data.py", to="code")
    study.must("code/make_data.py", "--design", "workspace/data/design.json", "--out", "workspace/data")
    study.write_record("data/manifest.json", data_manifest(study, design))
    values = facts_of(design)
    study.write("notes/protocol.md", fill_in(material("protocol.md"), values))
    return study.summary(values)


def template() -> dict[str, Any]:
    design: dict[str, Any] = json.loads(material("design.json"))
    return design


def planned_design(study: Study) -> dict[str, Any]:
    """The template with this run's data seed, its size, and the seeds that a person wished."""
    options, design = study.call.options, template()
    count = len(design["seeds"])
    if options.get("scale") == "small":
        count = SMALL_SEEDS
        for part, smaller in SMALL.items():
            design[part] |= smaller
    design["seeds"] = list(range(1, (wished_seeds(study.feedback) or count) + 1))
    design["data"]["data_seed"] = int(str(options.get("data_seed", 7)))
    return design


def facts_of(design: dict[str, Any]) -> dict[str, object]:
    rule, training, data = design["rule"], design["training"], design["data"]
    verdicts = enumerate(rule["verdicts_in_order"].items(), 1)
    return {
        "QUESTION": design["question"],
        "DATA_SEED": data["data_seed"],
        "TRAIN_ROWS": data["train_rows"],
        "TEST_ROWS": data["test_rows"],
        "SEEDS": len(design["seeds"]),
        "RUNS": len(design["seeds"]) * len(design["arms"]),
        "STEPS": training["steps"],
        "WARMUP": training["warmup_steps"],
        "PEAK": training["peak_rate"],
        "ALPHA": rule["alpha"],
        "MINIMUM": rule["minimum_effect"],
        "FAILED": rule["failed_run_counts_as"],
        "VERDICTS": "\n".join(f"{number}. {name}: {when}." for number, (name, when) in verdicts),
    }


def data_manifest(study: Study, design: dict[str, Any]) -> dict[str, Any]:
    """The data set with the digests of its files."""
    data_set = {
        "name": "noisy spirals",
        "files": [listed(study, part) for part in ("train", "test")],
        "origin": "workspace/code/make_data.py",
        "data_seed": design["data"]["data_seed"],
        "licence": "generated here; free to use",
        "synthetic": True,
        "columns": {"x1": "first coordinate", "x2": "second coordinate", "label": "class: 0, 1 or 2"},
        "personal_data": "none",
        "known_problems": ["one sample of points: intervals do not cover another draw of the data"],
    }
    return {"datasets": [data_set]}


def listed(study: Study, part: str) -> dict[str, object]:
    content = study.path(f"data/{part}.csv").read_bytes()
    return {
        "path": f"workspace/data/{part}.csv",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "rows": content.count(b"\n") - 1,
        "split": part,
    }
