"""report.html says what holds now, of every run, and nothing in a run can make it do anything else."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest
from workbench import Place, Study

from flagstone.records import Ledger
from flagstone.status.report.summaries import summary_html

SVG = """<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>top.document.title = "x"</script>
<rect width="9" height="9" onload="alert(1)"/></svg>"""
HOSTILE = """<script>alert(1)</script> <img src=x onerror=alert(2)> [a](javascript:alert(3)) [b](file:///etc/passwd)
![c](https://example.org/pixel.png) [d](data:text/html,x) <style>body{display:none}</style> </div></body> {{ 7*7 }}
"""


class Page(HTMLParser):
    """The tags of a page with their attributes, and its text; the page's own style is left out."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html.partition("<style>")[0] + html.partition("</style>")[2])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data + " "

    def values(self, name: str) -> list[str]:
        return [attrs[name] or "" for _, attrs in self.tags if name in attrs]


def page(study: Study) -> Page:
    return Page(study.files.report.read_text(encoding="utf-8"))


def text(study: Study) -> str:
    return " ".join(page(study).text.split())


def decisions(study: Study) -> str:
    return text(study).partition(" Words ")[2].partition(" Experiments ")[0]


def test_a_run_in_the_middle(third: Study) -> None:
    said = text(third)
    assert "stage 03 Study Design: waits for you" in said and "flagstone review 03 --run" in said
    assert "auto-approved (--yes) by" in said and "There is no paper yet" in said
    assert said.count("There are no figures yet") == 1 and "not yet" in said


def test_a_finished_run_has_its_paper_and_every_summary(whole: Study) -> None:
    said, found = text(whole), page(whole)
    assert "done: every stage is approved" in said and "It is approved with stage 07" in said
    assert "workspace/artifacts/paper.pdf" in found.values("href")
    assert {f"stage-{nr}" for nr in ("01", "08")} <= set(found.values("id"))


def test_it_is_one_file_that_loads_nothing_and_runs_nothing(whole: Study) -> None:
    found = page(whole)
    policy = next(attrs["content"] or "" for tag, attrs in found.tags if attrs.get("http-equiv"))
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert {tag for tag, _ in found.tags} & {"script", "link", "iframe", "object", "embed", "form", "base"} == set()
    assert all(source.startswith("data:image/") for source in found.values("src"))


@pytest.mark.parametrize("words", [("approve", "03"), ("rollback", "02"), ("redo", "03"), ("refine", "03", "Shorter.")])
def test_every_decision_is_in_it_at_once(place: Place, third: Study, words: tuple[str, ...]) -> None:
    assert place.flagstone(*words).code == 0
    said = decisions(third)
    expected = {
        "approve": "03 approved (command)",
        "rollback": "02 approval taken back",
        "redo": "03 asks for a new start; not taken up yet",
        "refine": "03 asks for changes; not taken up yet",
    }
    assert expected[words[0]] in said, said
    assert "Shorter." in said or words[0] != "refine"


def test_requests_that_an_agent_took_up_keep_their_words_who_and_when(place: Place, first: Study) -> None:
    first.ask("01", "Shorter, please.\n")
    assert place.snakemake().code == 0
    first.files.redo("01").touch()
    assert place.snakemake().code == 0
    request = json.loads((first.files.drafts("01") / "003" / "request.json").read_text())
    assert request["why"] == "redo"
    said = decisions(first)
    assert re.search(r"01 asked for changes \(attempt 2\) \S+ Shorter, please\.", said)
    assert "01 asked for a new start (attempt 3)" in said and said.count("Shorter, please.") == 1


def test_an_aborted_run_says_why_until_it_is_resumed(place: Place, third: Study) -> None:
    (third.root / "aborted").write_text("superseded\n")
    assert place.snakemake().code == 0
    assert "aborted: nothing runs" in text(third) and "is aborted: superseded" in text(third)
    assert place.flagstone("resume", "t").code == 0
    assert "aborted: nothing runs" not in text(third) and "aborted the run; resumed since" in text(third)


def test_a_stage_that_was_edited_after_its_approval_is_stale(place: Place, whole: Study) -> None:
    whole.append(whole.files.relative(whole.summary("03")))
    assert place.snakemake().code == 0
    said = text(whole)
    assert "stage 03 Study Design: stale" in said and "changed after it was approved" in said
    assert "It is not approved: stage 07 Writing: held" in said


def test_a_stage_that_failed_quotes_why(place: Place) -> None:
    study = place.new("t", "limits.attempts=1", script={"01": {"*": "write-garbage"}})
    assert place.snakemake().code != 0
    assert "stage 01 Literature Survey: failed" in text(study) and "failed after 1 attempts" in text(study)


def test_what_an_agent_wrote_is_text_and_nothing_else(place: Place, whole: Study) -> None:
    whole.append(whole.files.relative(whole.summary("01")), HOSTILE)
    (whole.root / "brief.md").write_text(f"# Brief\n\n## Goal\n\n{HOSTILE}")
    registry = whole.root / "workspace/figures/figures.json"
    registry.write_text(json.dumps({"figures": [{"path": "workspace/figures/f.svg", "caption": HOSTILE}]}))
    whole.ask("08", HOSTILE)
    assert place.flagstone("abort", "t", "--why", HOSTILE).code == 0
    found = page(whole)
    assert {tag for tag, _ in found.tags} & {"script", "iframe", "object", "form"} == set()
    assert "style" not in {tag for tag, _ in found.tags}
    assert all(source.startswith("data:image/") for source in found.values("src"))
    addresses = [each for each in found.values("href") if not each.startswith(("#", "workspace/"))]
    assert all(each.startswith(("https://", "data:application/pdf;")) for each in addresses), addresses
    assert not [name for _, attrs in found.tags for name in attrs if name.startswith("on")]
    assert "alert(1)" in found.text and "49" not in found.text.partition("Summaries")[0].partition("{{")[0]


def test_figures_are_pictures_in_the_page_or_links_with_the_reason(place: Place, whole: Study) -> None:
    folder, index = whole.root / "workspace/figures", whole.files.index("figures")
    (folder / "script.svg").write_text(SVG)
    (folder / "large.png").write_bytes(b"\x89PNG" + bytes(4_000_000))
    (folder / "out.png").symlink_to("/etc/hostname")
    record = json.loads(index.read_text())
    paths = ["script.svg", "large.png", "out.png", "only.pdf", "../../../../etc/passwd"]
    rows = [{"path": f"workspace/figures/{name}", "format": name[-3:]} for name in paths[:4]]
    broken = ["nonsense", {"path": None, "format": "png"}, {"path": f"workspace/figures/{paths[4]}", "format": "png"}]
    index.write_text(json.dumps({**record, "entries": [*record["entries"], *rows, *broken]}))
    assert place.flagstone("abort", "t").code == 0
    found, said = page(whole), text(whole)
    assert sum(source.startswith("data:image/svg+xml;base64,") for source in found.values("src")) == 1
    assert "Not shown here: larger than 3" in said and "No browser draws this format: open the file." in said
    assert "workspace/figures/only.pdf" in found.values("href")
    assert not any("passwd" in address for address in found.values("href"))
    assert (whole.root / "report.html").stat().st_size < 1_000_000


def test_a_summary_of_any_length_is_laid_out_in_bounded_time() -> None:
    html = summary_html("[" * 400_000)
    assert html.count("[") == 60_000 and "The rest is left out here" in html
    assert summary_html("> " * 50 + "deep").count("deep") == 1


def test_a_broken_run_says_so(place: Place, third: Study) -> None:
    third.set(approval={"default": "nobody"})
    assert place.flagstone("abort", "t").code == 0
    assert "broken: " in text(third) and "approval" in text(third)


def test_costs_that_no_agent_reported_are_unknown_and_never_nothing(place: Place, third: Study) -> None:
    Ledger(third.files.logs / "agents.jsonl").append({"stage": "03", "attempt": 2, "agent": "x", "cost_usd": None})
    assert place.flagstone("abort", "t").code == 0
    said = text(third)
    assert "cost unknown" in said.partition("When (UTC)")[0] and "All 4 cost unknown" in said


def test_a_new_run_and_a_copy_of_a_run_have_a_true_report(place: Place, whole: Study) -> None:
    assert place.flagstone("new", "u", "--goal", "Does it hold?", "--agent", "demo").code == 0
    said = text(place.study("u"))
    assert "Does it hold?" in said and "stage 01 Literature Survey: not yet" in said
    assert "Nobody has decided anything yet" in said and "No stage has left a summary yet" in said


def test_an_experiment_is_shown_with_its_verdicts_and_its_best(place: Place, planned: Study) -> None:
    assert place.snakemake().code == 0
    said, found = text(planned), page(planned)
    assert re.search(r"ended by max_runs\(\d+\) runs: \d+ total \(\d+ advance", said), said
    assert "damaged" not in said
    assert re.search(r"best: \w+ \S+ \(min\) in r\d{4}", said)
    assert sum(source.startswith("data:image/svg+xml;base64,") for source in found.values("src")) == 1


def test_a_ledger_that_somebody_changed_is_called_damaged(place: Place, planned: Study) -> None:
    assert place.snakemake().code == 0
    (ledger,) = planned.files.experiments.glob("*/ledger.jsonl")
    lines = ledger.read_text().splitlines(keepends=True)
    ledger.write_text("".join([lines[0].replace("{", "{ ", 1), *lines[1:]]))
    assert place.flagstone("abort", "t").code == 0
    assert "damaged: experiments/tune/ledger.jsonl was changed" in text(planned)


def test_it_comes_back_when_it_is_gone_and_keeps_what_was_put_in_its_place(place: Place, third: Study) -> None:
    assert place.snakemake().code == 0
    before = text(third)
    for spoil in (third.files.report.unlink, lambda: third.files.report.write_text("<p>by Snakemake</p>")):
        spoil()
        assert place.snakemake().code == 0
        assert text(third).partition("As of")[0] == before.partition("As of")[0]
    third.files.report.write_text(third.files.report.read_text().replace("waits for you", "is approved"))
    assert place.snakemake().code == 0
    assert "is approved" not in text(third) and len(list(third.root.glob("report*"))) == 2
    assert (third.root / "report.kept.html").read_text() == "<p>by Snakemake</p>"


def test_nothing_new_leaves_it_untouched(place: Place, third: Study) -> None:
    assert place.snakemake().code == 0
    before = third.files.report.stat()
    assert place.flagstone("resume", "t").code == 0
    assert third.files.report.stat().st_mtime_ns == before.st_mtime_ns
