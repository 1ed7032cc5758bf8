"""Caches of a run: what is compiled is its own; models and data sets are found where the person has them."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Mapping
from pathlib import Path

COMPILED = {
    "MPLCONFIGDIR": "matplotlib",
    "TRITON_CACHE_DIR": "triton",
    "TORCHINDUCTOR_CACHE_DIR": "inductor",
    "NUMBA_CACHE_DIR": "numba",
}
# each variable, and where its library looks without it: below the cache (XDG_CACHE_HOME), or below the home folder
OF_LIBRARIES = {
    "HF_HOME": ("cache", "huggingface"),
    "TORCH_HOME": ("cache", "torch"),
    "NLTK_DATA": ("home", "nltk_data"),
    "KERAS_HOME": ("home", ".keras"),
}
# programs write to these even if they only read: a run gets empty ones
WRITTEN = ("uv", "pip", "matplotlib", "fontconfig", "torch_extensions", "torch_compile", "mesa_shader_cache")
MOST_LINKS = 500  # for one cache; a folder beyond is linked as a whole


def cache_variables(private: Path, inherited: Mapping[str, str], *, is_confined: bool, network: bool) -> dict[str, str]:
    """Where libraries look for compiled code, models and data sets."""
    found = {name: str(private / below) for name, below in COMPILED.items()}
    if not network:
        found["HF_HUB_OFFLINE"] = "1"
    home = Path(inherited.get("HOME") or "/nonexistent")
    cache = Path(inherited.get("XDG_CACHE_HOME") or home / ".cache")
    own = private / "cache"
    found["XDG_CACHE_HOME"] = str(own)
    link_entries(cache, own)
    for name, (above, below) in OF_LIBRARIES.items():
        theirs = Path(inherited.get(name) or (cache if above == "cache" else home) / below)
        if theirs.is_dir():
            found[name] = str(folder_of_links(theirs, private / name.lower()) if is_confined else theirs)
    return found


def link_entries(cache: Path, own: Path) -> None:
    """A folder of links to what is in a cache. New files in it are the run's own."""
    own.mkdir(exist_ok=True)
    for name in names_in(cache):
        if name not in WRITTEN:
            os.symlink(cache / name, own / name)


def folder_of_links(theirs: Path, own: Path) -> Path:
    """The same folders with links to the files: a library can put a lock beside what it reads."""
    own.mkdir()
    waiting, left = deque([(theirs, own)]), MOST_LINKS
    while waiting:
        source, target = waiting.popleft()
        names = names_in(source)
        left -= len(names)
        for name in names:
            is_folder = (source / name).is_dir() and not (source / name).is_symlink()
            if is_folder and left > 0:
                (target / name).mkdir()
                waiting.append((source / name, target / name))
            elif not name.endswith(".lock"):
                os.symlink(source / name, target / name)
    return own


def names_in(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
