"""Loads and checks the spec of an experiment, without what only a person may give: agents write plans."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from flagstone import schemas
from flagstone.errors import FlagstoneError
from flagstone.layout import Run
from flagstone.metrics import faults, locale_fault
from flagstone.plans.command_line import ARGUMENTS_FILE, ARGUMENTS_WORD
from flagstone.plans.spec import MEASURED, Spec, defaults_from, spec_of
from flagstone.records import digest_bytes, read_record, write_record
from flagstone.settings import PERSONS_OPTIONS, grants_of


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
    wrong = () if is_known else tuple(faults_of(spec, path.with_name("own")))
    if wrong:
        raise FlagstoneError(f"{path}: {'; '.join(wrong)}", hint="correct it, then run the command again")
    if compiled and not is_known:
        write_record(compiled, {"digest": digest, "value": value}, durable=False)
    return granted_spec(spec, Run(base))


def faults_of(spec: Spec, own: Path) -> Iterator[str]:
    """What is wrong with a spec beyond its schema. `own` is the folder of the experiment's own files."""
    yield from faults(spec.metric.backend, spec.metric.options)
    yield from check_faults(spec)
    yield from outside_faults(spec)
    yield from argument_faults(spec, own)


def outside_faults(spec: Spec) -> Iterator[str]:
    """What a plan names as a file that may change, and lies outside of the project."""
    for key, words in (("mutable", spec.subject.mutable), ("entry", (spec.subject.entry,))):
        for word in words:
            if os.path.isabs(word) or os.path.normpath(word or ".").startswith(".."):
                yield f"subject.{key}: {word} is outside of the project"


def check_faults(spec: Spec) -> Iterator[str]:
    """What is wrong with the guard, the hidden check, and the metric that they stand beside, beyond the schema."""
    if spec.metric.backend == "command" and spec.metric.name in MEASURED:
        yield f"metric.name: {spec.metric.name} is measured by Flagstone itself: give what is extracted another name"
    for name, step in (("guard", spec.guard), ("hidden", spec.hidden)):
        if step is None:
            continue
        if step.extract and step.threshold is None:
            yield f"{name}.extract needs {name}.threshold: the number that is enough"
        if step.threshold is not None and not step.extract:
            yield f"{name}.threshold needs {name}.extract: the command that prints the number"
        if step.passes.need > step.passes.of:
            yield f"{name}.passes.need is {step.passes.need}, and there are only {step.passes.of} tries (of)"
        if fault := locale_fault(step.locale):
            yield f"{name}.locale: {fault}"
    if spec.subject.held_out and spec.hidden is None:
        yield "subject.held_out needs hidden: nothing else sees these files"


def argument_faults(spec: Spec, own: Path) -> Iterator[str]:
    """What is wrong with the arguments of the command, and with the file that sets them to begin with."""
    arguments, is_used = spec.subject.command_arguments, ARGUMENTS_WORD in spec.harness.argv
    if arguments is None:
        if is_used:
            yield f"harness.argv has {ARGUMENTS_WORD}, and nothing says what that is: set `arguments`"
        return
    if not is_used:
        yield f"`arguments` is set, and harness.argv has no {ARGUMENTS_WORD}"
    for key in arguments.allow.keys() & arguments.fixed.keys():
        yield f"arguments: {key} is fixed and may change: leave it out of one of the two"
    file = own / ARGUMENTS_FILE
    if file.is_file():
        yield from arguments.problems(file.read_bytes())
    elif arguments.allow:
        yield f"there is no {file}, which holds the arguments to begin with"


def excesses(spec: Spec, run: Run) -> Iterator[str]:
    """What a plan takes although only a person may give it."""
    allowed = grants_of(run).sandbox
    if spec.sandbox == "off" != allowed:
        yield f"`sandbox: off` is for a person to set in run.yaml, which says {allowed}: leave the line out"
    if spec.harness.writable:
        yield "harness.writable: in a run nothing outside an experiment's own folder may be written: leave it out"
    for name in PERSONS_OPTIONS:
        if name in spec.agent.options:
            yield f"agent.options.{name} is for a person to set in run.yaml: leave it out"


def granted_spec(spec: Spec, run: Run) -> Spec:
    """The spec without its excesses: a plan may ask for more of the sandbox, never for less, nor for a network.

    In a project without a run the file is the person's own, and holds as it is.
    """
    if not run.settings.is_file():
        return spec
    allowed = grants_of(run)
    options = {name: value for name, value in spec.agent.options.items() if name not in PERSONS_OPTIONS}
    return replace(
        spec,
        sandbox="require" if "require" in (allowed.sandbox, spec.sandbox) else allowed.sandbox,
        harness=replace(spec.harness, writable=(), network=spec.harness.network and allowed.network),
        agent=replace(spec.agent, options=options),
    )
