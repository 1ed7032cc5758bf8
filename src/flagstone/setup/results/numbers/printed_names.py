"""The names of numbers that the code prints, read from its f-strings as the reader of logs would read them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

from flagstone.metrics import NamedNumber, pairs_in
from flagstone.setup.project_tree import ProjectTree
from flagstone.setup.results.code_calls import CodeCall, calls_in
from flagstone.setup.results.numbers.metric_candidate import MetricCandidate, is_counter, is_limit, named_direction
from flagstone.setup.results.numbers.printed_text import COUNTED, MEASURED, strings_at, texts_of
from flagstone.setup.syntax import constant_text

PRINTERS = frozenset(("info", "warning", "debug", "write", "echo", "secho", "critical"))
BARS = frozenset(("set_postfix", "set_description", "set_postfix_str", "set_description_str"))
ADJECTIVES = "average|avg|mean|median|final|overall|macro|micro|balanced|weighted|running|best|min|minimum|max|maximum"
A_NUMBER = r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|nan|inf)"


def printed_names(tree: ProjectTree, paths: Sequence[str]) -> Iterator[MetricCandidate]:
    """Every name with a number in a text that the code prints."""
    for path in paths:
        calls = calls_in(tree, path)
        for call in calls:
            if not call.node.args and not call.node.keywords:
                continue
            if call.name in BARS:
                yield from bar_names(call, calls)
            elif call.name.endswith("Meter") and call.node.args:
                yield from meter_names(call)
            elif call.name in PRINTERS or call.name.startswith("print") or call.name.endswith("print"):
                yield from names_printed(call, calls)


def names_printed(call: CodeCall, calls: Sequence[CodeCall]) -> Iterator[MetricCandidate]:
    function = call.function.name if call.function else ""
    for text in call_texts(call, calls):
        found = [each for each in numbers_in(text) if is_number(each)]
        for each in found:
            # what a line says before a name may say which data the number is of
            context = f"{text.partition(each.name)[0]} {function}"
            yield MetricCandidate(each.name, "printed", "log", call.place, context=context)
        if not any(named_direction(each.name) for each in found):
            yield from sentence_pattern(text, call, f"{text} {function}")


def is_number(found: NamedNumber) -> bool:
    """Whether this may be a metric: a name that tells its meaning, or one with a measured number right behind it."""
    is_measured = not found.loose and found.value == float(MEASURED)
    return not is_counter(found.name) and (is_measured or named_direction(found.name) is not None)


def numbers_in(text: str) -> Iterator[NamedNumber]:
    """The names with a number, line by line, exactly as they are read from a log."""
    for line in re.split(r"[\r\n]", text):
        for each in pairs_in(line, frozenset()):
            yield replace(each, name=full_name(line, each.name))


def full_name(line: str, name: str) -> str:
    """A name with the words before it that belong to it: `Average loss` is another number than `loss`."""
    found = re.search(rf"((?:\b(?:{ADJECTIVES}) )+){re.escape(name)}\b", line, re.IGNORECASE)
    return f"{found[1]}{name}" if found else name


def call_texts(call: CodeCall, calls: Sequence[CodeCall]) -> list[str]:
    """What a call prints. The further arguments of a logger fill the places of its template."""
    strings = strings_at(call, calls)
    first = texts_of(call.node.args[0], strings) if call.node.args else []
    if call.name.startswith("print") or call.name.endswith("print"):
        parts = [texts_of(each, strings) for each in call.node.args]
        return [" ".join(each) for each in product(*parts)][:6]
    template = call.node.args[0] if call.node.args else None
    if len(call.node.args) > 1 and isinstance(template, ast.Constant) and isinstance(template.value, str):
        return texts_of(ast.BinOp(template, ast.Mod(), template), strings)
    return first


def bar_names(call: CodeCall, calls: Sequence[CodeCall]) -> Iterator[MetricCandidate]:
    """The names that a progress bar shows, and perhaps nothing else."""
    named = [each.arg for each in call.node.keywords if each.arg and each.arg not in ("refresh", "ordered_dict")]
    texts = [text for each in call.node.args for text in texts_of(each, strings_at(call, calls))]
    for name in (*named, *(each.name for text in texts for each in numbers_in(text))):
        if not is_counter(name):
            yield MetricCandidate(name, "bar", "log", call.place, context=call.function.name if call.function else "")


def meter_names(call: CodeCall) -> Iterator[MetricCandidate]:
    """An object that averages a number and prints it under the name that it is given."""
    name, function = constant_text(call.node.args[0]), call.function.name if call.function else ""
    if name and not is_counter(name):
        yield MetricCandidate(name, "printed", "log", call.place, context=function)


def sentence_pattern(text: str, call: CodeCall, context: str) -> Iterator[MetricCandidate]:
    """A sentence with a number that no name stands before, such as `Accuracy on the test images: 57 %`."""
    before, _, after = text.rpartition(MEASURED)
    word = next((each for each in re.findall(r"[A-Za-z_]\w*", before) if named_direction(each)), "")
    if not word or after.startswith("/") or before.endswith("/") or "\n" in before or is_limit(word):
        return
    parts = re.split(rf"(?<!\w)(?:{re.escape(MEASURED)}|{COUNTED})(?!\w)", before.strip())
    literal = r"\S+".join(re.escape(part).replace(r"\ ", " ") for part in parts)
    yield MetricCandidate(
        word.lower(), "printed", "log", call.place, {"regex": literal + A_NUMBER}, None, context, len(call.loops)
    )
