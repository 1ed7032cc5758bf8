"""What a bundle says about itself: where and with what the run was made, licences, and a page for a stranger."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from string import Template

from flagstone.bundle.crate import RunFacts
from flagstone.gates import RunConfig, goal_of, judge_gates, read_moment
from flagstone.layout import Run
from flagstone.records import Ledger, read_record
from flagstone.text import one_line

FLAGSTONES_OWN = ("pinned/", "workflow/", "stages/", "index/", "README.md", "SHA256SUMS", "bundle.json")


def environment_of(opened: RunConfig) -> Mapping[str, object]:
    """With what the run was made: versions, and the packages that are installed beside Flagstone."""
    known = dict((read_record(opened.run.manifest) or {}).get("environment") or {})
    known.pop("host", None)
    return {"versions": known, "packages": packages()}


@cache
def packages() -> dict[str, str]:
    return {str(each.metadata["Name"]).lower(): each.version for each in distributions() if each.metadata["Name"]}


def facts_of(opened: RunConfig, persons: list[str]) -> RunFacts:
    times = [str(line.get("at")) for line in Ledger(opened.run.seals).entries()]
    versions = environment_of(opened)["versions"]
    assert isinstance(versions, dict)
    return RunFacts(
        name=opened.run.name,
        question=one_line(goal_of(opened.run), 2000),
        began_at=times[0] if times else "",
        ended_at=times[-1] if times else "",
        versions={name: str(version) for name, version in versions.items() if version},
        persons=persons,
        is_finished=not open_stages(opened),
    )


def open_stages(opened: RunConfig) -> list[str]:
    """The stages that are not approved."""
    verdicts = judge_gates(read_moment(opened))
    return [verdict.stage.key for verdict in verdicts.values() if not verdict.is_in_force]


def licences_of(run: Run) -> Callable[[str], str]:
    """The licence of a file, as the run states it. Returns '' for a file of which it states none."""
    stated: dict[str, str] = {}
    for name in ("artifact_manifest.json", "artifact_bundle_manifest.json"):
        rows = (read_record(run.workspace / "artifacts" / name) or {}).get("artifacts")
        stated |= {str(row.get("path")): str(row.get("licence") or "") for row in rows or [] if isinstance(row, dict)}
    for dataset in (read_record(run.workspace / "data" / "manifest.json") or {}).get("datasets") or []:
        for file in dataset.get("files") or [] if isinstance(dataset, dict) else []:
            stated[str(file.get("path"))] = str(dataset.get("licence") or "")
    return lambda path: stated.get(path, "") or ("MIT (Flagstone)" if path.startswith(FLAGSTONES_OWN) else "")


def readme_of(opened: RunConfig, files: Collection[str], left_out: Mapping[str, str]) -> bytes:
    """The page that a stranger reads first."""
    run, name = opened.run, f"{opened.run.name}.zip"
    missing = missing_text(opened, files, left_out)
    goal, repeat = one_line(goal_of(run), 1000), repeat_text(run)
    return page().substitute(name=run.name, archive=name, goal=goal, missing=missing, repeat=repeat).encode()


def repeat_text(run: Run) -> str:
    """The command that repeats the main result, as the last stage names it, or the one that repeats a run."""
    named = read_record(run.workspace / "artifacts" / "repeat.json") or {}
    if not isinstance(named.get("command"), str):
        return f"    flagstone verify {run.name}.zip --rerun 1\n\nThis runs one run of a trial again, and compares."
    takes = f"It takes about {named.get('minutes')} min" if named.get("minutes") else "It takes less than a minute"
    return (
        f"    {one_line(named['command'], 1000)}\n\nStart it in the folder of the unpacked bundle. {takes}, and gives "
        f"{named.get('value')} in `{one_line(str(named.get('gives')), 200)}` (tolerance {named.get('tolerance')})."
    )


@cache
def page() -> Template:
    return Template(Path(__file__).with_name("readme.md").read_text(encoding="utf-8"))


def missing_text(opened: RunConfig, files: Collection[str], left_out: Mapping[str, str]) -> str:
    found = [f"- stage {key} is not approved" for key in open_stages(opened)]
    if opened.run.aborted.exists():
        found.append("- the run was aborted")
    if "workspace/artifacts/paper.pdf" not in files:
        found.append("- there is no paper")
    if not any(path.startswith("trials/") for path in files):
        found.append("- there is no trial, so that no verdict rests on a pre-registration")
    found += [f"- {path} is left out: {why}" for path, why in sorted(left_out.items())]
    return "\n".join(found) or "- nothing that we know of"
