"""Whether the numbers of a claim go the way that its kind and its words say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from flagstone.paper.claims.claim import ClaimCase, number_of
from flagstone.paper.linting import LintRules

EXTREME = re.compile(r"(?:min|max)(?: of |\()")
ONE_RUN = re.compile(r"\b(?:one|single) (?:run|seed)\b", re.IGNORECASE)
FITTING = {
    "better": ("better", "largest", "trend"),
    "worse": ("worse", "largest", "trend"),
    "equal": ("equal",),
    "largest": ("largest",),
}


def direction_faults(case: ClaimCase, rules: LintRules) -> Iterator[str]:
    """Everything in a claim that its numbers contradict."""
    yield from kind_faults(case)
    yield from unlike_faults(case)
    try:
        match case.entry.kind:
            case "better" | "worse":
                yield from comparison_faults(case)
            case "equal":
                yield from equality_faults(case)
            case "trend":
                yield from trend_faults(case)
            case "largest":
                yield from extreme_faults(case, rules)
    except ValueError as error:
        yield str(error)


def kind_faults(case: ClaimCase) -> Iterator[str]:
    """Words that say something else than the kind of the claim."""
    kind = case.entry.kind
    if kind == "none":
        return
    for group, kinds in FITTING.items():
        words = case.says(group)
        if words and kind not in kinds:
            yield f"“{words[0]}” is not what the kind {kind} claims; write kind: {group}, or part the claim in two"


def unlike_faults(case: ClaimCase) -> Iterator[str]:
    """Numbers that are not of the same kind: the best run of one arm against the mean of another."""
    facts = [*case.of, *case.against]
    extremes = [fact.key for fact in facts if EXTREME.match(fact.source)]
    if extremes and len(extremes) < len(facts):
        yield f"{extremes[0]} is the smallest or largest of its values, and the others are not; compare like with like"
    counts = {fact.key: len(fact.seeds) or fact.n for fact in facts if fact.seeds or fact.n > 1}
    few, many = (least(counts, key=counts.__getitem__, default="") for least in (min, max))
    if counts and counts[few] * 2 < counts[many]:
        yield f"{few} rests on {counts[few]} of the runs, and {many} on {counts[many]}; compare all runs of both"
    elif counts and counts[few] == 1 and not ONE_RUN.search(case.use.text):
        yield f"{few} rests on one seed; compare all of them, or say in the claim that it is one run"


def comparison_faults(case: ClaimCase) -> Iterator[str]:
    """`better` or `worse`: of one value against another, or of an improvement against 0."""
    entry, values = case.entry, [number_of(fact) for fact in (*case.of, *case.against)]
    if len(case.of) != 1 or len(case.against) != (0 if entry.is_improvement else 1):
        yield f"kind {entry.kind} compares one fact with another one, or with 0; correct of and against"
        return
    if not case.better and not entry.is_improvement:
        yield f"nobody says which values of {entry.of[0]} are better; write better: lower, or better: higher"
        return
    if entry.is_improvement and not (case.ruling and case.ruling.is_about(case.of[0])):
        yield f"nothing says that {entry.of[0]} is an improvement; name its verdict, or the two facts (of and against)"
    gain = values[0] if entry.is_improvement else values[0] - values[1]
    rises = gain > 0
    is_better = rises if entry.is_improvement or case.better == "higher" else gain < 0
    if gain == 0 or is_better != (entry.kind == "better"):
        yield f"{values_text(case)}, so it is not {entry.kind}; claim what the numbers say"
    moved_up = rises if not entry.is_improvement else rises == (case.better == "higher")
    up, down = case.says("rises"), case.says("falls")
    if bool(up) != bool(down) and (case.better or not entry.is_improvement) and moved_up != bool(up):
        yield f"“{(up or down)[0]}” is the wrong way round: {values_text(case)}; claim what the numbers say"
    if not case.better and (up or down):
        yield f"“{(up or down)[0]}” needs to know which values are better; write better: lower, or better: higher"


def equality_faults(case: ClaimCase) -> Iterator[str]:
    """`equal`: two facts that print the same, or a verdict of no practical effect."""
    if case.ruling and case.ruling.word == "NO PRACTICAL EFFECT":
        return
    if case.entry.of == case.entry.against:
        yield f"it compares {case.entry.of[0]} with itself; name the other fact as against"
    elif len(case.of) != 1 or len(case.against) != 1 or number_of(case.of[0]) != number_of(case.against[0]):
        yield f"{values_text(case)}, which is not equal; only the verdict NO PRACTICAL EFFECT says that nothing differs"


def trend_faults(case: ClaimCase) -> Iterator[str]:
    values = [number_of(fact) for fact in case.of]
    if len(values) < 3 or case.against:
        yield "a trend is of three facts or more, in their order; write of: [a, b, c]"
        return
    rises, falls = (all(sign * (after - before) > 0 for before, after in pairwise(values)) for sign in (1, -1))
    up, down = case.says("rises"), case.says("falls")
    if not (rises or falls):
        yield f"{values_text(case)}, which go no one way; claim what the numbers say"
    elif (up and not down and falls) or (down and not up and rises):
        yield f"“{(up or down)[0]}” is the wrong way round: {values_text(case)}; claim what the numbers say"
    is_better = case.better and (rises == (case.better == "higher"))
    for group, holds in (("better", is_better), ("worse", case.better and not is_better)):
        if case.says(group) and not holds:
            yield f"“{case.says(group)[0]}” does not fit: {values_text(case)}; say which are better (better: lower)"


def extreme_faults(case: ClaimCase, rules: LintRules) -> Iterator[str]:
    """`largest`: one value above all others, or below, as the words say."""
    if len(case.of) != 1 or not case.against:
        yield "kind largest compares one fact with all others; write of: a and against: [b, c]"
        return
    value, others = number_of(case.of[0]), [number_of(fact) for fact in case.against]
    words = " ".join(case.says("largest", "rises", "falls")) + " "
    is_up, is_down = (bool(rules.wording.patterns[name].search(words)) for name in ("highest", "lowest"))
    if "best" in words.lower() or "worst" in words.lower() or not (is_up or is_down):
        if not case.better:
            yield f"nobody says which values of {case.entry.of[0]} are better; write better: lower, or better: higher"
            return
        is_up = (case.better == "higher") != ("worst" in words.lower())
    if not (value > max(others) if is_up else value < min(others)):
        side = "above" if is_up else "below"
        yield f"{values_text(case)}, and the first is not {side} all others; claim what the numbers say"


def values_text(case: ClaimCase) -> str:
    facts = [f"{fact.key} is {fact.printed}" for fact in (*case.of, *case.against)]
    return ", ".join(facts[:6]) + (" and 0 is no effect" if case.entry.is_improvement else "")
