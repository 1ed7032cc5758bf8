"""`flagstone paper lint`, as a person or an agent calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from papers import Paper, new_paper
from sample_papers import lay_sample

from flagstone.cli.location import Location
from flagstone.cli.paper.paper import command


@pytest.fixture
def paper(tmp_path: Path) -> Paper:
    made = new_paper(tmp_path)
    for section in (made.run.writing / "sections").glob("*"):
        section.unlink()
    lay_sample(made.run, "one_column")
    return made


def lint(paper: Paper, *words: str) -> Result:
    location = Location(paper.run.root)
    location.__dict__["project"] = paper.project  # its runs are not below the checkout
    return CliRunner().invoke(command, ["lint", *words], obj=location)


def test_an_honest_paper_is_told_what_was_read_and_what_comes_next(paper: Paper) -> None:
    said = lint(paper)
    assert said.exit_code == 0
    assert said.stdout.splitlines() == [
        "paper-lint: 30 uses of facts, 2 literals; no other number is typed",
        "paper-claims: 6 claims computed again, 2 about what the study did not measure; "
        "only the paper says which values are better in warm_arms",
    ]
    assert said.stderr == "next: flagstone paper build t\n"


def test_a_run_without_a_paper_is_told_that_no_section_is_there(paper: Paper) -> None:
    for file in paper.run.writing.rglob("*.*"):
        file.unlink()
    said = lint(paper)
    assert said.exit_code == 0
    assert said.stderr == "workspace/writing/sections holds no section yet\n"


def test_faults_are_named_by_line_and_the_command_fails(paper: Paper) -> None:
    paper.write("sections/results.tex", "\\section{Results}\nIt is 99.1 \\char57.\n")
    said = lint(paper)
    assert said.exit_code != 0
    assert "paper-lint: sections/results.tex:2: “99.1” is typed" in said.stderr
    assert "paper-lint: sections/results.tex:2: a paper cannot hold \\char" in said.stderr
    assert "paper-claims: workspace/writing/claims.yaml:2: no \\claim{warm}" in said.stderr
    rules = {row["rule"]: row["status"] for row in json.loads(lint(paper, "--json").stdout)}
    assert rules == {"paper-lint": "failed", "paper-claims": "failed"}


def test_a_person_allows_a_macro_in_run_yaml(paper: Paper) -> None:
    paper.write("sections/method.tex", "\\section{Method}\n\\textgreek{beta}\n")
    assert "a paper cannot hold \\textgreek" in lint(paper).stderr
    settings = paper.run.settings.read_text()
    paper.run.settings.write_text(f'{settings}\npaper: {{macros: {{textgreek: "{{text}}"}}}}\n')
    assert "textgreek" not in lint(paper).stderr


def test_a_run_keeps_the_rules_that_it_was_made_with(paper: Paper) -> None:
    assert (paper.run.pinned / "latex.yaml").is_file() and (paper.run.pinned / "claim_words.yaml").is_file()
    rules = (paper.run.pinned / "latex.yaml").read_text()
    (paper.run.pinned / "latex.yaml").write_text(rules.replace('  emph: "{text}"\n', ""))
    assert "a paper cannot hold \\emph" in lint(paper).stderr


def test_a_run_of_an_earlier_version_has_the_rules_of_the_project(paper: Paper) -> None:
    for name in ("latex.yaml", "claim_words.yaml"):
        (paper.run.pinned / name).unlink()
    assert lint(paper).exit_code == 0
