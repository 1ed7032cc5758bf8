"""Small papers that real pdflatex builds."""

from __future__ import annotations

import subprocess
from pathlib import Path

HEAD = "\\documentclass{article}\n\\usepackage{amsmath,graphicx}\n%s\n\\pagestyle{empty}\\begin{document}\n"


def build(folder: Path, body: str, preamble: str = "", name: str = "paper", passes: int = 1) -> Path:
    """The PDF of this body."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.tex").write_text(HEAD % preamble + body + "\n\\end{document}\n")
    return compile_tex(folder, name, passes)


def compile_tex(folder: Path, name: str, passes: int = 1) -> Path:
    for _ in range(passes):
        argv = ["pdflatex", "-interaction=nonstopmode", "-no-shell-escape", "-halt-on-error", name]
        done = subprocess.run(argv, cwd=folder, capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
    return folder / f"{name}.pdf"


def compile_whole(folder: Path, name: str) -> Path:
    """The PDF with its bibliography and its references."""
    pdf = compile_tex(folder, name)
    if "\\bibdata" in (folder / f"{name}.aux").read_text():
        subprocess.run(["bibtex", name], cwd=folder, capture_output=True, timeout=60, check=True)
    for _ in range(2):
        pdf = compile_tex(folder, name)
    return pdf
