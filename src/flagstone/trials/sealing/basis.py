"""What the number of a run holds for: its record is used again only if all of that is equal."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from flagstone.experiments.measuring import search_path
from flagstone.plans import Arm, TrialFolder, TrialSpec
from flagstone.records import DigestCache, digest_value, plain_value, read_record, write_record
from flagstone.text import list_text
from flagstone.trials.sealing.data_files import data_facts
from flagstone.trials.sealing.environment import Facts, environment_facts


@dataclass(frozen=True)
class SharedBasis:
    """What all runs of a trial have in common. `data` and `environment` are digests of facts beside the trial."""

    argv: tuple[str, ...]
    contract: str
    data: str
    environment: str


@dataclass(frozen=True)
class RunBasis:
    """Everything that one run's number holds for. `seed` is a salted digest until the seed is revealed."""

    tree: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    seed: str
    contract: str
    data: str
    environment: str

    @property
    def digest(self) -> str:
        return digest_value(plain_value(self))


def shared_basis(folder: TrialFolder, spec: TrialSpec, contract: str, environ: Mapping[str, str]) -> SharedBasis:
    """The common part of all bases as it is now. Keeps the facts behind its digests, so that a change can be named.

    `environ` is what runs inherit. In a run of Flagstone they find its own programs first, elsewhere the caller's.
    """
    cache = DigestCache(folder.root / "facts" / "cache" / "digests.json")
    root, argv = spec.experiment.subject.root, spec.experiment.harness.argv
    is_of_run = (folder.base / "run.yaml").is_file()
    path = {"PATH": search_path(None if is_of_run else "", environ)}
    around = {**environ, **path, **spec.experiment.harness.env}
    environment = environment_facts(argv[0], root, around, cache)
    data = data_facts(root, spec.data, cache)
    return SharedBasis(argv, contract, keep_facts(folder, data), keep_facts(folder, environment))


def data_digest(folder: TrialFolder, spec: TrialSpec) -> str:
    """The digest of the data as it is now."""
    cache = DigestCache(folder.root / "facts" / "cache" / "digests.json")
    return digest_value(data_facts(spec.experiment.subject.root, spec.data, cache))


def basis_of(shared: SharedBasis, tree: str, arm: Arm, seed: str) -> RunBasis:
    """The basis of one run: this tree with the switch of this arm, on this seed (or its salted digest)."""
    argv = (*shared.argv, *arm.switch)
    return RunBasis(tree, argv, dict(arm.env), seed, shared.contract, shared.data, shared.environment)


def facts_path(folder: TrialFolder, digest: str) -> Path:
    return folder.root / "facts" / f"{digest[:16]}.json"


def keep_facts(folder: TrialFolder, facts: Facts) -> str:
    """The digest of facts. The facts themselves are written once, under its first digits."""
    digest = digest_value(facts)
    path = facts_path(folder, digest)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_record(path, facts)
    return digest


def facts_fault(folder: TrialFolder, digest: str) -> str:
    """Why the facts behind a digest cannot be believed. Returns '' if they can."""
    path = facts_path(folder, digest)
    found = read_record(path)
    if found is not None and digest_value(found) == digest:
        return ""
    return f"facts/{path.name} {'was changed' if found is not None else 'is missing or cannot be read'}"


def difference_text(folder: TrialFolder, now: RunBasis | SharedBasis, earlier: RunBasis | SharedBasis) -> str:
    """What is another than it was, such as `numpy 2.4.6, was 2.4.5`. Returns '' if nothing is."""
    found: list[str] = []
    for name in (each.name for each in fields(now)):
        value, before = getattr(now, name), getattr(earlier, name)
        if value != before:
            rows = difference_of_facts(folder, value, before) if name in ("data", "environment") else []
            found += rows or [f"{name} {shown(value)}, was {shown(before)}"]
    return list_text(found)


def difference_of_facts(folder: TrialFolder, digest: str, before: str) -> list[str]:
    now, earlier = (read_record(facts_path(folder, each)) for each in (digest, before))
    if now is None or earlier is None:
        return []
    return [
        f"{name} {shown(now.get(name, 'not there'))}, was {shown(earlier.get(name, 'not there'))}"
        for name in sorted({*now, *earlier})
        if now.get(name) != earlier.get(name)
    ]


def shown(value: object) -> str:
    """A value in a message: words as they are typed, digests by their first digits."""
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    text = os.fspath(value) if isinstance(value, str) else str(value)
    return text[:12] + text[64:] if len(text) >= 64 and " " not in text[:64] else text
