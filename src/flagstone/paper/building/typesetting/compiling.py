"""Compiles a folder of LaTeX sources, confined, without a network and without a shell."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.gates import read_text
from flagstone.processes import Command, Confinement, Output, ProcessLimits, ProcessResult, run

LIMIT_S = 300.0
MEMORY_MB = 4000.0
QUOTED_ERRORS = 5
STOPS = ("-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "-file-line-error")
LATEXMK = ("latexmk", "-norc", "-pdf", *STOPS, "main.tex")
TECTONIC = ("tectonic", "--untrusted", "--only-cached", "--keep-logs", "--keep-intermediates", "main.tex")
INSTALL = "install LaTeX: make tex (Debian: apt install latexmk texlive-latex-recommended texlive-fonts-recommended)"
ERROR = re.compile(r"^(?:\./)?([^\s:!][^:\n]*\.(?:tex|bbl|cls|sty|aux)):(\d+): (.+)$", re.MULTILINE)
WHERE = re.compile(r"^l\.(\d+) (.*)$", re.MULTILINE)  # the line up to where LaTeX stopped
READS = re.compile(r"\\input\{([^{}]+)\}\s*$")
FATAL = "==> Fatal error"
QUOTED_CHARACTERS = 60
PLAIN_ERROR = re.compile(r"^! (.+)$", re.MULTILINE)
BIBTEX_ERROR = re.compile(r"^(I couldn't open .+|I found no .+|.+---line \d+ of file .+)$", re.MULTILINE)
UNDEFINED = re.compile(r"(?:Reference|Citation) `([^']+)'.{0,40}? undefined")
# dates, and memory figures that differ with the paths of the machine
DATED = re.compile(r"^(This is .*?TeX,.*?\)).*$", re.MULTILINE)
MEMORY_REPORT = re.compile(r"^Here is how much of TeX's memory you used:\n(?: .*\n)+", re.MULTILINE)
REPEATABLE = {"SOURCE_DATE_EPOCH": "0", "FORCE_SOURCE_DATE": "1", "TZ": "UTC", "LC_ALL": "C.UTF-8"}
# TeX itself opens no hidden file, nothing above the folder, and nothing by its whole path
STRICT = {"openin_any": "p", "openout_any": "p", "shell_escape": "f", "max_print_line": "10000"}


@dataclass(frozen=True)
class Compilation:
    """What came of a compilation. Without a PDF, `errors` says why, by file and line."""

    pdf: bytes | None
    log: str
    errors: tuple[str, ...]
    undefined: tuple[str, ...] = ()


def compile_paper(folder: Path) -> Compilation:
    """Compiles main.tex in a folder of its own, which gets all that LaTeX writes."""
    argv = compiler()
    said = folder / "said.txt"
    private = folder / "home"
    private.mkdir()
    paths = {"PATH": os.environ.get("PATH", ""), "HOME": str(private), "TMPDIR": str(private)}
    command = Command(argv, None, folder, {**paths, **REPEATABLE, **STRICT}, confinement=confinement(folder))
    ended = run(command, ProcessLimits(wall_s=LIMIT_S, memory_mb=MEMORY_MB), Output(said))
    printed = read_text(said)
    log = read_text(folder / "main.log") or printed
    log = MEMORY_REPORT.sub("", DATED.sub(r"\1", log)).replace(str(folder), ".")
    pdf = folder / "main.pdf"
    if ended.exit_code == 0 and pdf.is_file():
        undefined = tuple(dict.fromkeys(UNDEFINED.findall(log.replace("\n", " "))))
        return Compilation(pdf.read_bytes(), log, (), undefined)
    return Compilation(None, log, errors_in(log, read_text(folder / "main.blg"), ended))


def compiler() -> tuple[str, ...]:
    """The command, with latexmk if it is there."""
    if shutil.which("latexmk") and shutil.which("pdflatex"):
        return LATEXMK
    if shutil.which("tectonic"):
        return TECTONIC
    raise FlagstoneError("the paper cannot be compiled: neither latexmk nor tectonic is installed", hint=INSTALL)


def confinement(folder: Path) -> Confinement | None:
    """As far as this machine can: nothing but the folder may be written, and there is no network."""
    from flagstone.processes.confinement import landlock, machine

    use_landlock, use_bubblewrap = landlock.abi() > 0, not machine.bubblewrap_fault()
    if not use_landlock and not use_bubblewrap:
        return None
    return Confinement((folder,), network=False, use_landlock=use_landlock, use_bubblewrap=use_bubblewrap)


def errors_in(log: str, of_bibtex: str, ended: ProcessResult) -> tuple[str, ...]:
    """Each error of the log, with the file as the agent knows it."""
    stops = dict(WHERE.findall(log))
    named = ((file, line, text.strip(), stops.get(line, "")) for file, line, text in ERROR.findall(log))
    found = [error_text(*each) for each in named if FATAL not in each[2]]
    found = found or [text.strip() for text in PLAIN_ERROR.findall(log)]
    found += [f"references.bib: {text}" for text in BIBTEX_ERROR.findall(of_bibtex)]
    if not found and ended.timed_out:
        found = [f"it took longer than {LIMIT_S:g} s"]
    if not found:
        last = next((line for line in reversed(log.splitlines()) if line.strip()), "no output")
        found = [f"it ended with exit code {ended.exit_code}: {last.strip()}"]
    return tuple(dict.fromkeys(found))[:QUOTED_ERRORS]


def error_text(file: str, line: str, text: str, stop: str) -> str:
    """One error with its place. What a file leaves open is noticed only after its end, in the file that reads it."""
    left_open = READS.search(stop)
    if text.startswith("File ended") and left_open:
        return f"{source_name(left_open[1])}.tex: {text.rstrip(' .')}: a brace that it opens is never closed"
    return f"{source_name(file)}:{line}: {text}{stop_text(stop)}"


def stop_text(read: str) -> str:
    """The end of what LaTeX had read of a line when it stopped."""
    return f" after “{read.strip()[-QUOTED_CHARACTERS:]}”" if read.strip() else ""


def source_name(file: str) -> str:
    is_agents = file.startswith("sections/") or file in ("abstract", "abstract.tex")
    return f"workspace/writing/{file}" if is_agents else file
