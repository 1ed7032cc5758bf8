"""Prints the sum of the radii of 26 circles in the unit square, or ends with what is wrong.

All comparisons are exact: the decimal numbers of packing.json are read as fractions, and nothing is rounded
before the end, where the sum is rounded down.
"""

import json
import sys
from fractions import Fraction
from itertools import combinations

COUNT = 26
PUBLISHED = "2.635983"
DIGITS = 12


def exact(text):
    if len(text) > 40 or "e" in text.lower():
        sys.exit(f"write numbers as plain decimals of at most 40 characters: {text[:60]}")
    return Fraction(text)


def refuse(word):
    sys.exit(f"not a number: {word}")


def circles():
    with open("packing.json", encoding="utf-8") as stream:
        found = json.load(stream, parse_float=exact, parse_int=exact, parse_constant=refuse)
    if not isinstance(found, list) or len(found) != COUNT:
        sys.exit(f"packing.json has to be a list of {COUNT} circles [x, y, radius]")
    for circle in found:
        if not (isinstance(circle, list) and len(circle) == 3 and all(isinstance(each, Fraction) for each in circle)):
            sys.exit(f"not a circle [x, y, radius]: {str(circle)[:60]}")
    return found


def problem(found):
    for number, (x, y, r) in enumerate(found):
        if r <= 0 or min(x, y, 1 - x, 1 - y) < r:
            return f"circle {number} is not inside the square, or has no radius"
    for (one, (x, y, r)), (two, (u, v, s)) in combinations(enumerate(found), 2):
        if (x - u) ** 2 + (y - v) ** 2 < (r + s) ** 2:
            return f"circles {one} and {two} overlap"
    return None


def main():
    found = circles()
    if wrong := problem(found):
        sys.exit(wrong)
    total = sum(r for _, _, r in found)
    whole, rest = divmod(int(total * 10**DIGITS), 10**DIGITS)
    print(f"score {whole}.{rest:0{DIGITS}}")
    print(f"published {PUBLISHED}")


main()
