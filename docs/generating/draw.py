"""The pictures of the documentation: the stages as a graph, and a page of the demo paper."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

from flagstone.stages import StageTable

COLUMNS, WIDTH, HEIGHT, GAP_X, GAP_Y, EDGE = 4, 158, 52, 78, 66, 16
STYLE = (
    "text{font:13px sans-serif;fill:#1b1f24;text-anchor:middle}.small{font-size:11px}.path{font:11px monospace}"
    ".box{fill:#e8f0fa;stroke:#3a6ea5}.gate{fill:#fff4d6;stroke:#b07d12}.line{fill:none;stroke:#57606a;stroke-width:1.4}"
)


def picture(table: StageTable) -> str:
    """The stages as boxes, the file between two of them on the line that leads on."""
    place = {
        each.nr: (EDGE + n % COLUMNS * (WIDTH + GAP_X), EDGE + n // COLUMNS * (HEIGHT + GAP_Y))
        for n, each in enumerate(table)
    }
    right, bottom = (max(corner[side] for corner in place.values()) for side in (0, 1))
    width, height = right + WIDTH + EDGE, bottom + HEIGHT + EDGE
    parts = [line_between(place[up], place[each.nr], up) for each in table for up in each.after]
    for each in table:
        x, y = place[each.nr]
        parts.append(f'<rect class="box" x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="7"/>')
        parts.append(f'<text x="{x + WIDTH // 2}" y="{y + 23}">{each.nr}</text>')
        parts.append(f'<text class="small" x="{x + WIDTH // 2}" y="{y + 40}">{each.title}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">\n'
        "<title>The stages of a run, with the file that opens the way from one to the next</title>\n"
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="#57606a"/></marker></defs>\n'
        f'<style>{STYLE}</style>\n<rect width="{width}" height="{height}" fill="#ffffff"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def line_between(start: tuple[int, int], end: tuple[int, int], nr: str) -> str:
    """A line with its gate: straight along a row, around the corner into the next one."""
    x, y, to_y = start[0] + WIDTH, start[1] + HEIGHT // 2, end[1] + HEIGHT // 2
    if to_y == y and end[0] > x:
        line, gate = f"M{x} {y}H{end[0]}", ((x + end[0]) // 2, y)
    else:
        middle, start_x, end_x = start[1] + HEIGHT + GAP_Y // 2, start[0] + WIDTH // 2, end[0] + WIDTH // 2
        line = f"M{start_x} {start[1] + HEIGHT}V{middle}H{end_x}V{end[1]}"
        gate = ((start_x + end_x) // 2, middle)
    pill = f'<rect class="gate" x="{gate[0] - 29}" y="{gate[1] - 10}" width="58" height="20" rx="10"/>'
    words = f'<text class="path" x="{gate[0]}" y="{gate[1] + 4}">{nr}.flag</text>'
    return f'<path class="line" d="{line}" marker-end="url(#tip)"/>\n{pill}\n{words}'


def draw_page(paper: Path, target: Path) -> None:
    """One page of a paper as a small picture: the figures' page where there is one."""
    from PIL import Image

    argv = ["pdftoppm", "-r", "84", "-f", "2", "-l", "2", "-png", str(paper)]
    page = Image.open(io.BytesIO(subprocess.run(argv, check=True, capture_output=True).stdout))
    page.convert("RGB").quantize(200, dither=Image.Dither.NONE).save(target, optimize=True)
