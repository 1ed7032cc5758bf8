"""The pre-registration: what decides a trial, sealed before the first treated run, and whether it still holds."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from flagstone.agents import strength
from flagstone.errors import FlagstoneError
from flagstone.plans import CONTROL, Gate, Look, TrialFolder, TrialSpec
from flagstone.records import Ledger, content_of, digest_bytes, encode, read_as, utc
from flagstone.trials.deciding import effect_in_units
from flagstone.trials.lines import Earlier, Line, LookLine, PreregLine, RunLine, VerdictLine
from flagstone.trials.sealing.basis import SharedBasis
from flagstone.trials.sealing.journal import (
    ALPHA,
    earlier_trials,
    journal_of,
    key_of,
    number_in_journal,
    register,
    reuse_text,
)
from flagstone.trials.sealing.seeds import SealedSeeds, sealed_seeds, seeds_path, write_once

FAILURE_RULE = (
    "A failed treated run counts as the worst finite value of its look, of either arm. If the control failed, or both "
    "did, the improvement of the pair is 0. No pair is dropped and no run is drawn again. If more than half of the "
    "pairs have no value, the result is INCONCLUSIVE."
)
FAULT = "prereg_fault"  # among the facts of a look that was taken after an edit: mending the file later does not help


@dataclass(frozen=True)
class BaselineFacts:
    """What the pre-registration says of the baseline."""

    tree: str
    n: int
    mean: float
    sd: float | None
    is_deterministic: bool


@dataclass(frozen=True, kw_only=True)
class Prereg:
    """Everything that decides a trial. `alpha` is what is left to this pre-registration; `looks` have their part of it.

    `seeds` is the salted digest of the confirmation seeds, `plan` the digest of trial.yaml.
    """

    trial: str
    question: str
    metric: str
    direction: str
    minimum_effect: float
    minimum_effect_from: str
    gate: Gate
    looks: tuple[Look, ...]
    alpha: float
    number: int
    ideas: int
    arms: tuple[str, ...]
    screening: tuple[int, ...]
    baseline: BaselineFacts
    shared: SharedBasis
    failure_rule: str = FAILURE_RULE
    seeds: str = ""
    plan: str = ""
    sealed_at: str = ""
    exploratory: str = ""
    earlier: tuple[Earlier, ...] = ()


def hiding_fault(sandbox: str) -> str:
    """Why the confirmation seeds cannot be hidden from what runs here. Returns '' if they can."""
    if sandbox == "off":
        return "the sandbox is off, so that confirmation seeds cannot be hidden"
    fault = strength().bubblewrap_fault
    return fault and f"confirmation seeds cannot be hidden: {fault}"


def seal_prereg(folder: TrialFolder, spec: TrialSpec, shared: SharedBasis, baseline: BaselineFacts) -> Prereg:
    """Seals the pre-registration and notes it in the ledger, once. The caller holds the trial's lock."""
    ledger = Ledger(folder.ledger)
    noted = [line for line in ledger.entries() if line.get("kind") == "prereg"]
    if not noted:
        write_once(folder.prereg, encode(draft_of(folder, spec, shared, baseline)) + b"\n")
    found = read_as(folder.prereg, Prereg)
    if found is None:
        raise FlagstoneError(
            f"{folder.prereg} is missing or cannot be read", hint="restore it, or start the trial over under a new name"
        )
    if not noted:
        ledger.append(line_of(folder, found))
    return found


def line_of(folder: TrialFolder, sealed: Prereg) -> PreregLine:
    digest = digest_bytes(content_of(folder.prereg) or b"")
    return PreregLine(digest, sealed.number, sealed.alpha, sealed.sealed_at, sealed.exploratory, sealed.earlier)


def draft_of(folder: TrialFolder, spec: TrialSpec, shared: SharedBasis, baseline: BaselineFacts) -> Prereg:
    """What is sealed. Under the gate cohens_d there are no confirmation seeds."""
    is_confirmed = spec.gate == "confirm"
    number, seeds = register(folder, spec, shared.contract) if is_confirmed else (1, "")
    return replace(
        terms_of(spec, shared, baseline, number),
        seeds=seeds,
        plan=digest_bytes(content_of(folder.spec) or b""),
        sealed_at=utc(time.time()),
        exploratory=hiding_fault(spec.experiment.sandbox) if is_confirmed else "",
        earlier=tuple(earlier_trials(folder, key_of(spec.experiment.metric.name, shared.contract), seeds)),
    )


def terms_of(spec: TrialSpec, shared: SharedBasis, baseline: BaselineFacts, number: int) -> Prereg:
    """The part of a pre-registration that follows from the plan and the baseline."""
    effect, origin = minimum_effect_of(spec, baseline)
    return Prereg(
        trial=spec.name,
        question=spec.question,
        metric=spec.experiment.metric.name,
        direction=spec.experiment.metric.direction,
        minimum_effect=effect,
        minimum_effect_from=origin,
        gate=spec.gate,
        looks=looks_of(spec.looks, number),
        alpha=ALPHA / 2 ** (number - 1),
        number=number,
        ideas=spec.ideas,
        arms=tuple(arm.name for arm in spec.arms),
        screening=spec.screening,
        baseline=baseline,
        shared=shared,
    )


def minimum_effect_of(spec: TrialSpec, baseline: BaselineFacts) -> tuple[float, str]:
    """The minimum effect in units of the metric, and how it came about."""
    effect = effect_in_units(spec.minimum_effect, baseline.sd)
    if not isinstance(spec.minimum_effect, str):
        return effect, "set in the plan"
    return effect, f"{spec.minimum_effect} of the baseline, whose sd is {baseline.sd:.6g} (n = {baseline.n})"


def looks_of(looks: Sequence[Look], number: int) -> tuple[Look, ...]:
    """The looks of the pre-registration of this number: each has half the α of the one before."""
    return tuple(replace(look, alpha=look.alpha / 2 ** (number - 1)) for look in looks)


def prereg_fault(folder: TrialFolder, lines: Sequence[Line]) -> str:
    """Why what follows the pre-registration is exploratory. Returns '' if nothing was edited and all was hidden."""
    noted = next((line for line in lines if isinstance(line, PreregLine)), None)
    looks = (line for line in lines if isinstance(line, LookLine))
    earlier = (str(line.facts[FAULT]) for line in looks if line.facts.get(FAULT))
    return (noted.exploratory if noted else "") or next(earlier, "") or edit_text(folder, lines)


def edit_text(folder: TrialFolder, lines: Sequence[Line]) -> str:
    """What was edited after the pre-registration was sealed, or run before. Returns '' if nothing was."""
    noted = next((line for line in lines if isinstance(line, PreregLine)), None)
    if noted is None:
        return "no pre-registration was sealed"
    content, found = content_of(folder.prereg), read_as(folder.prereg, Prereg)
    if content is None or found is None:
        return f"{folder.prereg.name} is missing or cannot be read"
    if digest_bytes(content) != noted.digest:
        return f"{folder.prereg.name} was edited after it was sealed"
    if digest_bytes(content_of(folder.spec) or b"") != found.plan:
        return f"{folder.spec.name} was edited after the pre-registration was sealed"
    seeds = sealed_seeds(folder)
    if found.seeds and seeds_path(folder).exists() and (seeds is None or seeds.digest != found.seeds):
        return "the confirmation seeds were edited after they were sealed"
    if found.seeds and (reused := reuse_text(folder, found.seeds)):
        return reused
    return next(iter(Ledger(folder.ledger).rewritten_lines()), "") or order_fault(lines, noted)


def order_fault(lines: Sequence[Line], noted: PreregLine) -> str:
    before = [line for line in takewhile(lambda line: line is not noted, lines) if isinstance(line, RunLine)]
    treated = next((line for line in before if line.arm != CONTROL), None)
    return f"{treated.arm}-{treated.slot} ran before the pre-registration was sealed" if treated else ""


def prereg_problems(folder: TrialFolder, spec: TrialSpec, lines: Sequence[Line]) -> list[str]:
    """What of the pre-registration does not follow from the plan, the journal, and the ledger with its verdict."""
    noted = next((line for line in lines if isinstance(line, PreregLine)), None)
    found = read_as(folder.prereg, Prereg)
    if noted is None or found is None:
        return []
    name, revealed = folder.prereg.name, next((line for line in lines if isinstance(line, VerdictLine)), None)
    key = key_of(found.metric, found.shared.contract)
    before = [(each.trial, each.at) for each in earlier_trials(folder, key, found.seeds) if each.alpha is not None]
    terms = terms_of(spec, found.shared, found.baseline, found.number)
    own = {each: getattr(found, each) for each in ("seeds", "plan", "sealed_at", "exploratory", "earlier")}
    problems = {
        f"{name} is not what the plan says": replace(terms, **own) != found,
        f"{name} and its line in the ledger differ": line_of(folder, found) != noted,
        f"{name} has number {found.number}, and {journal_of(folder).name} another": bool(found.seeds)
        and number_in_journal(folder, key, found.seeds) != found.number,
        f"{name} names other earlier trials than {journal_of(folder).name}": bool(found.earlier and found.seeds)
        and [(each.trial, each.at) for each in found.earlier if each.alpha is not None] != before,
        f"the seeds and salt of the verdict are not those of {name}": revealed is not None
        and bool(found.seeds)
        and SealedSeeds(revealed.seeds, revealed.salt).digest != found.seeds,
    }
    forged = Ledger(journal_of(folder)).rewritten_lines()
    return [*(problem for problem, is_so in problems.items() if is_so), *forged]
