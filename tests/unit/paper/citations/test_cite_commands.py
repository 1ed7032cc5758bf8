"""`flagstone paper cite`, as a person or an agent gives it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from citing_run import CHECKOUT, MEASURED, QUICK, CitingRun
from click.testing import CliRunner, Result
from registry_server import Play

from flagstone.cli.location import Location
from flagstone.cli.main import flagstone
from flagstone.cli.paper.cite import command
from flagstone.cli.paper.citing import waive as waiving
from flagstone.errors import FlagstoneError, WorkFailed
from flagstone.processes.tree import MARK

KEY = "aspelmeyer2009measured"


@pytest.fixture
def citing(citing: CitingRun, tmp_path: Path) -> CitingRun:
    """The run stands in a project now, and its own settings lead to the server."""
    for name in ("config", "schemas", "Snakefile"):
        source = CHECKOUT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / "project" / name)
    root = tmp_path / "project" / "runs" / "attn"
    root.mkdir(parents=True)
    about = {"created_at": "2026-01-01T00:00:00Z", "citations": {**QUICK, "servers": citing.server.servers}}
    (root / "run.yaml").write_text(yaml.safe_dump(about))
    return CitingRun(type(citing.run)(root), citing.server)


@pytest.fixture(autouse=True)
def of_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(MARK, raising=False)


def give(citing: CitingRun, *words: str, typed: str = "") -> Result:
    return CliRunner().invoke(command, list(words), obj=Location(citing.run.root), input=typed)


def sources(citing: CitingRun) -> list[dict[str, Any]]:
    return list(json.loads((citing.run.workspace / "literature" / "sources.json").read_text())["sources"])


def test_help_names_the_four_verbs() -> None:
    assert CliRunner().invoke(flagstone, ["paper", "cite", "--help"]).exit_code == 0


def test_search_shows_what_exists_and_how_to_add_it(citing: CitingRun) -> None:
    done = give(citing, "search", "measured", "measurement")
    assert done.exit_code == 0
    assert (
        "doi:10.1038/nphys1170\n    Measured measurement\n    Aspelmeyer, Markus, Nature Physics, 2009" in done.stdout
    )
    assert "arXiv:0903.0001v1\n    A measured measurement" in done.stdout
    assert "next: flagstone paper cite add doi:10.1038/nphys1170" in done.stdout


def test_search_without_a_network_says_so(citing: CitingRun) -> None:
    citing.server.always |= dict.fromkeys(citing.server.servers, Play(500))
    done = give(citing, "search", "measured", "--json")
    assert isinstance(done.exception, WorkFailed)
    assert len(json.loads(done.stdout)["could_not_ask"]) == 2


def test_a_work_is_added_with_what_its_record_says(citing: CitingRun) -> None:
    done = give(citing, "add", "doi:10.1038/nphys1170")
    assert done.exit_code == 0, (done.output, done.exception)
    assert f"✓ {KEY}  VERIFIED: Measured measurement (doi:10.1038/nphys1170)" in done.stdout
    assert sources(citing) == [{"key": KEY, **MEASURED, "venue": "Nature Physics"}]


def test_a_title_alone_is_added_with_the_identifier_that_was_found(citing: CitingRun) -> None:
    words = ("--title", "A work without an identifier", "--author", "Nameless, Nora", "--year", "2014", "--json")
    done = give(citing, "add", *words)
    assert json.loads(done.stdout)["works"][0]["status"] == "VERIFIED"
    assert sources(citing)[0]["doi"] == "10.1000/noid"


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("10.1038/nphys1170", "--title", "A quite different work"), "MISMATCH"),
        (("10.1000/invented", "--key", "x"), "NOT_FOUND"),
        (("arXiv:9999.99999",), "NOT_FOUND"),
    ],
)
def test_what_does_not_exist_or_is_another_work_is_not_added(
    citing: CitingRun, words: tuple[str, ...], status: str
) -> None:
    done = give(citing, "add", *words)
    assert done.exit_code == 3
    assert status in done.output
    assert not (citing.run.workspace / "literature" / "sources.json").exists() or sources(citing) == []


def test_adding_keeps_what_stands_in_the_file_and_refuses_a_key_that_is_taken(citing: CitingRun) -> None:
    citing.request({"key": KEY, "title": "mine", "cluster": "kept"})
    path = citing.run.workspace / "literature" / "sources.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "searched_until": "2026-01-01"}))
    done = give(citing, "add", "10.1038/nphys1170")
    assert done.exit_code == 3
    assert f"has these keys already: {KEY}; give another --key" in done.stderr
    assert give(citing, "add", "10.1038/nphys1170", "--key", "other").exit_code == 0
    assert json.loads(path.read_text())["searched_until"] == "2026-01-01"
    assert [row["key"] for row in sources(citing)] == [KEY, "other"]
    assert sources(citing)[0]["cluster"] == "kept"


@pytest.mark.parametrize(
    ("content", "says"), [("{", "cannot be used"), ("[]", "holds no list"), ('{"sources": {}}', "holds no list")]
)
def test_a_file_that_cannot_be_added_to_is_left_as_it_is(citing: CitingRun, content: str, says: str) -> None:
    citing.request()
    path = citing.run.workspace / "literature" / "sources.json"
    path.write_text(content)
    done = give(citing, "add", "10.1038/nphys1170")
    assert isinstance(done.exception, FlagstoneError)
    assert says in done.exception.problem
    assert path.read_text() == content


def test_the_works_of_a_bib_are_added_as_far_as_they_exist(citing: CitingRun, tmp_path: Path) -> None:
    (tmp_path / "own.bib").write_text(
        "@article{good, title={Measured measurement}, author={Markus Aspelmeyer}, year=2009, doi={10.1038/nphys1170}}\n"
        "@article{bad, title={Nothing}, doi={10.1000/invented}}\n@article{broken, title={"
    )
    done = give(citing, "add", "--bib", str(tmp_path / "own.bib"))
    assert done.exit_code == 3
    assert "1 entry broken, or there twice: left out" in done.stderr
    assert "bad was not added: NOT_FOUND" in done.stderr
    assert [row["key"] for row in sources(citing)] == ["good"]


def test_check_names_what_is_wrong_first_and_how_to_cure_it(citing: CitingRun) -> None:
    citing.request({"key": "good", **MEASURED}, {"key": "bad", **MEASURED, "year": 1990})
    done = give(citing, "check")
    assert done.exit_code == 3
    lines = done.stdout.splitlines()
    assert lines[0] == "✗ bad  MISDESCRIBED: the year is 2009, not 1990"
    assert lines[1].startswith(
        "    correct the request in workspace/literature/sources.json, or in workspace/writing/sour"
    )
    assert lines[-1] == "1 of 2 works may be cited"
    assert give(citing, "check", "good").exit_code == 0


def test_check_shows_the_abstract_of_a_work_that_is_named(citing: CitingRun) -> None:
    citing.request({"key": "good", **MEASURED})
    assert "abstract of good: Quantum mechanics & measurement: a hand-made" in give(citing, "check", "good").stdout
    assert "a hand-made" in json.loads(give(citing, "check", "good", "--json").stdout)["abstracts"]["good"]
    assert "abstract" not in give(citing, "check").stdout


@pytest.mark.parametrize("words", [("check",), ("check", "nobody")])
def test_check_says_if_there_is_nothing_to_check(citing: CitingRun, words: tuple[str, ...]) -> None:
    done = give(citing, *words)
    assert isinstance(done.exception, FlagstoneError)
    assert "workspace/literature/sources.json has no request" in done.exception.problem


def test_a_run_that_asked_for_no_work_yet_is_told_so_in_one_sentence(citing: CitingRun) -> None:
    done = give(citing, "check")
    assert isinstance(done.exception, FlagstoneError)
    assert done.exception.problem == "workspace/literature/sources.json has no request at all"


def test_a_work_that_is_added_before_the_registries_could_be_asked_is_said_to_be_open(citing: CitingRun) -> None:
    citing.server.always |= dict.fromkeys(citing.server.servers, Play(500))
    done = give(citing, "add", "10.1038/nphys1170", "--key", "later")
    added = "added later to workspace/literature/sources.json; what is marked ✗ may not be cited yet"
    assert done.stdout.splitlines()[-2:] == [added, "next: flagstone paper cite check"]


def test_what_an_agent_reads_never_fills_its_memory(citing: CitingRun) -> None:
    rows = [{"key": f"work{number}", "title": "x" * 900, "doi": "10.1000/invented"} for number in range(300)]
    citing.request(*rows)
    done = give(citing, "check", "--json")
    assert len(done.stdout.encode()) <= 8_001
    told = json.loads(done.stdout)
    assert told["counts"] == {"NOT_FOUND": 300}
    assert len(told["works"]) + told["left_out"] == 300
    assert told["works"]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiving, "need_terminal", lambda *words: None)


def refusal(done: Result) -> str:
    assert isinstance(done.exception, FlagstoneError), (done.exception, done.output)
    assert done.exception.exit_code == 2
    return done.exception.problem


@pytest.mark.usefixtures("terminal")
def test_a_person_waives_a_work_by_typing_its_key(citing: CitingRun) -> None:
    citing.request({"key": "book", **MEASURED, "doi": "10.1000/invented"})
    done = give(citing, "waive", "book", "--why", "on my shelf", typed="book\n")
    assert done.exit_code == 0, (done.output, done.exception)
    assert "waived book of run attn" in done.stdout
    assert "may be cited" in give(citing, "check").stdout
    assert give(citing, "check").exit_code == 0


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("typed", ["\n", "yes\n", "y\n", "other\n"])
def test_enter_never_waives(citing: CitingRun, typed: str) -> None:
    citing.request({"key": "book", **MEASURED, "doi": "10.1000/invented"})
    assert "that is not the key" in refusal(give(citing, "waive", "book", "--why", "x", typed=typed))
    assert not (citing.run.approved / "waivers.jsonl").exists()


def test_without_a_terminal_nobody_is_a_person(citing: CitingRun) -> None:
    citing.request({"key": "book", **MEASURED, "doi": "10.1000/invented"})
    done = give(citing, "waive", "book", "--why", "x", typed="book\n")
    assert "only a person can waive a citation" in refusal(done)
    assert not citing.run.approved.exists()


@pytest.mark.usefixtures("terminal")
def test_an_agent_is_no_person_even_with_a_terminal(citing: CitingRun, monkeypatch: pytest.MonkeyPatch) -> None:
    citing.request({"key": "book", **MEASURED, "doi": "10.1000/invented"})
    monkeypatch.setenv(MARK, ":stage//1")
    done = give(citing, "waive", "book", "--why", "x", typed="book\n")
    assert refusal(done) == "only a person can waive a citation"
    assert not citing.run.approved.exists()


@pytest.mark.usefixtures("terminal")
def test_who_may_not_write_the_approvals_cannot_waive(citing: CitingRun) -> None:
    citing.request({"key": "book", **MEASURED, "doi": "10.1000/invented"})
    citing.run.approved.write_text("no folder, so that nothing can be written there")
    assert "only a person can waive" in refusal(give(citing, "waive", "book", "--why", "x", typed="book\n"))


@pytest.mark.usefixtures("terminal")
def test_what_is_verified_needs_no_waiver(citing: CitingRun) -> None:
    citing.request({"key": "good", **MEASURED})
    assert "nothing to waive" in give(citing, "waive", "good", "--why", "x", typed="good\n").stdout
    assert not (citing.run.approved / "waivers.jsonl").exists()


@pytest.mark.usefixtures("terminal")
def test_a_waiver_needs_a_request_and_a_reason(citing: CitingRun) -> None:
    citing.request({"key": "book", **MEASURED})
    assert "has no request 'nobody'" in refusal(give(citing, "waive", "nobody", "--why", "x"))
    assert "needs a reason" in refusal(give(citing, "waive", "book", "--why", "  "))
