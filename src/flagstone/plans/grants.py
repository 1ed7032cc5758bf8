"""What only a person may give to an experiment of a run, because agents write its plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from flagstone.layout import Run
from flagstone.plans.spec import Spec
from flagstone.settings import PERSONS_OPTIONS, grants_of


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
