"""What must be ready before a run is published: threats, manifest, release notes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flagstone.artifacts.formats import Unreadable, loads_strict, regular_file
from flagstone.artifacts.rules.findings import RuleCheck, failed_check, passed_check
from flagstone.artifacts.rules.inspection import Inspection
from flagstone.text import count_text, escaped_text, list_text

# computed by Flagstone, where no agent may write, and offered for approval with the stage
READINESS_FILES = ("bundle/readiness.json", "bundle/readiness.md")
FOLDERS = ("workspace/reviews", "workspace/artifacts")
MANIFEST_NAMES = ("artifact_manifest.json", "artifact_bundle_manifest.json")


@dataclass(frozen=True)
class Document:
    """One document of stage 08: its rule, what it is, and the names it may have, the usual one first."""

    rule: str
    noun: str
    names: tuple[str, ...]
    folder: str = FOLDERS[0]

    @property
    def usual_path(self) -> str:
        return f"{self.folder}/{self.names[0]}"


DOCUMENTS = (
    Document("threats-to-validity", "threats to validity", ("threats_to_validity.md",)),
    Document("artifact-manifest", "artifact manifest", MANIFEST_NAMES, FOLDERS[1]),
    Document("release-notes", "release notes", ("release_notes.md",), FOLDERS[1]),
)


def readiness_checks(must_be_fresh: bool, inspection: Inspection) -> Iterator[RuleCheck]:
    stale = []
    for document in DOCUMENTS:
        path = document_path(inspection, document)
        yield document_check(inspection, document, path)
        if path and not inspection.is_fresh(path, inspection.digest(path)):
            stale.append(path)
    if must_be_fresh and stale:
        yield failed_check(
            "readiness-fresh", f"write these again in this stage; their content is older than it: {list_text(stale)}"
        )
    elif must_be_fresh and not stale:
        yield passed_check("readiness-fresh", "these files were written in this stage")


def document_path(inspection: Inspection, document: Document) -> str:
    """The path of the document ('' if there is none)."""
    places = [f"{folder}/{name}" for name in document.names for folder in (document.folder, *FOLDERS)]
    return next((path for path in places if os.path.lexists(inspection.run.root / path)), "")


def document_check(inspection: Inspection, document: Document, path: str) -> RuleCheck:
    if not path:
        return failed_check(document.rule, f"write the {document.noun} to {document.usual_path}")
    try:
        text = inspection.text(path)
        if path.endswith(".json"):
            return passed_check(document.rule, f"{path}, {count_artifacts(inspection, text)}")
    except Unreadable as refusal:
        return failed_check(document.rule, f"fix {path}: {refusal.reason}")
    return passed_check(document.rule, path)


def count_artifacts(inspection: Inspection, text: str) -> str:
    """Every file the manifest lists is there, with the digest it gives."""
    rows = rows_of(loads_strict(text), ("artifacts", "files"))
    if not rows:
        raise Unreadable('it lists no files (write {"artifacts": [{"path": …, "sha256": …}]})')
    problems = [problem for problem in (row_problem(inspection, row) for row in rows) if problem]
    if problems:
        raise Unreadable(f"it does not fit the files: {list_text(problems)}")
    return count_text(len(rows), "file")


def rows_of(value: object, names: tuple[str, ...]) -> list[Any]:
    if isinstance(value, dict):
        value = next((value[name] for name in names if name in value), None)
    return value if isinstance(value, list) else []


def row_problem(inspection: Inspection, row: object) -> str:
    if not isinstance(row, Mapping) or not isinstance(row.get("path"), str):
        return "a row without a path"
    path = row["path"]
    try:
        if path.startswith("/") or ".." in path.split("/"):
            raise Unreadable("not a path below the run")
        regular_file(inspection.run.root / path, inspection.run.root)
    except Unreadable as refusal:
        return f"{escaped_text(path, 120)} ({refusal.reason})"
    except ValueError:  # a NUL byte in the name
        return f"{escaped_text(path, 120)} (not a path)"
    claimed = row.get("sha256") or row.get("digest")
    if isinstance(claimed, str) and claimed.removeprefix("sha256:") != inspection.digest(path):
        return f"{escaped_text(path, 120)} (it has another digest)"
    return ""
