"""The documentation says what the code does: generated pages are in step, commands exist, links resolve."""

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest

from flagstone.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")
TYPED = re.compile(r"(?<!from)(?:^|[\s`$(])(?:\$ )?flagstone +([a-z][a-z-]*)", re.MULTILINE)
MADE = re.compile(r"`make ([a-z-]+)`|^ +\$? ?make ([a-z-]+)", re.MULTILINE)


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def code_of(page: Path) -> str:
    """A page's text where people wrote it: a code block or words in back-ticks."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^(?: {4}.*|```.*?^```)$", text, re.MULTILINE | re.DOTALL)
    return "\n".join([*blocks, *(f"`{words}" for words in re.findall(r"`([^`\n]+)`", text))])


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ +(.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_generated_reference_is_in_step_with_schemas_code_and_help():
    ended = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, f"{ended.stdout}{ended.stderr}\nrun: make docs"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_relative_link_leads_to_a_file_and_to_a_heading_in_it(page):
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{name_of(page)} links to {link}, which is not there"
        assert target.is_relative_to(ROOT), f"{name_of(page)} links out of the project: {link}"
        assert not anchor or anchor in anchors(target), f"{name_of(page)}: {link} names no heading of {path}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_that_is_named_exists(page):
    text = code_of(page)
    unknown = set(TYPED.findall(text)) - set(COMMANDS)
    assert not unknown, f"{name_of(page)} names commands that do not exist: {', '.join(sorted(unknown))}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_make_target_that_is_named_exists(page):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {first or second for first, second in MADE.findall(page.read_text(encoding="utf-8"))}
    assert named <= targets, f"{name_of(page)} names make targets that do not exist: {', '.join(named - targets)}"


def test_every_page_is_reached_from_the_index():
    reached = {(ROOT / "docs" / link.partition("#")[0]).resolve() for link in LINK.findall(index_text())}
    left_out = [name_of(page) for page in PAGES[1:] if page not in reached and page.name != "README.md"]
    assert not left_out, f"docs/README.md does not link to {', '.join(left_out)}"


def index_text() -> str:
    return (ROOT / "docs" / "README.md").read_text(encoding="utf-8")


def test_the_readme_fits_two_screens():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 100
