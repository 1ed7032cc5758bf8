"""A stage's result at once: tiny, valid artifacts that follow from what the prompt says, and nothing else."""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flagstone.agents.demo import reading
from flagstone.agents.demo.summary import SCRIPTED, DemoSummary, approved_lines, quote_block
from flagstone.agents.protocol import AgentCall

DESIGN = ("primary", "arms", "settings", "ablations", "seeds", "analysis", "budget")
NOTICE = "Written by a script at once; nothing was measured."
HEADINGS = ("Methods", "Experiments", "Results", "Discussion", "Limitations", "Conclusion")
STATEMENTS = (
    *("Broader impact", "NeurIPS paper checklist", "Ethics statement", "Reproducibility statement", "Impact statement"),
    *("Use of large language models", "Ethical considerations", "Reproducibility checklist", "Data availability"),
    *("Declaration of competing interest", "CRediT author statement", "Code availability", "Author contributions"),
    *("Competing interests", "Disclosure of interests", "Acknowledgments and disclosure of funding", "CCS concepts"),
    "Keywords",
)
OF_SURVEY = ("literature/sources.json",)  # left again for runs whose survey was made by an earlier version
# a work of the records that come with the demo
CITED = {
    "key": "zhang2018mixup",
    "title": "mixup: Beyond Empirical Risk Minimization",
    "authors": ["Zhang, Hongyi"],
    "year": 2017,
    "arxiv": "1710.09412",
}
OBJECTIVE = "Do the least that this stage asks for, so that the gates around it can be tried out."
SUGGESTIONS = (
    "Let the script do a genuine study here instead of an instant one.",
    "Give this stage a second attempt in the script, to try a repair.",
    "Change the brief, and see which stages are done again.",
)


@dataclass(frozen=True)
class Facts:
    """What an instant result depends on."""

    stage: str
    attempt: str
    memory: str
    feedback: str
    venue: str

    @classmethod
    def of(cls, call: AgentCall) -> Facts:
        """The facts of a call; with `constant: true` they say nothing but the stage and the venue."""
        stage = call.task.stage
        venue, _ = reading.venue_of(call.prompt, call.task.run_root)
        if call.options.get("constant"):
            return cls(stage, "any", "any", "", venue)
        approved = reading.approved_before(call.prompt, call.task.run_root, stage)
        memory = reading.memory_digest(approved)[:16] if approved else "none"
        return cls(stage, str(call.task.attempt), memory, reading.feedback_of(call.prompt), venue)

    @property
    def digest(self) -> str:
        return hashlib.sha256("\0".join(vars(self).values()).encode("utf-8", "replace")).hexdigest()

    @property
    def number(self) -> int:
        return int(self.digest[:4], 16)


def instant_summary(call: AgentCall, files_of: str = "") -> tuple[DemoSummary, Mapping[str, bytes]]:
    """The summary and the files of an instant stage; `files_of` names the stage whose files it leaves instead."""
    facts = Facts.of(call)
    files = ARTIFACTS.get(files_of or facts.stage, notes)(facts)
    approved = (
        [] if call.options.get("constant") else reading.approved_before(call.prompt, call.task.run_root, facts.stage)
    )
    did, hidden = f"{SCRIPTED} {NOTICE}", () if facts.stage == "01" else OF_SURVEY
    if facts.feedback:
        did += f"\n\nA person asked:\n\n{quote_block(facts.feedback)}\n\nThis result differs only in its digest."
    summary = DemoSummary(
        stage=facts.stage,
        title=call.task.title,
        objective=OBJECTIVE,
        approved=approved_lines(approved),
        did=did,
        results=f"Attempt {facts.attempt}, approved memory {facts.memory}: number {facts.number}.",
        files={f"workspace/{path}": "made at once by a script" for path in files if path not in hidden},
        suggestions=SUGGESTIONS,
    )
    return summary, {f"workspace/{path}": content for path, content in files.items()}


def text(*lines: str) -> bytes:
    return ("\n".join(lines) + "\n").encode()


def record(value: object) -> bytes:
    return (json.dumps(value, indent=1) + "\n").encode()


def rows(facts: Facts) -> bytes:
    values = (int(facts.digest[4 * x : 4 * x + 4], 16) for x in range(1, 9))
    return text("experiment,x,y", *(f"instant,{x},{y}" for x, y in enumerate(values, 1)))


def survey(facts: Facts) -> dict[str, bytes]:
    nearest = text("source_key,did,setting,showed,left_open", "none,nothing,none,nothing,everything")
    return {
        "literature/notes.md": text("# Notes", "", NOTICE, f"Digest {facts.digest}."),
        "literature/nearest_work.csv": nearest,
        "literature/sources.json": record({"sources": [CITED]}),
    }


def hypotheses(facts: Facts) -> dict[str, bytes]:
    table = text("claim,nearest_work,what_is_new,cheapest_refutation", "none,none,nothing,none")
    return {**notes(facts), "notes/novelty.csv": table}


def notes(facts: Facts) -> dict[str, bytes]:
    return {f"notes/stage_{facts.stage}.md": text("# Notes", "", NOTICE, f"Digest {facts.digest}.")}


def data(facts: Facts) -> dict[str, bytes]:
    return {
        "data/points.csv": rows(facts),
        "data/design.json": record({"experiment": "instant", "digest": facts.digest, **dict.fromkeys(DESIGN, NOTICE)}),
    }


def code(facts: Facts) -> dict[str, bytes]:
    return {
        "code/train.py": text(f'"""{NOTICE}"""', "", f"NUMBER = {facts.number}"),
        "notes/implementation_checks.json": record({"checks": NOTICE, "tests": NOTICE}),
    }


def results(facts: Facts) -> dict[str, bytes]:
    metrics = {"experiment": "instant", "metrics": {"score": facts.number / 65536}, "note": NOTICE}
    return {
        "results/metrics.json": record(metrics),
        "results/points.csv": rows(facts),
        "results/planned.csv": text("experiment,arm,seed,role", "instant,only,0,exploratory"),
        "results/runs.csv": text("experiment,arm,seed,role,status", "instant,only,0,exploratory,ok"),
    }


def figures(facts: Facts) -> dict[str, bytes]:
    figure = {
        "file": "workspace/figures/dot.png",
        "experiment": "instant",
        "data": ["workspace/figures/dot.csv"],
    }
    listing = record({"figures": [figure | {"caption": NOTICE}]})
    return {
        "figures/dot.png": dot(facts.number, facts.digest),
        "figures/dot.csv": rows(facts),
        "figures/figures.json": listing,
        "results/ablations.csv": text("experiment,ablation,arm,n,estimate,low,high", "instant,none,only,1,0,0,0"),
        "results/error_analysis.csv": text("experiment,group,arm,n,value", "instant,all,only,1,0"),
    }


def paper(facts: Facts) -> dict[str, bytes]:
    """The least that is a paper at any venue: every heading, one cited work, one fact."""
    letters = facts.digest.translate(str.maketrans("0123456789", "ghijklmnop"))
    section = text(
        "\\section{Introduction and related work}",
        f"{NOTICE} A score is \\val{{score}} \\citep{{{CITED['key']}}}. It is {letters}.",
        *(f"\\section{{{heading}}}\n{NOTICE}" for heading in HEADINGS),
        *(f"\\paragraph{{{heading}.}} {NOTICE}" for heading in STATEMENTS),
    )
    return {
        "literature/sources.json": record({"sources": [CITED]}),
        "writing/paper.yaml": text("title: Nothing was measured", "sections: [everything]"),
        "writing/facts.yaml": text('score: {from: "workspace/results/metrics.json#/metrics/score", format: .4f}'),
        "writing/abstract.tex": text(NOTICE),
        "writing/sections/everything.tex": section,
    }


def campaign_paper(facts: Facts) -> dict[str, bytes]:
    """The same about a campaign: its tables in Results, and no number of its own."""
    files, heading = paper(facts), "\\section{Results}\n"
    tables = "".join(f"\\input{{tables/campaign-{name}}}\n\n" for name in ("variance", "seeds", "effects", "times"))
    whole = files["writing/sections/everything.tex"].decode().replace("A score is \\val{score}", "It cites")
    files["writing/sections/everything.tex"] = whole.replace(heading, f"{heading}{tables}").encode()
    files["writing/facts.yaml"] = b"{}\n"
    return files


def release(facts: Facts) -> dict[str, bytes]:
    check = {"id": "study", "question": "Was anything studied?", "outcome": "fail", "evidence": NOTICE}
    notes_text = text("# Release notes", "", NOTICE, f"Digest {facts.digest}.")
    digest = hashlib.sha256(notes_text).hexdigest()
    repeat = {"command": "true", "gives": "nothing", "value": 0, "tolerance": 0, "minutes": 0}
    listed = {"path": "workspace/artifacts/release_notes.md", "role": "notes", "sha256": digest}
    return {
        "reviews/readiness.json": record({"decision": "not ready", "checks": [check], "digest": facts.digest}),
        "reviews/readiness.md": text("# Readiness", "", f"Not ready. {NOTICE}", f"Digest {facts.digest}."),
        "reviews/threats_to_validity.md": text("# Threats to validity", "", NOTICE, f"Digest {facts.digest}."),
        "artifacts/artifact_manifest.json": record({"artifacts": [listed]}),
        "artifacts/release_notes.md": notes_text,
        "artifacts/repeat.json": record(repeat),
    }


ARTIFACTS: Mapping[str, Callable[[Facts], dict[str, bytes]]] = {
    "01": survey,
    "02": hypotheses,
    "03": data,
    "04": code,
    "05": results,
    "06": figures,
    "07": paper,
    "campaign": campaign_paper,
    "08": release,
}


def dot(shade: int, comment: str) -> bytes:
    """A grey PNG of 8 × 8 pixels."""
    pixels = b"".join(b"\0" + bytes([shade % 256]) * 8 for _ in range(8))
    chunks = {
        b"IHDR": struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0),
        b"tEXt": b"Comment\0" + comment.encode(),
        b"IDAT": zlib.compress(pixels),
        b"IEND": b"",
    }
    packed = (struct.pack(">I", len(body)) + name + body + checksum(name + body) for name, body in chunks.items())
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def checksum(content: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(content))
