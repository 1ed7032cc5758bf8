"""Draw one figure: its script runs in a sandbox that has nothing of the run but the inputs of the figure."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flagstone.agents import INSTALL, paths_to_hide, strength
from flagstone.artifacts.formats import Unreadable, read_plain
from flagstone.errors import FlagstoneError
from flagstone.experiments.candidates import make_empty_folder
from flagstone.experiments.measuring import inherited_variables, search_path, tail_text
from flagstone.layout import Run, sealed_folders
from flagstone.processes import Command, Confinement, Output, ProcessLimits, StartError, run as run_process
from flagstone.settings import grants_of

COLUMN_INCHES = 3.3
PAGE_INCHES = {1: 5.4, 2: 6.9}  # by the columns of the layout
LIMITS = ProcessLimits(wall_s=300, memory_mb=4_000, output_mb=1)
PDF_BYTES, DATA_BYTES = 10_000_000, 16_000_000
# so that a script has nothing to set: vectors, fonts that are no bitmaps, the size, Okabe and Ito's colours
STYLE = """backend: pdf
pdf.fonttype: 42
figure.figsize: {width}, {height:.2f}
figure.constrained_layout.use: True
font.size: 8
axes.labelsize: 8
axes.titlesize: 8
legend.fontsize: 7
xtick.labelsize: 7
ytick.labelsize: 7
axes.spines.top: False
axes.spines.right: False
axes.prop_cycle: cycler('color', ['0072B2', 'D55E00', '009E73', 'CC79A7', 'E69F00', '56B4E9', '000000'])
"""


@dataclass(frozen=True)
class FigureJob:
    """What is run for one figure. `inputs` are its files by path, the script among them, as they were read."""

    name: str
    script: str
    inputs: Mapping[str, bytes]
    inches: float = COLUMN_INCHES


def draw(run: Run, job: FigureJob, folder: Path, log: Path) -> tuple[bytes, bytes]:
    """The PDF and the data of a figure. Raises ValueError that says why there are none. `folder` is only the job's."""
    with inputs_in_place(job, folder / "run", folder / "private"):
        command = command_of_job(run, job, folder / "run", folder / "private")
        try:
            result = run_process(command, LIMITS, Output(log))
        except StartError as error:
            raise ValueError(error.problem) from None
        if result.ending != "exit":
            raise ValueError(f"it used too much {'time' if result.timed_out else 'memory'} ({result.wall_s:.0f} s)")
        if result.exit_code != 0:
            said = tail_text(log, 400).strip().rpartition("\n")[2]
            raise ValueError(f"it failed with exit code {result.exit_code}: {said or 'it printed nothing'}")
        return (
            left_file(folder / "run" / f"{job.name}.pdf", PDF_BYTES),
            left_file(folder / "run" / f"{job.name}.csv", DATA_BYTES),
        )


@contextmanager
def inputs_in_place(job: FigureJob, place: Path, private: Path) -> Iterator[None]:
    """The inputs at their paths below a folder of their own, and a folder for what libraries keep."""
    for folder in (place, private):
        make_empty_folder(folder)
    try:
        for path, content in job.inputs.items():
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            (place / path).write_bytes(content)
        style = STYLE.format(width=job.inches, height=min(job.inches * 0.7, 3.0))
        (private / "matplotlibrc").write_text(style)
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "matplotlib"
        for fonts in cache.glob("fontlist-*.json"):  # to look for all fonts of a machine takes longer than to draw
            shutil.copyfile(fonts, private / fonts.name)
        yield
    finally:
        for folder in (place, private):
            make_empty_folder(folder)


def command_of_job(run: Run, job: FigureJob, place: Path, private: Path) -> Command:
    inherited = inherited_variables()
    own = {
        "PATH": search_path(None, inherited),
        "TMPDIR": str(private),
        "XDG_CACHE_HOME": str(private),
        "MPLCONFIGDIR": str(private),
        "MATPLOTLIBRC": str(private / "matplotlibrc"),
        "MPLBACKEND": "pdf",
        "SOURCE_DATE_EPOCH": "0",  # the same figure has the same bytes
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return Command(
        argv=(sys.executable, job.script, job.name),
        target=None,
        cwd=place,
        env={**inherited, **own},
        owner=str(run.root),
        confinement=confinement_of(run, (place, private)),
    )


def confinement_of(run: Run, writable: tuple[Path, ...]) -> Confinement | None:
    """Without a network, and without any file of the run but those laid out; None without a sandbox."""
    word, here = grants_of(run).sandbox, strength()
    if word == "off" or not (word == "require" or here.landlock_abi or here.has_bubblewrap):
        return None
    if word == "require" and not (here.keeps_files and here.has_bubblewrap):
        raise FlagstoneError(f"figures cannot be drawn in a sandbox: {here.fault_text}", hint=INSTALL)
    return Confinement(
        writable,
        hidden=(run.root, *paths_to_hide(os.environ, writable, also_credentials=True), *sealed_folders([run.root])),
        network=False,
        use_landlock=here.landlock_abi > 0,
        use_bubblewrap=here.has_bubblewrap,
    )


def left_file(path: Path, limit: int) -> bytes:
    """What a script has left. A link is not followed: it could lead to any file."""
    if not os.path.lexists(path):
        raise ValueError(f"it left no {path.name} in its current folder; write it there")
    try:
        content = read_plain(path, limit)
    except Unreadable as refusal:
        raise ValueError(f"its {path.name} cannot be used: {refusal.reason}") from None
    if not content:
        raise ValueError(f"its {path.name} is empty")
    return content
