"""Whether a claim is as strong as its verdict, and no stronger."""

from __future__ import annotations

import re
from collections.abc import Iterator

from flagstone.paper.claims.claim import ClaimCase
from flagstone.paper.facts import Fact, source_of
from flagstone.text import escaped_text

EXPLORATORY = re.compile(r"explorat|screen", re.IGNORECASE)
OF_THIS_STUDY = re.compile(
    r"\b(?:our (?:runs?|results?|experiments?|study|data|tests?|measurements?)"
    r"|we (?:find|found|show|showed|see|saw|observed?|measured?)|in this (?:paper|study|work))\b",
    re.IGNORECASE,
)
LOW = re.compile(r"ci_low|(?:^|_)low(?:er)?(?:$|_)|(?:interval|ci)\w*/0$")
HIGH = re.compile(r"ci_high|(?:^|_)(?:high|upper)(?:$|_)|(?:interval|ci)\w*/1$")


def strength_faults(case: ClaimCase) -> Iterator[str]:
    if case.entry.kind == "none":
        yield from bare_faults(case)
        return
    yield from verdict_faults(case)
    yield from foreign_faults(case)


def bare_faults(case: ClaimCase) -> Iterator[str]:
    """A claim of kind `none` is about what this study did not measure: it cites, or it says little."""
    measured = [fact for fact in case.printed if fact.kind in ("measured", "derived")]
    groups = ("supported", "strong", "better", "worse", "equal")
    strong = case.says(*groups) + case.denies(*groups)
    if measured:
        yield f"it prints {measured[0].key}, which this study measured; give it a kind that is computed, such as better"
    elif strong and OF_THIS_STUDY.search(case.use.text):
        yield f"“{strong[0]}” is about this study; kind none is about others: name of, against and verdict"
    elif strong and not case.use.cites:
        yield f"“{strong[0]}” needs a \\cite in the claim if kind is none; else name of, against and verdict"
    if case.entry.verdict or case.entry.of:
        yield "kind none has no of and no verdict; remove them, or write the kind that is claimed"


def verdict_faults(case: ClaimCase) -> Iterator[str]:
    ruling, strong = case.ruling, case.says("supported", "strong")
    word = ruling.word if ruling else ""
    if strong and not ruling:
        yield f"“{strong[0]}” needs a verdict that is SUPPORTED; name it (verdict: trials/…), or say less"
    elif strong and ruling and (word != "SUPPORTED" or ruling.is_exploratory):
        yield f"“{strong[0]}” needs a verdict that is SUPPORTED; {ruling_text(case)}; say what the verdict says"
    denied = case.denies("supported", "strong")
    if denied and not ruling:
        yield f"“{denied[0]}” is denied, which needs a verdict as well; name it (verdict: trials/…), or say less"
    if case.says("equal") and word != "NO PRACTICAL EFFECT" and not is_same(case):
        yield f"“{case.says('equal')[0]}” needs the verdict NO PRACTICAL EFFECT; {ruling_text(case)}"
    if ruling is None:
        return
    if denied and word == "SUPPORTED":
        yield f"it denies what its verdict says; {ruling_text(case)}"
    if word == "INCONCLUSIVE" and not has_interval(case):
        yield "its verdict is INCONCLUSIVE, so print both ends of its interval in the claim"
    if word == "HARMFUL" and case.entry.kind in ("better", "equal"):
        yield f"its verdict is HARMFUL, so it is not {case.entry.kind}; write kind: worse"
    if word == "NO PRACTICAL EFFECT" and case.entry.kind in ("better", "worse") and not says_no_effect(case):
        yield "its verdict is NO PRACTICAL EFFECT; say so in the claim, or write kind: equal"
    if ruling.is_exploratory and not EXPLORATORY.search(case.use.text):
        yield "its verdict is exploratory; call it exploratory in the claim"


def ruling_text(case: ClaimCase) -> str:
    if case.ruling is None:
        return "it names none"
    note = ", and exploratory" if case.ruling.is_exploratory else ""
    gate = " (the word of a gate that tests nothing)" if case.ruling.word == "PROCEED" else ""
    return f"{escaped_text(case.entry.verdict, 80)} is {escaped_text(case.ruling.word, 40)}{gate}{note}"


def is_same(case: ClaimCase) -> bool:
    return len(case.of) == len(case.against) == 1 and case.of[0].value == case.against[0].value


def says_no_effect(case: ClaimCase) -> bool:
    return "no practical effect" in case.use.text.lower()


def has_interval(case: ClaimCase) -> bool:
    """Whether a claim prints both ends of an interval of its verdict."""
    mine = [fact for fact in case.printed if case.ruling and case.ruling.is_about(fact)]
    return any(is_end(fact, LOW) for fact in mine) and any(is_end(fact, HIGH) for fact in mine)


def is_end(fact: Fact, pattern: re.Pattern[str]) -> bool:
    """Whether a fact is the end of an interval, by the place that it is read from or by its expression."""
    if "#" not in fact.source or " of " in fact.source:
        return bool(re.match(r"ci_low\(" if pattern is LOW else r"ci_high\(", fact.source))
    column = source_of(fact.source).column
    return bool(pattern.search("/".join(column[-2:])) or pattern.search(column[-1]))


def foreign_faults(case: ClaimCase) -> Iterator[str]:
    """Facts that have nothing to do with what the claim compares: the right number in the wrong sentence."""
    if case.ruling and not any(case.ruling.is_about(fact) for fact in (*case.of, *case.against)):
        yield f"none of its facts rests on {escaped_text(case.entry.verdict, 80)}; name the verdict of what it compares"
    own = set().union(*(fact.inputs for fact in (*case.of, *case.against)))
    for fact in case.printed:
        is_own = fact in (*case.of, *case.against) or not fact.inputs or own & set(fact.inputs)
        if fact.kind in ("measured", "derived") and not is_own and not (case.ruling and case.ruling.is_about(fact)):
            yield f"it prints {fact.key}, which rests on nothing that it compares; print it outside of the claim"
    found = next((fact for fact in case.printed if fact.is_exploratory), None)
    if found and not EXPLORATORY.search(case.use.text):
        yield f"{found.key} is exploratory; call it exploratory in the claim, or print a confirmed fact"
