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
    did = f"{SCRIPTED} {NOTICE}"
    if facts.feedback:
        did += f"\n\nA person asked:\n\n{quote_block(facts.feedback)}\n\nThis result differs only in its digest."
    summary = DemoSummary(
        stage=facts.stage,
        title=call.task.title,
        objective=OBJECTIVE,
        approved=approved_lines(approved),
        did=did,
        results=f"Attempt {facts.attempt}, approved memory {facts.memory}: number {facts.number}.",
        files={f"workspace/{path}": "made at once by a script" for path in files},
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
        "literature/sources.json": record({"sources": [{"key": "none", "title": NOTICE}]}),
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
    section = text("\\section{Introduction}", f"{NOTICE} Its number is {facts.number}.")
    main = text(
        f"% flagstone venue: {facts.venue}",
        "\\documentclass{article}",
        "\\begin{document}",
        "\\input{sections/introduction}",
        "\\nocite{rumelhart1986learning}",
        "\\bibliographystyle{plain}",
        "\\bibliography{references}",
        "\\end{document}",
    )
    entry = text(
        "@article{rumelhart1986learning,",
        "  author = {Rumelhart, David E. and Hinton, Geoffrey E. and Williams, Ronald J.},",
        "  title = {Learning representations by back-propagating errors},",
        "  journal = {Nature}, volume = {323}, pages = {533--536}, year = {1986}",
        "}",
    )
    return {
        "writing/main.tex": main,
        "writing/sections/introduction.tex": section,
        "writing/references.bib": entry,
        "artifacts/paper.pdf": page(f"{NOTICE} Number {facts.number}."),
        "artifacts/build_log.txt": text("No compiler was run: paper.pdf is one page that a script wrote."),
    }


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


def page(line: str) -> bytes:
    """A whole PDF of one page with one line of text."""
    drawing = f"BT /F1 11 Tf 72 770 Td ({line.replace('(', '').replace(')', '')}) Tj ET".encode("latin-1", "replace")
    bodies = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R"
        b" /Resources << /Font << /F1 4 0 R >> >> >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(drawing), drawing),
    )
    content, places = b"%PDF-1.4\n", []
    for number, body in enumerate(bodies, 1):
        places.append(len(content))
        content += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(content)
    return content + b"xref\n0 6\n0000000000 65535 f \n" + table + trailer
