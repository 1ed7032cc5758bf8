"""The names of numbers that the code hands to a logger, a tracker, or a file."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from flagstone.setup.project_tree import ProjectTree
from flagstone.setup.results.code_calls import CodeCall, calls_in
from flagstone.setup.results.numbers.metric_candidate import MetricCandidate, is_counter
from flagstone.setup.results.numbers.printed_text import COUNTED, MEASURED, strings_at, texts_of
from flagstone.setup.syntax import constant_text

TENSORBOARD = ("add_scalar", "scalar")
LIGHTNING = ("self", "pl_module", "module", "model")
TRACKERS = {"wandb": "wandb", "run": "wandb", "accelerator": "tensorboard", "mlflow": "custom", "experiment": "custom"}
TRACKING = re.compile(r"wandb|track|tensorboard|\blog|writer|mlflow", re.IGNORECASE)
EVENTS = "**/events.out.tfevents.*"


def logged_names(tree: ProjectTree, paths: Sequence[str]) -> Iterator[MetricCandidate]:
    """Every name that a call writes to somewhere else than the screen."""
    for path in paths:
        calls = calls_in(tree, path)
        for call in calls:
            for name, backend in names_of(call, calls):
                options = {"glob": EVENTS, "tag": name} if backend == "tensorboard" else {}
                around = call.function.name if call.function else ""
                if not is_counter(name) and not {COUNTED, MEASURED} & set(name.split()):
                    # a tracker needs an account and may be switched off; what is printed is always there
                    is_optional = any(TRACKING.search(each) for each in call.conditions)
                    source = "tracker" if backend == "wandb" or is_optional else "call"
                    yield MetricCandidate(name, source, backend, call.place, options, None, around)


def names_of(call: CodeCall, calls: Sequence[CodeCall]) -> Iterator[tuple[str, str]]:
    """The names in one call, and the backend that reads what it writes."""
    first = call.node.args[0] if call.node.args else None
    if call.name in TENSORBOARD and len(call.node.args) > 1:
        yield from ((name, "tensorboard") for name in texts_of(first, strings_at(call, calls)))
    elif call.name in ("log", "log_metrics", "log_dict") and call.owner not in ("math", "np", "torch", "numpy", "jnp"):
        strings = strings_at(call, calls)
        backend = "lightning" if call.owner in LIGHTNING else TRACKERS.get(call.owner, "wandb")
        if isinstance(first, ast.Dict):
            yield from ((name, backend) for key in first.keys for name in texts_of(key, strings) if key is not None)
        elif call.owner in LIGHTNING:
            yield from ((name, backend) for name in texts_of(first, strings))
    elif call.name == "log_metric" and constant_text(first):
        yield constant_text(first), "custom"
