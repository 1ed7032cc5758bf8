"""Loads and checks the spec of an experiment."""

from __future__ import annotations

from pathlib import Path

from flagstone import schemas
from flagstone.errors import FlagstoneError
from flagstone.layout import Run
from flagstone.metrics import faults
from flagstone.plans.grants import granted_spec
from flagstone.plans.spec import Spec, defaults_from, spec_of
from flagstone.records import digest_bytes, read_record, write_record


def load_spec(path: Path, base: Path, folder: Path, *, compiled: Path | None = None) -> Spec:
    """The spec of an experiment. `folder` holds the schemas; `compiled` spares a second check of an unchanged file."""
    try:
        digest = digest_bytes(path.read_bytes())
    except OSError as error:
        raise FlagstoneError(
            f"cannot read {path}: {error.strerror}", hint="flagstone experiment new NAME starts one"
        ) from error
    known = (read_record(compiled) if compiled else None) or {}
    is_known = known.get("digest") == digest
    value = known["value"] if is_known else schemas.read_yaml(path)
    if not is_known:
        schemas.check(folder, "experiment", value, str(path))
    spec = spec_of(path.parent.name, base, value, defaults_from(path.parent))
    if spec.parent and not (path.parent / "origin.json").is_file():
        raise FlagstoneError(
            f"{path}: it was not started from its parent {spec.parent}",
            hint=f"remove `parent`; to start from a best, run: flagstone experiment chain {spec.parent} NEXT",
        )
    wrong = () if is_known else faults(spec.metric.backend, spec.metric.options)
    if wrong:
        raise FlagstoneError(f"{path}: {'; '.join(wrong)}", hint="correct its `metric:`, then run the command again")
    if compiled and not is_known:
        write_record(compiled, {"digest": digest, "value": value}, durable=False)
    return granted_spec(spec, Run(base))
