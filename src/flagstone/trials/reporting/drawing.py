"""Draws points, lines and words as SVG: loading a plotting library would take longer than a whole trial."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import floor, log10

BLACK = "#000000"
MARGIN = 0.06  # of the range of the numbers, on either side
MOST_TICKS = 6
LARGEST = 1e150  # a number beyond it is drawn there


@dataclass(frozen=True)
class Axis:
    """Where on the picture a number lies: `low` at the pixel `start`, `high` at the pixel `end`."""

    low: float
    high: float
    start: float
    end: float

    @classmethod
    def around(cls, values: Iterable[float], start: float, end: float) -> Axis:
        """An axis on which all these numbers lie, with a margin."""
        known = [drawn_value(value) for value in values] or [0.0]
        low, high = min(known), max(known)
        margin = MARGIN * (high - low)
        if margin <= 1e-12 * max(abs(low), abs(high), 1e-200):
            margin = abs(low) / 10 or 1.0
        return cls(low - margin, high + margin, start, end)

    def place(self, value: float) -> float:
        return self.start + (drawn_value(value) - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self) -> Iterator[tuple[float, str]]:
        """Round numbers on the axis, and how they are written."""
        power = 10.0 ** floor(log10((self.high - self.low) / MOST_TICKS))
        step = next(power * each for each in (1, 2, 5, 10) if (self.high - self.low) / (power * each) <= MOST_TICKS)
        for number in range(floor(self.low / step) + 1, floor(self.high / step) + 1):
            yield number * step, f"{number * step:.10g}"


def drawn_value(value: float) -> float:
    return max(-LARGEST, min(LARGEST, value))


def line(begin: tuple[float, float], end: tuple[float, float], colour: str, width: float, dash: str = "") -> str:
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    (x, y), (to_x, to_y) = begin, end
    where = f'x1="{x:.2f}" y1="{y:.2f}" x2="{to_x:.2f}" y2="{to_y:.2f}"'
    return f'<line {where} stroke="{colour}" stroke-width="{width}"{dashes}/>'


def dot(x: float, y: float, colour: str) -> str:
    return f'<circle cx="{x:.2f}" cy="{y:.2f}" r="3.6" fill="{colour}"/>'


def diamond(x: float, y: float, colour: str) -> str:
    return f'<path d="M{x:.2f} {y - 5.5:.2f}l5.5 5.5l-5.5 5.5l-5.5 -5.5z" fill="{colour}"/>'


def cross(x: float, y: float, colour: str) -> str:
    return f'<path d="M{x - 3.5:.2f} {y - 3.5:.2f}l7 7m0 -7l-7 7" stroke="{colour}" stroke-width="1.6"/>'


def words(x: float, y: float, text: str, anchor: str = "start", style: str = "") -> str:
    """Lines of text, the first at this height. `anchor` says which part of them lies at `x`."""
    found = ""
    for number, each in enumerate(text.split("\n")):
        where = f'x="{x:.2f}" y="{y + 15 * number:.2f}"'
        found += f'<text {where} text-anchor="{anchor}"{style and " " + style}>{html.escape(each)}</text>'
    return found


def horizontal_axis(axis: Axis, y: float, label: str) -> Iterator[str]:
    yield line((axis.start, y), (axis.end, y), BLACK, 0.8)
    for value, text in axis.ticks():
        yield line((axis.place(value), y), (axis.place(value), y + 4), BLACK, 0.8)
        yield words(axis.place(value), y + 17, text, "middle")
    yield words((axis.start + axis.end) / 2, y + 36, label, "middle")


def vertical_axis(axis: Axis, x: float, label: str) -> Iterator[str]:
    """`axis` begins at its lower end. The label stands above it."""
    yield line((x, axis.start), (x, axis.end), BLACK, 0.8)
    for value, text in axis.ticks():
        yield line((x - 4, axis.place(value)), (x, axis.place(value)), BLACK, 0.8)
        yield words(x - 7, axis.place(value) + 4, text, "end")
    yield words(8, axis.end - 27, label)


def picture(size: tuple[float, float], title: str, parts: Iterable[str]) -> bytes:
    """The same parts give the same bytes."""
    width, height = size
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
    font = f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="DejaVu Sans, Verdana, sans-serif" font-size="12">'
    paper = f'<title>{html.escape(title)}</title>\n<rect width="100%" height="100%" fill="#fff"/>'
    return "\n".join([head + font, paper, words(8, 20, title), *parts, "</svg>\n"]).encode()
