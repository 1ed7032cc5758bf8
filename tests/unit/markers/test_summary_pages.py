"""The page of a marker: what it says, and that nothing an agent wrote is more than text on it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from marker_runs import entry, write

from flagstone.errors import FlagstoneError
from flagstone.markers.folder import MarkerFolder
from flagstone.markers.ideas import add_idea
from flagstone.markers.marker import Marker, Metric
from flagstone.markers.reporting.summary import Part, renderer, template, write_summary

SCHEMAS = Path(__file__).resolve().parents[3] / "schemas"
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\x1b[31m[a](javascript:alert(1)) ![b](http://x.test/y)"


def marker_in(root: Path) -> Marker:
    return Marker(f"speed {HOSTILE[:8]}", root, ("src/**",), Metric("make", "cat", "max"), description=HOSTILE)


def test_what_agents_and_people_wrote_is_text_on_the_page(tmp_path: Path) -> None:
    marker = marker_in(tmp_path)
    folder = MarkerFolder.of(tmp_path, marker.name)
    write(folder, 1, entry(1, improved=True), entry(2, HOSTILE, reason=HOSTILE))
    folder.home(1).spec.write_text("noise: {}\n")
    add_idea(folder, HOSTILE)
    page = write_summary(marker, SCHEMAS).read_text()
    assert "<script" not in page and "onerror" in page  # it is there, and escaped
    assert "\x1b" not in page
    assert re.findall(r"<(?:img|a|iframe|object|link|form)\b", page) == []
    assert "idea-1: &lt;script&gt;" in page and "1/r0002" in page


def test_a_report_has_no_html_links_or_pictures_of_an_agent() -> None:
    html = renderer().render(f"- {HOSTILE}\n\n<b>x</b>\n\n[c]: http://x.test\n\n[c] <http://y.test>\n")
    assert re.findall(r"<(?:script|img|a|b)\b", html) == []


def test_a_diff_is_text_on_the_page(tmp_path: Path) -> None:
    parts = [
        Part("1", report="<ul></ul>", picture="AAAA", diff="+<script>x</script>"),
        Part("2", problem="<b>gone</b>"),
    ]
    facts = {"marker": marker_in(tmp_path), "confidence": [], "parts": parts, "rows": [], "left_out": 0, "ideas": []}
    state = {"status": "active", "baseline": None, "best": None, "runs": 0, "kept": 0, "cost_usd": 0.0}
    page = template().render(**facts, state=state)
    assert "+&lt;script&gt;x" in page and "&lt;b&gt;gone" in page
    assert page.count("<img") == 1


def test_a_marker_without_runs_has_no_page(tmp_path: Path) -> None:
    with pytest.raises(FlagstoneError, match="has no runs yet"):
        write_summary(marker_in(tmp_path), SCHEMAS)
