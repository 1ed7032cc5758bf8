"""Prints how large the smallest triangle between any three of 11 points in a triangle is, or ends with what is wrong.

The points lie in the triangle (0,0) (1,0) (0,1), and areas are parts of its area. Every other triangle gives the
same numbers, since an affine map keeps them. All comparisons are exact: the decimal numbers of points.json are read
as fractions, and nothing is rounded before the end, where the area is rounded down.
"""

import json
import sys
from fractions import Fraction
from itertools import combinations

COUNT = 11
PUBLISHED = "0.0365299"
DIGITS = 12


def exact(text):
    if len(text) > 40 or "e" in text.lower():
        sys.exit(f"write numbers as plain decimals of at most 40 characters: {text[:60]}")
    return Fraction(text)


def refuse(word):
    sys.exit(f"not a number: {word}")


def points():
    with open("points.json", encoding="utf-8") as stream:
        found = json.load(stream, parse_float=exact, parse_int=exact, parse_constant=refuse)
    if not isinstance(found, list) or len(found) != COUNT:
        sys.exit(f"points.json has to be a list of {COUNT} points [x, y]")
    for point in found:
        if not (isinstance(point, list) and len(point) == 2 and all(isinstance(each, Fraction) for each in point)):
            sys.exit(f"not a point [x, y]: {str(point)[:60]}")
    return found


def area(a, b, c):
    """The area of a triangle as a part of the whole, which is half of the unit square."""
    return abs((b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1]))


def main():
    found = points()
    for number, (x, y) in enumerate(found):
        if min(x, y, 1 - x - y) < 0:
            sys.exit(f"point {number} is outside of the triangle")
    smallest = min(area(*corners) for corners in combinations(found, 3))
    print(f"score 0.{int(smallest * 10**DIGITS):0{DIGITS}}")
    print(f"published {PUBLISHED}")


main()
