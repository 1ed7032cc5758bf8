"""A paper and its release material as files: every rule, met and broken."""

from __future__ import annotations

import pytest
from material import PDF, outcome, put, statuses, turn_of

from flagstone.layout import Run
from flagstone.records import digest_bytes

BUILT = {"paper.pdf": PDF, "build_log.txt": b"This is pdfTeX", "main.tex": b"\\documentclass{article}"}
PLACES = {
    "paper.pdf": "artifacts/paper.pdf",
    "build_log.txt": "artifacts/build_log.txt",
    "main.tex": "writing/main.tex",
}


@pytest.fixture
def paper(run: Run) -> Run:
    """What Flagstone built, and the copies that it published."""
    run.paper.mkdir()
    for name, content in BUILT.items():
        (run.paper / name).write_bytes(content)
        put(run, PLACES[name], content)
    return run


def without(run: Run, path: str) -> Run:
    (run.workspace / path).unlink()
    return run


def test_published_copies_of_what_was_built_pass(paper: Run) -> None:
    assert "failed" not in statuses(paper, "fresh-paper").values()
    assert {"paper-pdf", "paper-fresh", "paper-lint"} <= set(statuses(paper, "fresh-paper"))


@pytest.mark.parametrize("path", PLACES.values())
def test_a_copy_that_somebody_changed_or_removed_is_named(paper: Run, path: str) -> None:
    put(paper, path, PDF + b"\n% changed" if path.endswith(".pdf") else "changed")
    found = outcome(paper, "paper")["paper-lint"]
    assert found.status == "failed" and f"workspace/{path}" in found.message
    assert statuses(without(paper, path), "paper")["paper-lint"] == "failed"


def test_a_paper_that_an_earlier_version_left_to_its_agent_is_not_taken_for_a_built_one(run: Run) -> None:
    put(run, "artifacts/paper.pdf", PDF)
    found = outcome(run, "paper")["paper-lint"]
    assert found.status == "not checked" and "redo the stage" in found.message
    assert statuses(run, "paper")["paper-pdf"] == "passed"


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7\nnothing more", b"a word"], ids=["empty", "cut off", "no PDF"])
def test_a_pdf_must_be_real(paper: Run, content: bytes) -> None:
    put(paper, "artifacts/paper.pdf", content)
    assert statuses(paper, "paper")["paper-pdf"] == "failed"


def test_an_old_pdf_is_not_fresh(paper: Run) -> None:
    assert statuses(paper, "fresh-paper", turn=turn_of(paper))["paper-fresh"] == "failed"
    assert "paper-fresh" not in statuses(paper, "paper", turn=turn_of(paper))


READY = {
    "reviews/threats_to_validity.md": "One threat.",
    "artifacts/release_notes.md": "The first release.",
}


@pytest.fixture
def release(run: Run) -> Run:
    for path, content in READY.items():
        put(run, path, content)
    rows = [{"path": "workspace/notes/plan.md", "sha256": digest_bytes(b"the plan")}]
    put(run, "artifacts/artifact_manifest.json", {"artifacts": rows})
    return run


def test_release_material_passes_and_nothing_is_left_unchecked(release: Run) -> None:
    found = statuses(release, "fresh-readiness")
    assert set(found.values()) == {"passed"} and "readiness-fresh" in found


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("reviews/threats_to_validity.md", "threats-to-validity"),
        ("artifacts/artifact_manifest.json", "artifact-manifest"),
        ("artifacts/release_notes.md", "release-notes"),
    ],
)
def test_each_document_of_a_release_must_be_there_and_hold_something(release: Run, path: str, rule: str) -> None:
    put(release, path, " \n")
    found = outcome(release, "readiness")[rule]
    assert found.status == "failed" and path in found.message
    assert path in outcome(without(release, path), "readiness")[rule].message


def test_a_document_may_lie_in_the_other_room_under_its_other_name(release: Run) -> None:
    without(release, "artifacts/release_notes.md")
    put(release, "reviews/release_notes.md", "Notes.")
    assert statuses(release, "readiness")["release-notes"] == "passed"


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{"path": "workspace/gone.md"}],
        [{"path": "../../etc/hostname"}],
        [{"path": "/etc/hostname"}],
        [{"path": "workspace/notes/plan.md", "sha256": "0" * 64}],
        [{"path": "a\0b"}],
        ["workspace/notes/plan.md"],
    ],
)
def test_an_artifact_manifest_must_fit_the_files(release: Run, rows: list[object]) -> None:
    put(release, "artifacts/artifact_manifest.json", {"artifacts": rows})
    assert statuses(release, "readiness")["artifact-manifest"] == "failed"


def test_release_material_from_before_the_stage_is_not_fresh(release: Run) -> None:
    turn = turn_of(release)
    put(release, "reviews/threats_to_validity.md", "Another threat.")
    found = outcome(release, "fresh-readiness", turn=turn)["readiness-fresh"]
    assert found.status == "failed" and "release_notes.md" in found.message
    assert "threats" not in found.message
    assert "readiness-fresh" not in statuses(release, "readiness", turn=turn)
