"""Writes docs/reference/ and docs/pictures/stages.svg from schemas, code and --help; `--check` only compares."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
sys.path.insert(0, str(ROOT / "src"))

from generating.code_pages import checks_page, commands_page, exit_codes_page, files_page, gates_page  # noqa: E402
from generating.draw import draw_page, picture  # noqa: E402
from generating.schema_pages import PLANS, marker_page, paper_page, records_page, settings_page, stages_page  # noqa: E402

from flagstone.stages import load_table  # noqa: E402

HEAD = "<!-- Written by docs/generate.py. Do not edit: change its source, then `make docs`. -->\n\n"


def pages() -> dict[str, str]:
    """Every generated file, by its path below docs/."""
    words = yaml.safe_load((DOCS / "meanings.yaml").read_text())
    table = load_table(ROOT / "config" / "stages.yaml", ROOT / "schemas")
    return {
        "reference/settings.md": HEAD + settings_page(),
        "reference/stages.md": HEAD + stages_page(table),
        "reference/records.md": HEAD + records_page(),
        **{f"reference/{plan.kind}.md": HEAD + plan.text(words[plan.kind]) for plan in PLANS},
        "reference/marker.md": HEAD + marker_page(),
        "reference/paper.md": HEAD + paper_page(),
        "reference/commands.md": HEAD + commands_page(),
        "reference/gates.md": HEAD + gates_page(table),
        "reference/exit-codes.md": HEAD + exit_codes_page(),
        "reference/files.md": HEAD + files_page(words["files"], words["marker"]),
        "reference/checks.md": HEAD + checks_page(words["checks"]),
        "pictures/stages.svg": picture(table),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; 1 where a file is out of step")
    parser.add_argument("--page", type=Path, metavar="PDF", help="draw pictures/paper.png from a demo run's paper.pdf")
    asked = parser.parse_args()
    if asked.page:
        draw_page(asked.page, DOCS / "pictures" / "paper.png")
        return 0
    stale = {name: text for name, text in pages().items() if not is_in_step(DOCS / name, text)}
    for name, text in stale.items():
        if not asked.check:
            (DOCS / name).parent.mkdir(parents=True, exist_ok=True)
            (DOCS / name).write_text(text, encoding="utf-8")
        sys.stdout.write(f"{'out of step' if asked.check else 'wrote'}  docs/{name}\n")
    if asked.check and stale:
        sys.stdout.write("cure: make docs\n")
    return int(asked.check and bool(stale))


def is_in_step(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main())
