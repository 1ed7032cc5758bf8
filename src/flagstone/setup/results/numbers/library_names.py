"""The names that libraries of metrics give to their numbers, where the code only names the metric."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from flagstone.setup.programs import Program
from flagstone.setup.project_tree import ProjectTree
from flagstone.setup.results.code_calls import CodeCall, calls_in
from flagstone.setup.results.numbers.metric_candidate import MetricCandidate
from flagstone.setup.syntax import constant_text

LOADERS = ("load", "load_metric")
GLUE = {"cola": ("matthews_correlation",), "stsb": ("pearson",), "mrpc": ("accuracy", "f1"), "qqp": ("accuracy", "f1")}
RENAMED = {"rouge": "rougeL", "sacrebleu": "score", "squad": "f1"}
METRIC_OPTIONS = ("eval-metric", "eval_metric", "metric_for_best_model", "monitor")


def library_names(tree: ProjectTree, paths: Sequence[str], program: Program) -> Iterator[MetricCandidate]:
    """The numbers of Hugging Face's evaluate and Trainer, of timm, and of Keras."""
    named = [each for name in METRIC_OPTIONS if (each := program.defaults.get(name)) and isinstance(each.default, str)]
    for option in named:
        if option.default:
            yield MetricCandidate(option.default, "monitor", "", option.where)
    for path in paths:
        calls = calls_in(tree, path)
        yield from evaluated_names(calls, "transformers" in tree.text(path))
        yield from keras_names(calls)
        for call in calls:
            if call.name == "update_summary":
                for name in ("loss", *(each.default for each in named)):
                    yield MetricCandidate(f"eval_{name}", "call", "csv", call.place, {"path": "**/summary.csv"})


def evaluated_names(calls: Sequence[CodeCall], uses_transformers: bool) -> Iterator[MetricCandidate]:
    """The numbers of `evaluate.load(…)`, as they are printed; the Trainer puts eval_ before them."""
    trainer = next((call for call in calls if uses_transformers and call.name.endswith("Trainer")), None)
    if trainer:
        yield MetricCandidate("eval_loss", "printed", "log", trainer.place)
    for call in calls:
        if call.name in LOADERS and call.owner in ("evaluate", "") and call.node.args:
            name, task = constant_text(call.node.args[0]), constant_text(call.argument("config_name", 1))
            names = GLUE.get(task, ("accuracy",)) if name == "glue" else (RENAMED.get(name, name),)
            for each in filter(None, names):
                full = f"eval_{each}" if trainer else each
                yield MetricCandidate(full, "printed", "log", call.place, context="evaluate")


def keras_names(calls: Sequence[CodeCall]) -> Iterator[MetricCandidate]:
    """What `fit` prints, and writes where there is a CSVLogger: with val_ before it if there is data for that."""
    fit = next((call for call in calls if call.name == "fit" and call.argument("epochs")), None)
    made = next((call for call in calls if call.name == "compile" and call.argument("loss")), None)
    if fit is None or made is None:
        return
    logger = next((call for call in calls if call.name == "CSVLogger"), None)
    file = constant_text(logger.argument("filename", 0)) if logger else ""
    prefix = "val_" if fit.argument("validation_split") or fit.argument("validation_data") else ""
    metrics = made.argument("metrics")
    names = [constant_text(each) for each in metrics.elts] if isinstance(metrics, ast.List) else []
    for name in ("loss", *filter(None, names)):
        source, backend = ("call", "csv") if file else ("printed", "log")
        options = {"path": file} if file else {}
        yield MetricCandidate(f"{prefix}{name}", source, backend, (logger or fit).place, options)
