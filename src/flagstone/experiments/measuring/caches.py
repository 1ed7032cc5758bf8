"""Caches of a run: what is compiled is its own; models and data sets are found where the person has them."""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Mapping
from pathlib import Path

from flagstone.experiments.candidates import make_empty_folder, make_real_folder, remove, walk

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
NEVER_LINKED = ("NLTK_DATA",)  # NLTK only reads, and refuses links that lead out of its folder
# programs write to these even if they only read: a run gets empty ones
WRITTEN = ("uv", "pip", "matplotlib", "fontconfig", "torch_extensions", "torch_compile", "mesa_shader_cache")
MOST_LINKS = 500  # for one cache; a folder beyond is linked as a whole
LINKED = ("cache", *(name.lower() for name in OF_LIBRARIES))
Links = dict[str, str]  # where each leads; a folder leads nowhere


def cache_variables(private: Path, inherited: Mapping[str, str], *, is_confined: bool, network: bool) -> dict[str, str]:
    """Where libraries look for compiled code, models and data sets. Empties the private folder of the run before."""
    make_empty_folder(private, but=LINKED)
    found = {name: str(private / below) for name, below in COMPILED.items()}
    if not network:
        found["HF_HUB_OFFLINE"] = "1"
    home = Path(inherited.get("HOME") or "/nonexistent")
    cache = Path(inherited.get("XDG_CACHE_HOME") or home / ".cache")
    found["XDG_CACHE_HOME"] = f"{private}/cache"
    put_links({name: f"{cache}/{name}" for name in names_in(cache) if name not in WRITTEN}, f"{private}/cache")
    for name, (above, below) in OF_LIBRARIES.items():
        theirs = inherited.get(name) or f"{cache if above == 'cache' else home}/{below}"
        if os.path.isdir(theirs):
            own = f"{private}/{name.lower()}"
            is_linked = is_confined and name not in NEVER_LINKED
            found[name] = own if is_linked else theirs
            if is_linked:
                put_links(links_to(theirs), own)
    return found


def links_to(theirs: str) -> Links:
    """The same folders with links to the files: a library can put a lock beside what it reads."""
    found, waiting, left = Links(), deque([""]), MOST_LINKS
    while waiting:
        above = waiting.popleft()
        names = names_in(theirs + above)
        left -= len(names)
        for path in (f"{above}/{name}" for name in names):
            place = theirs + path
            if left > 0 and os.path.isdir(place) and not os.path.islink(place):
                found[path[1:]] = ""
                waiting.append(path)
            elif not path.endswith(".lock"):
                found[path[1:]] = place
    return found


def put_links(wanted: Links, own: str) -> None:
    """Exactly these links, and folders with links, whatever a run has made of them. New files were that run's own."""
    make_real_folder(Path(own))
    present = dict[str, str]()
    for path, status in walk(Path(own), lambda path: wanted.get(path) == ""):
        if isinstance(status, OSError):
            raise status
        place, is_folder = f"{own}/{path}", stat.S_ISDIR(status.st_mode)
        if is_folder and status.st_mode & 0o700 != 0o700:
            os.chmod(place, 0o700)
        leads = os.readlink(place) if stat.S_ISLNK(status.st_mode) else "" if is_folder else None
        if leads is None or leads != wanted.get(path):
            remove(Path(place), status)
        else:
            present[path] = leads
    for path in wanted.keys() - present.keys() if len(present) < len(wanted) else ():
        make_link(f"{own}/{path}", wanted[path])


def make_link(place: str, leads: str) -> None:
    if leads:
        os.makedirs(os.path.dirname(place), exist_ok=True)
        os.symlink(leads, place)
    else:
        os.makedirs(place, exist_ok=True)


def names_in(folder: str | Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
