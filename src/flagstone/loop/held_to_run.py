"""Holds an experiment of a run to what a person has set that run to, whatever its plan says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from flagstone.layout import Run
from flagstone.settings import PERSONS_OPTIONS, sandbox_of

if TYPE_CHECKING:
    from flagstone.loop.spec import Spec


def held_to_run(spec: Spec, base: Path) -> Spec:
    """The spec as it may be run. Agents write plans: of the sandbox a plan may ask for more, never for less.

    In a project without a run the file is the person's own, and holds as it stands.
    """
    run = Run(base)
    if not run.settings.is_file():
        return spec
    allowed = sandbox_of(run)
    options = {name: value for name, value in spec.agent.options.items() if name not in PERSONS_OPTIONS}
    return replace(
        spec,
        sandbox="require" if "require" in (allowed, spec.sandbox) else allowed,
        harness=replace(spec.harness, writable=()),
        agent=replace(spec.agent, options=options),
    )
