"""The pages for contributors say what the code does: words, order of the rooms, paths."""

from __future__ import annotations

import re
import tomllib

from sources import ROOT, python

PACKAGE = ROOT / "src" / "flagstone"
GLOSSARY = ROOT / "docs" / "glossary.md"
GUIDE = ROOT / "CONTRIBUTING.md"
MOST_WORDS = 40
ENTRY = re.compile(r"^\| ([a-z][a-z ]*) \|", re.MULTILINE)


def entries() -> list[str]:
    return [word for word in ENTRY.findall(GLOSSARY.read_text(encoding="utf-8")) if word != "word"]


def test_the_glossary_stays_short_and_has_no_word_twice() -> None:
    assert len(entries()) == len(set(entries())) <= MOST_WORDS


def test_every_word_of_the_glossary_is_used() -> None:
    pages = [path for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")) if path != GLOSSARY]
    sources = [source.path for source in python("src/flagstone")]
    used = " ".join(path.read_text(encoding="utf-8") for path in (*pages, *sources))
    assert [word for word in entries() if not re.search(rf"\b{word}(s|es|ed)?\b", used)] == []


def test_the_guide_lists_the_rooms_in_the_order_that_is_held() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(each["layers"] for each in contracts if each["containers"] == ["flagstone"])
    held = [" | ".join(room for room in layer.split(" | ") if not room.startswith("(")) for layer in layers]
    block = re.search(r"\n\n((?:    [a-z |]+\n)+)", GUIDE.read_text(encoding="utf-8").partition("## The rooms")[2])
    assert block is not None and [line.strip() for line in block[1].splitlines()] == held


def test_every_path_in_the_guide_exists() -> None:
    paths = re.findall(r"`([a-z_./-]+(?:/|\.py|\.yaml|\.md|\.toml))`", GUIDE.read_text(encoding="utf-8"))
    homes = (ROOT, PACKAGE, PACKAGE / "experiments", PACKAGE / "artifacts", PACKAGE / "processes", PACKAGE / "agents")
    homes += (PACKAGE / "cli", ROOT / "prompts")
    assert [path for path in paths if not any((home / path).exists() for home in homes)] == []
