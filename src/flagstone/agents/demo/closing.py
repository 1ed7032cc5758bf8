"""Stages 07 and 08: the paper, and whether it is ready to leave the house."""

from __future__ import annotations

import json
import re
import shutil

from flagstone.agents.demo.measuring import DESIGN, RESULTS, answer_text, verdicts_text
from flagstone.agents.demo.messages import utter
from flagstone.agents.demo.reading import venue_of
from flagstone.agents.demo.study import ProgramResult, Study, fill_in, material
from flagstone.agents.demo.summary import DemoSummary
from flagstone.errors import WorkFailed

SECTIONS = (
    "abstract",
    "introduction",
    "related_work",
    "method",
    "experiments",
    "results",
    "limitations",
    "conclusion",
    "statements",
    "checklist",
)
CHECKLIST_OF = "neurips_"
LATEXMK = (
    "latexmk",
    "-pdf",
    "-no-shell-escape",
    "-interaction=nonstopmode",
    "-halt-on-error",
    "-file-line-error",
)
DATED = re.compile(r"^(This is (pdf)?TeX,.*?\)).*$", re.MULTILINE)
MEMORY_REPORT = re.compile(r"^Here is how much of TeX's memory you used:\n(?: .*\n)+", re.MULTILINE)
PAGES = re.compile(r"Output written on .*?\((\d+) pages?")
TROUBLE = re.compile(r"^(?:LaTeX Warning: .*|Overfull .*|.*undefined.*)$", re.MULTILINE)
REPEAT = "python workspace/code/analyse.py --design workspace/data/design.json --results workspace/results --out again"
UNFIT = re.compile(r"[\\{}$&#^_%~]")


def writing(study: Study) -> DemoSummary:
    """07: the paper, set from the results."""
    study.design()
    found = study.record("results/analysis.json", "06")
    key = write_sources(study)
    study.must("code/render_paper.py", *DESIGN, *RESULTS, "--out", "workspace/writing")
    pages, troubles = compile_paper(study)
    answered = "answered, item by item" if key.startswith(CHECKLIST_OF) else "not answered, if it has one"
    values = {
        "VENUE": key,
        "PAGES": pages,
        "TROUBLES": len(troubles),
        "ANSWER": answer_text(found),
        "VERDICTS": verdicts_text(found),
        "CHECKLIST_TEXT": f"Its checklist is {answered}.",
    }
    return study.summary(values)


def write_sources(study: Study) -> str:
    """Writes the LaTeX sources but for the numbers; returns the key of the venue."""
    key, name = venue_of(study.call.prompt, study.root)
    is_answered = key.startswith(CHECKLIST_OF)
    checklist = "\\input{sections/checklist}" if is_answered else "% the demo agent knows no checklist of this venue"
    values = {"VENUE": key, "VENUE_TEXT": UNFIT.sub(" ", name), "CHECKLIST": checklist}
    study.write("writing/main.tex", fill_in(material("main.tex"), values))
    study.write("writing/references.bib", material("references.bib"))
    for section in SECTIONS:
        study.write(f"writing/sections/{section}.tex", material(f"section_{section}.tex"))
    utter("tool", f"wrote workspace/writing/ for {key}")
    return key


def compile_paper(study: Study) -> tuple[str, list[str]]:
    """Compiles in a folder that is removed again; returns the number of pages and what the log complains of."""
    folder = study.path("writing/main.tex").parent
    build = folder / "build"
    shutil.rmtree(build, ignore_errors=True)
    ran = run_latex(study)
    log = build / "main.log"
    text = tidy(log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ran.output, study)
    study.write("artifacts/build_log.txt", text)
    if ran.exit_code != 0 or not (build / "main.pdf").is_file():
        complaints = (line for line in text.splitlines() if line.startswith("!") or ".tex:" in line)
        first = next(complaints, ran.last_line)
        raise WorkFailed(f"the paper does not compile: {first}", hint="read workspace/artifacts/build_log.txt")
    shutil.copyfile(build / "main.pdf", study.path("artifacts/paper.pdf"))
    shutil.rmtree(build, ignore_errors=True)
    pages = PAGES.search(text)
    utter("tool", f"latexmk: paper.pdf, {pages[1] if pages else '?'} pages")
    return pages[1] if pages else "an unknown number of", TROUBLE.findall(text)


def run_latex(study: Study) -> ProgramResult:
    """With latexmk, or with tectonic where only that is installed."""
    folder = study.path("writing/main.tex").parent
    if shutil.which("latexmk"):
        return study.run_program((*LATEXMK, "-outdir=build", "main.tex"), folder, "latexmk")
    if shutil.which("tectonic"):
        (folder / "build").mkdir()
        return study.run_program(("tectonic", "--keep-logs", "--outdir", "build", "main.tex"), folder, "tectonic")
    raise WorkFailed(
        "the paper cannot be compiled: neither latexmk nor tectonic is installed",
        hint="install them (Debian: apt install latexmk texlive-latex-recommended texlive-fonts-recommended)",
    )


def tidy(log: str, study: Study) -> str:
    """The log without dates, memory figures and absolute paths of the run: the same sources give the same log."""
    return MEMORY_REPORT.sub("", DATED.sub(r"\1", log)).replace(str(study.root), "RUN")


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
