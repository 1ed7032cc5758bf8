"""What an experiment may be for: sentences of the project that speak of a goal, and the metric itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from flagstone.setup.project_finding import ProjectFinding
from flagstone.setup.project_tree import ProjectTree
from flagstone.setup.repository import commit_titles
from flagstone.text import one_line

FILES = re.compile(r"^(claude|agents|program|readme|goal|todo)(\.(md|rst|txt))?$", re.IGNORECASE)
VERB = re.compile(
    r"(?:to |we |please )?(improv\w*|reduc\w*|lower\w*|increas\w*|speed\w* up|beat\w*|minimi[sz]\w*|maximi[sz]\w*"
    r"|optimi[sz](?:e|es|ed|ing)|outperform\w*|reach\w*|tune)\b",
    re.IGNORECASE,
)
NAMED = re.compile(r"\b(goal|objective|aim) (is|of|:)", re.IGNORECASE)
MARKUP = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|[*`#>|]+|<[^>]*>|^\s*(?:[-+]|\d+\.)\s+")
LONGEST_LINE = 2000
MOST, LONGEST, SHORTEST = 4, 80, 3  # options; characters of each; words of each


def goal_finding(tree: ProjectTree, metric: ProjectFinding) -> ProjectFinding:
    """The metric first, then what the documents and the newest commits speak of. All of it is shown as material."""
    found: dict[str, str] = {}
    if metric.value:
        found[metric_goal(metric.value)] = metric.evidence[0] if metric.evidence else ""
    for text, place in (*documented_goals(tree), *committed_goals(tree)):
        found.setdefault(text, place)
    options = list(found)[:MOST]
    places = tuple(found[text] for text in options if found[text])
    return ProjectFinding("goal", options, "likely" if metric.value else "unclear", places)


def metric_goal(metric: Mapping[str, object]) -> str:
    verb = {"min": "Lower", "max": "Raise"}.get(str(metric["direction"]), "Improve")
    return one_line(f"{verb} {metric['name']}", LONGEST)


def documented_goals(tree: ProjectTree) -> Iterator[tuple[str, str]]:
    """Sentences with a verb of improvement, outside of code blocks."""
    for path in sorted((path for path in tree.paths if FILES.match(path)), key=lambda path: path.lower()[:1] == "r"):
        is_code = False
        for number, line in enumerate(tree.text(path).splitlines(), start=1):
            is_code ^= line.lstrip().startswith(("```", "~~~"))
            if len(line) > LONGEST_LINE:
                continue
            is_table = line.lstrip().startswith(("|", "<")) or line.count("|") > 1
            for sentence in re.split(r"(?<=[.!?])\s+", plain_text(line)) if not (is_code or is_table) else ():
                if is_goal(sentence):
                    yield one_line(sentence.rstrip(".:"), LONGEST), f"{path}:{number}"


def is_goal(sentence: str) -> bool:
    """Whether a short sentence begins with improving something, or names a goal."""
    is_short = len(sentence.split()) >= SHORTEST and len(sentence) <= LONGEST
    is_whole = sentence[:1].isupper() and not sentence.endswith(("e.g", "i.e"))
    return is_short and is_whole and bool(VERB.match(sentence) or NAMED.search(sentence))


def plain_text(line: str) -> str:
    """A line of Markdown without its marks."""
    return one_line(MARKUP.sub(lambda found: found[1] or "", line), LONGEST_LINE)


def committed_goals(tree: ProjectTree) -> Iterator[tuple[str, str]]:
    for title in commit_titles(tree.root):
        if is_goal(title[:1].upper() + title[1:]):
            yield one_line(title, LONGEST), ""
