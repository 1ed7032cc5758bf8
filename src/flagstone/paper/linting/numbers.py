"""Numbers that are typed, and numbers that read as another one because of what stands beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from flagstone.paper.linting.place import SourceFault
from flagstone.paper.linting.printed_text import BREAK, FACT, LITERAL, REFERENCE, PrintedText
from flagstone.paper.linting.rules import LintRules
from flagstone.paper.linting.wording import blank

LARGEST_IN_FORMULA = 12
NOTHING = "\u2060"  # a space of mathematics, which prints nothing
MARKS = f"{FACT}{LITERAL}{REFERENCE}"
ANY = f"[0-9{MARKS}]"
NUMBER = re.compile(rf"{ANY}(?:[.,·'{NOTHING}\u2009]{{0,4}}{ANY})*")
POWER_OF_TEN = re.compile(rf"[×·]{NOTHING}*1{NOTHING}*0{NOTHING}*\^")
# a minus of mathematics is a sign also before a space; a dash of a sentence is not
SIGN = re.compile(
    rf"(?<!-)(?:(?:-|--|[–+])[{NOTHING}\u2009\u00a0{BREAK}]*|−[\s{NOTHING}{BREAK}]*)(?=[{FACT}{LITERAL}])"
)
AFTER_OPERAND = re.compile(rf"[\w{MARKS})\]}}|-][{NOTHING}^_]*\Z")
SIGN_WORD = re.compile(rf"(?<!\w)(?:minus|negative|plus)[\s\u00a0]+(?=[{FACT}{LITERAL}])", re.IGNORECASE)
SCALE = re.compile(rf"(?<=[{FACT}{LITERAL}])[\u2009{NOTHING}]?(?:[kKMGBT](?!\w)|bn(?!\w)|[eE][-−–+]?{ANY})")
LOOKALIKE = re.compile(
    r"(?<![\w.])[OolI]+[.,][OolI]+(?![\w.])|(?<!\w)[OolI]{2,}(?=[\s\u00a0\u2009]*%)"
    rf"|(?<!\w)[OolI]+[.,]?(?=[{FACT}{LITERAL}])|(?<=[{FACT}{LITERAL}])[.,]?[OolI]+(?!\w)"
)
AS_ROMAN = r"(?<![\w.])(?=[IVXLCDM]{2})M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})"
ROMAN = re.compile(
    rf"{AS_ROMAN}(?=[\s\u00a0\u2009]*(?:%|per\s*cent\b|percentage|points?\b|times\b|-fold|seeds\b|runs\b))"
    rf"|(?i:{AS_ROMAN}(?=[\s\u00a0\u2009]*(?:%|per\s?cent\b)))"  # small capitals are typed as small letters
)
# what makes a number of mathematics, or of a reference, one of the results
MEASURE = re.compile(rf"[)\s\u00a0\u2009{NOTHING}{BREAK}]*(?:%|per\s?cent|percentage|points?\b)", re.IGNORECASE)
# a word in mathematics, as in 8\,\mathrm{seeds}, makes no formula
VARIABLE = re.compile(r"(?<![A-Za-zα])[A-Za-zα](?![A-Za-zα])|\Alog\Z")
INDEX_OF = re.compile(rf"[A-Za-zα)\]|}}][{NOTHING}]*_[{NOTHING}]*\Z")
IN_MATHEMATICS = str.maketrans({",": ";", "-": "−"})
UNIT_WORD = re.compile(r"(?:hundred|thousand|million|billion)s?", re.IGNORECASE)
CONNECTIVES = ("and", "or", "to", "through")
NAMED = re.compile(r"[A-Za-z§]+\.?[\s\u00a0(]*\Z")
SIGN_FAULT = "a sign before \\val changes its number; take it out, and give the fact a format such as +.2f"
TYPED = "write \\val{…}, or \\lit{…}{why} if it is a constant"


def number_faults(text: PrintedText, rules: LintRules) -> Iterator[SourceFault]:
    """Every number of a text that no fact, literal or formula accounts for."""
    glyphs = glyphs_of(text)
    formulas = formulas_of(text)
    for found in NUMBER.finditer(glyphs):
        why = number_fault(text, glyphs, found, formulas)
        if why:
            yield SourceFault(text.place_at(found.start()), why)
    for pattern, why in (
        (POWER_OF_TEN, "a number in scientific notation is typed; give a fact the format .1e"),
        (SIGN_WORD, SIGN_FAULT),
        (SCALE, "letters after \\val change its number; name the unit after a space, and scale the fact"),
        (LOOKALIKE, "these letters read as a number; write \\val{…}"),
        (ROMAN, "this Roman numeral is a number; write \\val{…}, or \\lit{…}{why} if it is a constant"),
    ):
        yield from (SourceFault(text.place_at(found.start()), why) for found in pattern.finditer(glyphs))
    for found in SIGN.finditer(glyphs):
        if not AFTER_OPERAND.search(glyphs, max(0, found.start() - 9), found.start()):
            yield SourceFault(text.place_at(found.start()), SIGN_FAULT)
    yield from word_faults(text, rules)
    yield from reference_faults(text, rules)


def formulas_of(text: PrintedText) -> set[int]:
    """Which parts of the mathematics have a variable, so that a number in them is part of a formula."""
    return {piece.formula for piece in text.pieces if piece.formula and VARIABLE.search(piece.text)}


def glyphs_of(text: PrintedText) -> str:
    """The text as it is set: mathematics has no spaces, and a comma of mathematics parts what it stands between."""
    return "".join(
        piece.text if piece.place.mode == "text" else re.sub(r"\s", NOTHING, piece.text).translate(IN_MATHEMATICS)
        for piece in text.pieces
    )


def number_fault(text: PrintedText, glyphs: str, found: re.Match[str], formulas: set[int]) -> str:
    """What is wrong with one number; '' if it may stand there."""
    piece = text.piece_at(found.start())
    shown = found.group().translate(str.maketrans("", "", NOTHING))
    if any(mark in shown for mark in MARKS):
        if piece.place.is_in_table and LITERAL in shown:
            return f"a table that is typed has the number {piece.key}; describe it in tables.yaml"
        return "" if len(shown) == 1 else "these read as one number; put a word or a space between them"
    if piece.place.is_in_table:
        return f"a table that is typed has the number {shown}; describe it in tables.yaml, and \\input{{tables/…}}"
    if piece.place.mode == "text":
        return f"“{shown}” is typed; {TYPED}"
    if not shown.isdigit():
        return f"“{shown}” is no whole number, so it is typed also in mathematics; {TYPED}"
    if measure := MEASURE.match(glyphs, found.end()):
        return f"“{shown} {measure.group().strip(f' )~{NOTHING}{BREAK}')}” is typed; {TYPED}"
    is_index = piece.place.mode == "index" and INDEX_OF.search(glyphs, max(0, found.start() - 9), found.start())
    is_small = int(shown) <= LARGEST_IN_FORMULA
    if piece.formula not in formulas and not (is_index and is_small) and not is_unit_interval(glyphs, found):
        return f"“{shown}” stands in mathematics without a formula around it; {TYPED}"
    if not is_small and not is_index:
        return f"“{shown}” is larger than {LARGEST_IN_FORMULA}, so it is typed also in a formula; {TYPED}"
    return ""


def is_unit_interval(glyphs: str, found: re.Match[str]) -> bool:
    """Whether a number is a 0 or 1 between brackets, as in [0, 1]."""
    before = glyphs[max(0, found.start() - 9) : found.start()].rstrip(NOTHING + "−")
    after = glyphs[found.end() : found.end() + 9].lstrip(NOTHING)
    return found.group() in ("0", "1") and before[-1:] in tuple("[({;") and after[:1] in tuple("])};")


def title_faults(text: PrintedText, rules: LintRules) -> Iterator[SourceFault]:
    """Words of a title, a keyword or a table that say a number. `Millions` may be a unit there."""
    words = blank(text.text, rules.wording.patterns["plain"])
    for pattern in (rules.wording.patterns["fractions"], ROMAN):
        for found in pattern.finditer(words):
            if not UNIT_WORD.fullmatch(found.group()):
                why = f"“{found.group()}” says a number, which nothing accounts for here; print the fact in the text"
                yield SourceFault(text.place_at(found.start()), f"{why} or as a cell of the table ({{val: KEY}})")


def word_faults(text: PrintedText, rules: LintRules) -> Iterator[SourceFault]:
    words = blank(text.text, rules.wording.patterns["plain"])
    for found in rules.wording.number_words.finditer(words):
        said = " ".join(found.group().split())
        yield SourceFault(text.place_at(found.start()), f"“{said}” says a number; {TYPED}")


def reference_faults(text: PrintedText, rules: LintRules) -> Iterator[SourceFault]:
    """A \\ref that is not named: `\\ref{…} per cent` would print a number of nobody's."""
    offset = text.text.find(REFERENCE)
    while offset >= 0:
        piece, before = text.piece_at(offset), text.text[max(0, offset - 30) : offset]
        named = NAMED.search(before)
        word = named.group().strip(" .(\u00a0\n") if named else ""
        is_known = bool(word) and (word == "§" or bool(rules.wording.patterns["references"].fullmatch(word)))
        is_known &= word.lower() not in CONNECTIVES or REFERENCE in before
        if MEASURE.match(text.text, offset + 1):
            yield SourceFault(text.place_at(offset), "a reference reads as a result here; write \\val{…}")
        if piece.key == "ref" and not is_known and not re.search(rf"{REFERENCE}[)\s]*[,–-]+[\s\u00a0(]*\Z", before):
            yield SourceFault(text.place_at(offset), "a \\ref follows the name of what it refers to: Section~\\ref{…}")
        offset = text.text.find(REFERENCE, offset + 1)
