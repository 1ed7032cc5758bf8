"""The description of a bundle for machines: a Workflow Run RO-Crate."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

METADATA = "ro-crate-metadata.json"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
}
WORKFLOW = "workflow/Snakefile"
INPUTS = ("question", "instructions", "data")
NOT_STATED = "no licence is stated for this file"


@dataclass(frozen=True)
class Described:
    """One file as the crate describes it."""

    path: str
    role: str
    size: int
    digest: str
    licence: str


@dataclass(frozen=True)
class RunFacts:
    """What the crate says of the run as a whole. The times are those of the first and the last decision."""

    name: str
    question: str
    began_at: str
    ended_at: str
    versions: Mapping[str, str]
    persons: Sequence[str]
    is_finished: bool


def metadata_of(run: RunFacts, files: Sequence[Described]) -> bytes:
    """The same run and files give the same bytes: nothing in it is the time or the place of its making."""
    from rocrate.model.contextentity import ContextEntity  # here, not above: it loads a client of the network
    from rocrate.model.person import Person
    from rocrate.rocrate import ROCrate

    crate = ROCrate(version="1.1")
    crate.name, crate.description, crate.datePublished = f"Bundle of run {run.name}", run.question, run.ended_at
    crate.license = "each file names its own licence"
    for file in files:
        if file.path != WORKFLOW:
            crate.add_file(dest_path=file.path, properties=properties_of(file))
    workflow = crate.add_workflow(
        dest_path=WORKFLOW,
        main=True,
        lang="snakemake",
        properties={**properties_of(next(file for file in files if file.path == WORKFLOW)), "name": "Flagstone"},
    )
    profiles = [
        crate.add(ContextEntity(crate, url, properties={"@type": "CreativeWork", "name": name, "version": "0.5"}))
        for url, name in PROFILES.items()
    ]
    crate.root_dataset["conformsTo"] = profiles
    people = [crate.add(Person(crate, f"#{name}", properties={"name": name})) for name in run.persons]
    action = crate.add_action(
        workflow,
        identifier="#run",
        object=[crate.dereference(file.path) for file in files if file.role in INPUTS],
        result=[crate.dereference(file.path) for file in files if file.role not in INPUTS and file.path != WORKFLOW],
        properties={"name": f"run {run.name}", "startTime": run.began_at, "endTime": run.ended_at}
        | {"actionStatus": {"@id": f"http://schema.org/{'Completed' if run.is_finished else 'Active'}ActionStatus"}},
    )
    action["agent"] = people
    crate.root_dataset["mentions"] = [action]
    for name, version in sorted(run.versions.items()):
        tool = {"@type": "SoftwareApplication", "name": name, "softwareVersion": version}
        workflow.append_to("softwareRequirements", crate.add(ContextEntity(crate, f"#{name}", properties=tool)))
    return json.dumps(crate.metadata.generate(), indent=1, ensure_ascii=False, sort_keys=True).encode() + b"\n"


def properties_of(file: Described) -> dict[str, str]:
    return {
        "name": file.path,
        "contentSize": str(file.size),
        "sha256": file.digest,
        "license": file.licence or NOT_STATED,
        "description": file.role,
    }
