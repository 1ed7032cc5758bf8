"""Stages 01 to 03: what is known, what is claimed, and how it will be tested."""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import Any

from flagstone.agents.demo.reading import material_of, wished_seeds
from flagstone.agents.demo.study import Study, fill_in, material, material_bytes
from flagstone.agents.demo.summary import DemoSummary, quote_block

SMALL_EPOCHS = 40
SMALL_SEEDS = 6
DIGITS = "digits.csv.gz"
DATA_PROGRAM = "make_data.py"


def survey(study: Study) -> DemoSummary:
    """01: a note that claims no search, because none took place."""
    study.bring("survey.md", "nearest_work.csv", "sources.json", to="literature")
    brief = material_of(study.call.prompt, "the brief") or study.text_of("brief.md") or "There is no brief."
    return study.summary({"QUESTION": template()["question"], "BRIEF": quote_block(brief, 1200)})


def hypothesis(study: Study) -> DemoSummary:
    """02: predictions that can fail."""
    study.bring("hypotheses.md", "hypotheses.json", "novelty.csv", to="notes")
    design = template()
    return study.summary({"QUESTION": design["question"], "MINIMUM": design["rule"]["minimum_effect"]})


def study_design(study: Study) -> DemoSummary:
    """03: the data, and the plan before any run."""
    design = planned_design(study)
    study.write_record("data/design.json", design)
    study.bring("digits.md", to="data")
    study.bring(DATA_PROGRAM, to="code")
    pixels = ",".join(f"p{row}{column}" for row in range(8) for column in range(8))
    study.write("data/digits.csv", f"{pixels},digit\n{gzip.decompress(material_bytes(DIGITS)).decode()}")
    drawn = study.must(f"code/{DATA_PROGRAM}", "--design", "workspace/data/design.json", "--data", "workspace/data")
    study.write_record("data/manifest.json", data_manifest(study, design))
    values = {**facts_of(design), "DRAWN": drawn}
    study.write("notes/protocol.md", fill_in(material("protocol.md"), values))
    return study.summary(values)


def template() -> dict[str, Any]:
    design: dict[str, Any] = json.loads(material("design.json"))
    return design


def planned_design(study: Study) -> dict[str, Any]:
    """The template of the design with the data seed, the size and the number of seeds that this run asks for."""
    options, design = study.call.options, template()
    count = len(design["seeds"])
    if options.get("scale") == "small":
        count = SMALL_SEEDS
        design["training"]["epochs"] = SMALL_EPOCHS
    design["seeds"] = list(range(1, (wished_seeds(study.feedback) or count) + 1))
    design["budget"]["runs"] = len(design["seeds"]) * len(design["arms"]) * len(design["conditions"])
    design["data"]["data_seed"] = int(str(options.get("data_seed", 7)))
    return design


def facts_of(design: dict[str, Any]) -> dict[str, object]:
    rule, training, data = design["rule"], design["training"], design["data"]
    verdicts = enumerate(rule["verdicts_in_order"].items(), 1)
    constants = design["constants"].items()
    return {
        "QUESTION": design["question"],
        "DATA_SEED": data["data_seed"],
        "IMAGES": data["training_images"],
        "TEST_IMAGES": data["test_images"],
        "WRONG": f"{100 * data['wrong_share']:.0f}",
        "SEEDS": len(design["seeds"]),
        "RUNS": len(design["seeds"]) * len(design["arms"]),
        "ALL_RUNS": design["budget"]["runs"],
        "EPOCHS": training["epochs"],
        "RATE": training["rate"],
        "ALPHA": rule["alpha"],
        "MINIMUM": rule["minimum_effect"],
        "FAILED": rule["failed_run_counts_as"],
        "CHANGED": design["changed"],
        "ARMS_RULE": design["arms_rule"],
        "CONSTANTS": "\n".join(
            f"- *{arm}*: {constants_text(values)}, {design['constants_from'][arm]}." for arm, values in constants
        ),
        "VERDICTS": "\n".join(f"{number}. {name}: {when}." for number, (name, when) in verdicts),
    }


def constants_text(constants: dict[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in constants.items())


def data_manifest(study: Study, design: dict[str, Any]) -> dict[str, Any]:
    """Both data sets, with the digests of their files: the digits, and what was drawn from them."""
    pixels = "p00 to p77: ink of a pixel by row and column, 0 to 16"
    digits = {
        "name": "Optical Recognition of Handwritten Digits (test part)",
        "files": [file_entry(study, "digits", "all")],
        "origin": "https://doi.org/10.24432/C50P49, copied from scikit-learn 1.9.1 (see workspace/data/digits.md)",
        "source_sha256": hashlib.sha256(material_bytes(DIGITS)).hexdigest(),
        "licence": "CC BY 4.0",
        "synthetic": False,
        "columns": {"pixels": pixels, "digit": "what the image shows"},
        "personal_data": "none",
        "known_problems": ["13 writers who are not named, so that a writer can be in both parts"],
    }
    drawn = {
        "name": "split and training sets of this study",
        "files": [file_entry(study, "split", "pool and test"), file_entry(study, "training_sets", "train")],
        "origin": f"workspace/code/{DATA_PROGRAM}",
        "data_seed": design["data"]["data_seed"],
        "licence": "CC BY 4.0, like the digits",
        "synthetic": False,
        "columns": {"image": "row of digits.csv, counted from 0", "given_label": "the label that is trained on"},
        "personal_data": "none",
        "known_problems": ["one label in five is wrong on purpose"],
    }
    return {"datasets": [digits, drawn]}


def file_entry(study: Study, name: str, part: str) -> dict[str, object]:
    content = study.path(f"data/{name}.csv").read_bytes()
    return {
        "path": f"workspace/data/{name}.csv",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "rows": content.count(b"\n") - 1,
        "split": part,
    }
