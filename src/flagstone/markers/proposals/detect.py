"""What could be improved in a repository: its files say how it is tested, checked and built."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from flagstone.experiments.candidates import Checkout
from flagstone.markers.marker import Metric
from flagstone.markers.proposals.project import CONFTEST, MAKEFILES, SourceTree, test_glob, tree_around
from flagstone.markers.proposals.proposal import WHAT, Proposal, kind_of
from flagstone.markers.proposals.tools import ANY_TESTS, TIME, metric_of, timing_command, tool_in

SCRIPTS = ("js", "mjs", "cjs", "jsx", "ts", "tsx")
COMPILED = ("c", "cc", "cpp", "h", "hpp", "rs", "go", "java")
TARGET = re.compile(r"^([A-Za-z0-9_.-]+)[ \t]*:(?!=)[^\n]*\n((?:\t[^\n]*\n?)*)", re.MULTILINE)
NO_TEST = "no test specified"  # what `npm init` writes


def proposals_at(repository: Path, here: Path) -> list[Proposal]:
    """Every marker that the files around a folder suggest, the most useful first. No two have one name."""
    checkout = Checkout(repository)
    tracked = map(os.fsdecode, checkout.git("ls-files", "-z").split(b"\0"))
    # a marker file cannot name what is no text, and so it is proposed for nothing
    paths = [path for path in (*tracked, *checkout.new_files()) if path and path.isprintable()]
    prefix, tree = tree_around(repository, here, paths)
    found = dict[str, Proposal]()
    for family, look in FAMILIES.items():
        for each in look(tree):
            if each.mutable and not (family == "make" and each.name in found):
                name = f"{each.name}-in-{family}" if each.name in found else each.name
                found[name] = replace(each, name=name)
    order = list(WHAT)
    proposals = sorted(found.values(), key=lambda each: order.index(kind_of(each.name)))
    return [below(prefix, each) for each in proposals] if prefix else proposals


def below(prefix: str, proposal: Proposal) -> Proposal:
    """A proposal for a folder, as seen from the top of the repository."""
    enter = f"cd {shlex.quote(prefix.rstrip('/'))} && "
    return replace(
        proposal,
        metric=replace(proposal.metric, command=enter + proposal.metric.command),
        mutable=tuple(prefix + glob for glob in proposal.mutable),
        immutable=tuple(prefix + glob for glob in proposal.immutable),
        guard=proposal.guard and enter + proposal.guard,
    )


def time_of(command: str) -> Metric:
    return replace(metric_of(timing_command(command), TIME), timing=True)


def known_metric(command: str) -> Metric:
    """The metric of a command that starts a known tool."""
    return metric_of(command, tool_in(command) or ANY_TESTS)


def edits(tree: SourceTree, name: str, metric: Metric, globs: tuple[str, ...], guard: str = "") -> Proposal:
    """A proposal to edit sources, and none of the tests among them."""
    return Proposal(name, metric, globs, tree.tests_among(globs), guard)


def python_proposals(tree: SourceTree) -> Iterator[Proposal]:
    sources, tests, settings = tree.sources("py"), tree.tests("py"), tree.python_settings
    pytest = tree.program("pytest")
    is_tested = bool(tests) and ("pytest" in settings or tree.has_program("pytest"))
    if is_tested and sources:
        has_helpers = any(path.endswith(CONFTEST) for path in tree.paths)
        immutable = (f"**/{CONFTEST}",) if has_helpers else ()
        yield Proposal("coverage", known_metric(coverage_command(tree, pytest)), tests, immutable)
        yield edits(tree, "tests", known_metric(f"{pytest} --tb=no"), sources)
    if "ruff" in settings or tree.has_program("ruff"):
        places = sorted({glob.partition("/**")[0] for glob in sources})
        command = f"{tree.program('ruff')} check --ignore-noqa {shlex.join(places)}"
        yield edits(tree, "lint", known_metric(command), sources, pytest if is_tested else "")


def coverage_command(tree: SourceTree, pytest: str) -> str:
    """Measures the coverage in the way that the project has set up. Tests are left out: they would cover themselves.

    A whole percent would hide most gains.
    """
    packages = sorted(path.partition("/")[0] for path in tree.paths if re.fullmatch(r"[^/]+/__init__\.py", path))
    modules = [glob.removesuffix(".py") for glob in tree.sources("py") if "/" not in glob]
    is_src = any(path.startswith("src/") for path in tree.paths)
    places = ["src"] if is_src else [name for name in packages if not test_glob(f"{name}/")] or modules
    settings, coverage = tree.python_settings, tree.program("coverage")
    first = f"{coverage} run --source={','.join(places)} -m pytest"
    if re.search(r"pytest[-_]cov|--cov\b", settings) or not ("coverage" in settings or tree.has_program("coverage")):
        first = " ".join((pytest, *(f"--cov={place}" for place in places), "--cov-report="))
    return f"{first} && {coverage} report --precision=2"


def npm_proposals(tree: SourceTree) -> Iterator[Proposal]:
    scripts, sources = scripts_of(tree), tree.sources(*SCRIPTS)
    runner = next((name for name in ("pnpm", "yarn") if tree.text(f"{name}-lock.yaml", f"{name}.lock")), "npm")
    test, more = scripts.get("test", ""), " --" if runner == "npm" else ""
    is_tested = bool(test) and NO_TEST not in test
    guard = f"{runner} test" if is_tested else ""
    if is_tested and re.search(r"\b(jest|vitest)\b", test):
        command = f"{runner} test{more} --coverage 2>&1"
        yield Proposal("coverage", known_metric(command), tree.tests(*SCRIPTS))
    if is_tested:
        yield edits(tree, "tests", metric_of(f"{runner} test 2>&1", tool_in(test) or ANY_TESTS), sources)
    linter = tool_in(scripts.get("lint", ""))
    if linter and linter.what == "lint":
        command = f"{runner} run lint{more} --no-inline-config 2>&1"
        yield edits(tree, "lint", metric_of(command, linter), sources, guard)
    if "build" in scripts:
        yield edits(tree, "build-time", time_of(f"{runner} run build"), sources, guard)


def scripts_of(tree: SourceTree) -> dict[str, str]:
    """The scripts of package.json. What is not as it should be there is left out."""
    try:
        package = json.loads(tree.text("package.json") or "{}")
    except ValueError:
        return {}
    scripts = package.get("scripts") if isinstance(package, dict) else None
    return {key: row for key, row in scripts.items() if isinstance(row, str)} if isinstance(scripts, dict) else {}


def cargo_proposals(tree: SourceTree) -> Iterator[Proposal]:
    if "Cargo.toml" in tree.paths:
        sources = tree.sources("rs")
        yield edits(tree, "tests", known_metric("cargo test --no-fail-fast"), sources)
        yield edits(tree, "build-time", time_of("cargo build"), sources, "cargo test")


def go_proposals(tree: SourceTree) -> Iterator[Proposal]:
    if "go.mod" in tree.paths:
        sources, profile = tree.sources("go"), "coverage.out"
        command = f"go test -coverprofile={profile} ./... && go tool cover -func={profile}"
        yield Proposal("coverage", known_metric(command), tree.tests("go"))
        yield edits(tree, "tests", known_metric("go test -v ./..."), sources)
        yield edits(tree, "build-time", time_of("go build ./..."), sources, "go test ./...")


def make_proposals(tree: SourceTree) -> Iterator[Proposal]:
    """What the targets of a Makefile do. `make` exits with 2 where a command of its own fails with another code."""
    recipes = dict(TARGET.findall(tree.text(*MAKEFILES)))
    sources = tree.sources("py", *SCRIPTS, *COMPILED)
    test = next((name for name in ("test", "tests", "check") if name in recipes), "")
    guard = f"make {test}" if test else ""
    for name, wanted in (("coverage", "coverage"), ("lint", "lint"), (test, "tests")):
        tool = tool_in(recipes.get(name, "")) or (ANY_TESTS if name and name == test else None)
        if tool and tool.what == wanted:
            metric = metric_of(f"make {name}", tool)
            metric = replace(metric, ok_exit=(0, 2)) if len(metric.ok_exit) > 1 else metric
            if wanted == "coverage":
                yield Proposal(wanted, metric, tree.tests("py", *SCRIPTS, *COMPILED))
            else:
                yield edits(tree, wanted, metric, sources, guard if wanted == "lint" else "")
    build = next((name for name in ("build", "all") if name in recipes), "")
    if build:
        yield edits(tree, "build-time", time_of(f"make {build}"), sources, guard)


FAMILIES: dict[str, Callable[[SourceTree], Iterator[Proposal]]] = {
    "python": python_proposals,
    "npm": npm_proposals,
    "cargo": cargo_proposals,
    "go": go_proposals,
    "make": make_proposals,
}
