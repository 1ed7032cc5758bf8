"""What is installed in a Python environment, read from its files: nothing of it is started."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlparse

SITES: tuple[str, ...] = ("lib/python3*/site-packages", "lib64/python3*/site-packages", "lib/python3*/dist-packages")
SITES += ("lib/python3/dist-packages", "local/lib/python3*/dist-packages", "Lib/site-packages")
MOST_BYTES = 1_000_000


@dataclass(frozen=True)
class InstalledPackages:
    """The distributions by name with their versions, the folders they are in, and the sources of editable ones."""

    sites: tuple[Path, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    editable: Mapping[str, Path] = field(default_factory=dict)
    linked: tuple[Path, ...] = ()

    def has(self, module: str) -> bool:
        """Whether a module of this name can be imported, as far as the files tell."""
        return any(is_module(folder, module) for folder in (*self.sites, *self.linked))


def is_module(folder: Path, name: str) -> bool:
    return (folder / name).is_dir() or (folder / f"{name}.py").is_file() or any(folder.glob(f"{name}.*.so"))


def installed_packages(prefix: Path, others: Iterable[Path] = ()) -> InstalledPackages:
    """What stands in the site-packages of an environment, and of those that it sees beside its own."""
    sites = [site for each in (prefix, *others) for pattern in SITES for site in sorted(each.glob(pattern))]
    versions, editable, linked = dict[str, str](), dict[str, Path](), list[Path]()
    for site in reversed(sites):
        for info in sorted([*site.glob("*.dist-info"), *site.glob("*.egg-info")]):
            name, _, version = info.name.rpartition(".")[0].partition("-")
            versions[normal_name(name)] = version.partition("-")[0]
            if source := editable_source(info):
                editable[normal_name(name)] = source
        linked += linked_folders(site)
    folders = [folder for source in editable.values() for folder in (source / "src", source)]
    return InstalledPackages(tuple(sites), versions, editable, (*dict.fromkeys((*linked, *folders)),))


def normal_name(name: str) -> str:
    """The name of a distribution in the one spelling that counts."""
    return re.sub(r"[-_.]+", "-", name).lower()


def editable_source(info: Path) -> Path | None:
    """The folder that an editable install points to. Returns None if it is none."""
    with suppress(OSError, ValueError, RecursionError, AttributeError, KeyError, TypeError):
        told = json.loads(read_small(info / "direct_url.json"))
        if told.get("dir_info", {}).get("editable"):
            return Path(unquote(urlparse(told["url"]).path))
    return None


def linked_folders(site: Path) -> Iterator[Path]:
    """The folders that `.pth` files add. A line that begins with import is code, and is left alone."""
    for path in sorted(site.glob("*.pth")):
        with suppress(OSError, ValueError):
            for line in read_small(path).splitlines():
                if line.strip() and not line.startswith(("#", "import ", "import\t")):
                    yield site / line.strip()


def read_small(path: Path) -> str:
    """The text of a small file."""
    with open(path, encoding="utf-8") as stream:
        return stream.read(MOST_BYTES)
