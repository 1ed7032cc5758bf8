"""Which hosts the set-up of a project asks for: package indexes, and those that its set-up files name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from glob import glob
from pathlib import Path

from flagstone.records import content_of

PYTHON = re.compile(r"(.*/)?(requirements[^/]*\.txt|pyproject\.toml|setup\.(py|cfg)|Pipfile)|requirements/[^/]+\.txt")
CONDA = re.compile(r"(.*/)?environment[^/]*\.ya?ml")
STEPS = re.compile(r"(.*/)?[^/]*(setup|install|download|prepare)[^/]*\.(sh|py|md)", re.IGNORECASE)
PYPI, OF_CONDA = ("pypi.org", "files.pythonhosted.org"), ("conda.anaconda.org", "repo.anaconda.com")
PIP_SETTINGS = (".config/pip/pip.conf", ".pip/pip.conf", "/etc/pip.conf")  # below the home folder
PIP_VARIABLES = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS")
HOST = re.compile(r"(?:\b(?:https?|ssh|git|ftp)://(?:[^\s/@]*@)?|\bgit@)([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*(?::\d+)?)")
OTHER_INDEX = re.compile(r"^\s*(-i|--index-url|index[-_]url)\b", re.MULTILINE)
OWN_PAGES = re.compile(r"^\[project\.urls\]$.*?(?=^\[|\Z)", re.MULTILINE | re.DOTALL)


def hosts_of(project: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Each host with the first place that names it, such as `requirements.txt:3`."""
    names = sorted(name for pattern in ("*", "*/*") for name in glob(pattern, root_dir=project))
    files = [name for name in names if any(kind.fullmatch(name) for kind in (PYTHON, CONDA, STEPS))]
    found: dict[str, str] = {}
    for host, where in (*index_hosts(project, files, environ), *named_hosts(project, files)):
        found.setdefault(host, where)
    return found


def index_hosts(project: Path, files: Sequence[str], environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Where pip and conda look for packages, if the project asks for any."""
    python = [project / name for name in files if PYTHON.fullmatch(name)]
    if python:
        settings = [Path(environ.get("HOME", "/"), name) for name in PIP_SETTINGS]
        yield from ((host, name) for name in PIP_VARIABLES for host in HOST.findall(environ.get(name, "")))
        yield from ((host, str(path)) for path in settings for host in HOST.findall(text_of(path)))
        is_other = any(OTHER_INDEX.search(text_of(path)) for path in (*settings, *python))
        if not (is_other or environ.get("PIP_INDEX_URL")):
            yield from ((host, "the package index") for host in PYPI)
    if any(CONDA.fullmatch(name) for name in files):
        yield from ((host, "the package index of conda") for host in OF_CONDA)


def named_hosts(project: Path, files: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Every host in a set-up file. The pages that a project names as its own are left out."""
    for name in files:
        text = OWN_PAGES.sub(lambda hit: "\n" * hit[0].count("\n"), text_of(project / name))
        for number, line in enumerate(text.splitlines(), 1):
            yield from ((host, f"{name}:{number}") for host in HOST.findall(line))


def text_of(path: Path) -> str:
    return (content_of(path) or b"").decode("utf-8", "replace")
