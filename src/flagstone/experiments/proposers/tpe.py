"""Values suggest by TPE, as Optuna does it: each suggestion starts from the last runs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from random import Random
from typing import Any

from flagstone.experiments.ledger import Entry
from flagstone.experiments.proposers.protocol import View
from flagstone.experiments.proposers.ranges import Range

TRIALS = 200
AT_RANDOM = 10  # before so many runs have come to a number, TPE has nothing to go by


def fault_of_optuna() -> list[str]:
    if find_spec("optuna") is not None:
        return []
    return ["method tpe needs Optuna, which is not installed (pip install optuna; or take method: random)"]


def suggest(view: View, ranges: Sequence[Range]) -> Mapping[str, Any]:
    """The next values. The same runs, seed and number suggest the same."""
    optuna = import_module("optuna")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    seed = Random(f"{view.spec.seed}:{view.number}:tpe").randrange(2**31)
    known = {each.name: distribution_of(each) for each in ranges}
    study = optuna.create_study(
        direction="minimize" if view.spec.metric.direction == "min" else "maximize",
        sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=AT_RANDOM),
    )
    for values, value in past_trials(view, ranges):
        study.add_trial(optuna.trial.create_trial(params=values, distributions=known, value=value))
    trial = study.ask(known)
    return {each.name: each.round_in(trial.params[each.name]) for each in ranges}


def past_trials(view: View, ranges: Sequence[Range]) -> Iterator[tuple[dict[str, Any], float]]:
    """The last runs whose values are in the current ranges. One without a valid number counts as the worst."""
    recent = view.entries[-TRIALS:]
    valid = [entry.value for entry in recent if counts(entry) and entry.value is not None]
    if not valid:
        return
    worst = max(valid) if view.spec.metric.direction == "min" else min(valid)
    for entry in recent:
        values = entry.proposal.get("parameters")
        if not isinstance(values, Mapping) or entry.status == "interrupted":
            continue
        if all(each.name in values and each.holds(values[each.name]) for each in ranges):
            value = entry.value if counts(entry) and entry.value is not None else worst
            yield {each.name: values[each.name] for each in ranges}, value


def counts(entry: Entry) -> bool:
    return entry.status == "ok" and entry.valid and entry.value is not None and math.isfinite(entry.value)


def distribution_of(each: Range) -> Any:
    optuna = import_module("optuna")
    if each.choices:
        return optuna.distributions.CategoricalDistribution(each.choices)
    if each.is_integer:
        return optuna.distributions.IntDistribution(int(each.low), int(each.high), log=each.is_log)
    return optuna.distributions.FloatDistribution(each.low, each.high, log=each.is_log)
