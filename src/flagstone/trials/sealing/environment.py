"""The environment that a project's runs find, as facts that can be compared: interpreter, packages, threads, GPUs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from glob import glob
from pathlib import Path

from flagstone.experiments.measuring import program_path
from flagstone.processes import run_quietly
from flagstone.records import DigestCache, content_of, read_record

Facts = Mapping[str, str]
PREFIXES = (".venv", "venv")
# they decide how many threads compute, and in which order and precision numbers are added up
DECISIVE = re.compile(
    r".*_NUM_THREADS|.*_MAXIMUM_THREADS|(OMP|GOMP|KMP|MKL|OPENBLAS|BLIS|CUBLAS|CUDNN|XLA|TF|TORCH)_\w+|NVIDIA_TF32_OVERRIDE"
)
PATHS = re.compile(r"\w+_(HOME|DIR|PATH)")  # where something lies does not decide
INSTALLED = re.compile(r"(?P<name>.+?)-(?P<version>[^-]+)(-.*)?\.(dist-info|egg-info|egg)")
NVIDIA = Path("/proc/driver/nvidia")
ASK = "import sys; print(sys.executable)"
ASK_S = 10.0


def environment_facts(command: str, root: Path, environ: Mapping[str, str], cache: DigestCache) -> dict[str, str]:
    """What decides about a run besides its files. `command` is the first word of the command that runs.

    No code of the project is run to find it.
    """
    interpreter = interpreter_of(program_path(command, root, environ), root, environ)
    found = {name: value for name, value in environ.items() if DECISIVE.fullmatch(name) and not PATHS.fullmatch(name)}
    found["operating system"] = system_name()
    found |= gpu_facts(NVIDIA)
    if interpreter:
        found["Python"] = interpreter_text(interpreter, cache)
        for folder in reversed([*import_folders(interpreter, environ)]):  # what is found first wins
            found |= packages_in(folder)
        found |= conda_packages(Path(interpreter).parent.parent)
    return found


def interpreter_of(program: str, root: Path, environ: Mapping[str, str]) -> str:
    """The Python that a program is or runs in, else that of the project or of the caller. Returns '' if there is none.

    `torchrun` and the like name theirs in their first line; of `bash train.sh` the project's is taken.
    """
    for path in (program, *project_interpreters(root, environ)):
        if path and (found := python_behind(path, root, environ)):
            return found
    return ""


def project_interpreters(root: Path, environ: Mapping[str, str]) -> Iterator[str]:
    prefixes = [*(str(root / name) for name in PREFIXES), environ.get("VIRTUAL_ENV"), environ.get("CONDA_PREFIX")]
    yield from (path for each in prefixes if each and os.path.exists(path := f"{each}/bin/python"))
    yield from (program_path(name, root, environ) for name in ("python", "python3"))


def python_behind(path: str, root: Path, environ: Mapping[str, str]) -> str:
    """A Python itself, that in the first line of a script, or the one that a shim starts. Returns '' if none."""
    try:
        with open(path, "rb") as stream:
            first = os.fsdecode(stream.readline(500))
    except OSError:
        return ""
    is_python = os.path.basename(path).startswith(("python", "pypy"))
    if not first.startswith("#!"):
        return path if is_python else ""
    words = first.removeprefix("#!").split()
    word = words[-1] if words and os.path.basename(words[0]) == "env" else words[0] if words else ""
    if os.path.basename(word).startswith(("python", "pypy")):
        return program_path(word, root, environ)
    if not is_python:
        return ""
    code, answer, _ = run_quietly([path, "-I", "-S", "-c", ASK], root, ASK_S)
    return os.fsdecode(answer).strip() if code == 0 else ""


def interpreter_text(interpreter: str, cache: DigestCache) -> str:
    """The version as its environment tells it, and the first digits of the program's own digest."""
    settings = venv_settings(Path(interpreter).parent.parent)
    real = os.path.realpath(interpreter)
    version = settings.get("version_info") or settings.get("version") or os.path.basename(real).removeprefix("python")
    return f"{version} ({real}, {cache.digest(real)[:12]})"


def venv_settings(prefix: Path) -> dict[str, str]:
    rows = (
        line.partition("=") for line in (content_of(prefix / "pyvenv.cfg") or b"").decode(errors="replace").split("\n")
    )
    return {key.strip(): value.strip() for key, _, value in rows}


def import_folders(interpreter: str, environ: Mapping[str, str]) -> Iterator[str]:
    """Where a Python imports installed packages from, first things first."""
    yield from filter(None, environ.get("PYTHONPATH", "").split(os.pathsep))
    prefix, real = Path(interpreter).parent.parent, Path(os.path.realpath(interpreter))
    settings = venv_settings(prefix)
    above = [prefix] if settings else []
    if not settings or settings.get("include-system-site-packages") == "true":
        home = environ.get("HOME")
        above += [Path(home, ".local")] if home and not environ.get("PYTHONNOUSERSITE") else []
        above += [real.parent.parent, Path("/usr/local")] if real.is_relative_to("/usr") else [real.parent.parent]
    version = re.search(r"python(3\.\d+)", real.name)
    names = f"python{version[1] if version else '3*'}"
    for place in above:
        for pattern in (f"lib*/{names}/*-packages", f"local/lib/{names}/*-packages", "lib/python3/*-packages"):
            for folder in sorted(glob(pattern, root_dir=place)):
                yield from (f"{place}/{folder}", *linked_folders(f"{place}/{folder}"))


def linked_folders(folder: str) -> Iterator[str]:
    """The folders that .pth files add. Their lines that are code are not run."""
    for name in sorted(glob("*.pth", root_dir=folder)):
        lines = (content_of(Path(folder, name)) or b"").decode(errors="replace").splitlines()
        yield from (
            path for line in lines if os.path.isdir(path := os.path.join(folder, line.strip())) and line.strip()
        )


def packages_in(folder: str) -> dict[str, str]:
    """The version of each package that is installed in a folder."""
    try:
        return packages_listed(folder, os.stat(folder).st_mtime_ns)
    except OSError:
        return {}


@lru_cache(maxsize=64)
def packages_listed(folder: str, _changed_ns: int) -> dict[str, str]:
    """Listed once for each state of a folder: one process may make many runs."""
    names = sorted(os.listdir(folder))
    rows = [(found, name) for name in names if (found := INSTALLED.fullmatch(name))]
    return {row["name"].lower().replace("_", "-"): row["version"] + origin(f"{folder}/{name}") for row, name in rows}


def origin(installed: str) -> str:
    """The commit of a package from a repository, or where an editable one lies: its version says little."""
    path = f"{installed}/direct_url.json"
    record = (os.path.exists(path) and read_record(Path(path))) or {}  # hundreds of packages have none
    commit = str(record.get("vcs_info", {}).get("commit_id", ""))[:12]
    return f" ({commit})" if commit else f" ({record['url']})" if record.get("url") else ""


def conda_packages(prefix: Path) -> dict[str, str]:
    """Packages that conda installed, which may be no Python at all: MKL, or CUDA."""
    rows = [name.removesuffix(".json").rsplit("-", 2) for name in glob("*.json", root_dir=prefix / "conda-meta")]
    return {f"conda {row[0]}": "-".join(row[1:]) for row in rows if len(row) == 3}


def gpu_facts(driver: Path) -> dict[str, str]:
    """The model of each GPU and the version of their driver, as the kernel tells them."""
    version = re.search(rb"\s(\d+\.\d+(\.\d+)*)\s", content_of(driver / "version") or b"")
    found = {"GPU driver": version[1].decode()} if version else {}
    for number, path in enumerate(sorted(glob("gpus/*/information", root_dir=driver))):
        model = re.search(rb"Model:\s*(.+)", content_of(driver / path) or b"")
        found[f"GPU {number}"] = model[1].decode(errors="replace").strip() if model else "unknown"
    return found


def system_name() -> str:
    """The distribution, its C library and the architecture."""
    name = re.search(rb'PRETTY_NAME="?([^"\n]+)', content_of(Path("/etc/os-release")) or b"")
    system = name[1].decode(errors="replace") if name else os.uname().sysname
    return f"{system}, {os.confstr('CS_GNU_LIBC_VERSION')}, {os.uname().machine}"
