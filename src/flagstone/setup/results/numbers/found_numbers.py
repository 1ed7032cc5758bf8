"""Every number that a project prints, logs, or has left: those that may be judged by, and those that are limits."""

from __future__ import annotations

from flagstone.setup.programs import Program
from flagstone.setup.project_tree import ProjectTree
from flagstone.setup.results.numbers.library_names import library_names
from flagstone.setup.results.numbers.logged_names import logged_names
from flagstone.setup.results.numbers.metric_candidate import is_limit
from flagstone.setup.results.numbers.monitored_names import monitored_names
from flagstone.setup.results.numbers.number_group import NumberGroup, groups_by_name
from flagstone.setup.results.numbers.printed_names import printed_names
from flagstone.setup.results.numbers.traces import traces
from flagstone.setup.results.numbers.written_names import written_names
from flagstone.setup.results.own_code import own_code, own_configs


def find_numbers(tree: ProjectTree, program: Program) -> tuple[list[NumberGroup], list[str]]:
    """The numbers, the preferred ones first, and the names of those that look like limits."""
    code = own_code(tree, program)
    readable = [*traces(tree), *logged_names(tree, code), *printed_names(tree, code)]
    readable += [*library_names(tree, code, program), *written_names(tree, code, program)]
    told = monitored_names(tree, code, own_configs(tree))
    limits = list(dict.fromkeys(each.name for each in readable if is_limit(each.name)))
    return groups_by_name(each for each in (*readable, *told) if not is_limit(each.name)), limits
