"""Facts are computed from files of the run, and whatever cannot be computed is named with its line and its cure."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from paper_runs import RUNS, facts_of, make_run, offer, problem_of, write_trial

from flagstone.layout import Run
from flagstone.paper.facts import write_facts
from flagstone.records import Ledger, digest_bytes

ROOT = Path(__file__).parents[4]
TABLE = "workspace/results/runs.csv"
ONE = f'one: {{from: "{TABLE}#accuracy?where=arm=plain&seed=2", format: ".2f"}}\n'
PLAIN = f'plain: {{from: "{TABLE}#accuracy?where=arm=plain"}}\n'
MIXUP = f'mixup: {{from: "{TABLE}#accuracy?where=arm=mixup&role=confirmation&status=ok"}}\n'


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return make_run(tmp_path)


def printed(run: Run, text: str) -> dict[str, str]:
    book = facts_of(run, text)
    assert book.problems == ()
    return {key: fact.printed for key, fact in book.facts.items()}


def test_a_cell_of_a_table_is_a_fact_with_its_file_seed_and_digest(run: Run) -> None:
    fact = facts_of(run, ONE).facts["one"]
    assert (fact.value, fact.printed, fact.n, fact.seeds, fact.kind) == (0.6, "0.60", 1, (2,), "measured")
    (path,) = fact.inputs
    assert path == TABLE and len(fact.inputs[path]) == 64


def test_rows_are_reduced_to_one_number_with_their_n_and_seeds(run: Run) -> None:
    source = f'from: "{TABLE}#accuracy?where=arm=plain"'
    book = facts_of(
        run,
        f'm: {{{source}, reduce: mean, format: ".2f"}}\n'
        f'sd: {{{source}, reduce: sd, format: ".2f"}}\n'
        f'low: {{{source}, reduce: ci_low, format: ".4f"}}\n'
        f'all: {{from: "{TABLE}#seed", reduce: count}}\n',
    )
    assert book.problems == ()
    found = {key: fact.printed for key, fact in book.facts.items()}
    assert found == {"m": "0.60", "sd": "0.10", "low": "0.3516", "all": "7"}
    assert (book.facts["m"].n, book.facts["m"].seeds) == (3, (1, 2, 3))


def test_an_expression_is_derived_from_other_facts(run: Run) -> None:
    text = PLAIN + MIXUP
    text += 'gain: {expr: "diff(mean(mixup), mean(plain))", format: "+.2f", unit: points}\n'
    text += 'more: {expr: "pct(mean(mixup), mean(plain))", format: ".1f"}\n'
    text += 'runs: {expr: "count(mixup, plain)"}\n'
    text += "best: {expr: max(mixup), format: .1%}\n"
    text += "again: {expr: n(gain)}\n"
    assert printed(run, text) == {"gain": "+0.25", "more": "41.7", "runs": "5", "best": "90.0%", "again": "2"}
    gain = facts_of(run, text).facts["gain"]
    assert (gain.kind, gain.n, gain.seeds, gain.unit, list(gain.inputs)) == ("derived", 2, (1, 2, 3), "points", [TABLE])


def test_dotted_keys_stand_in_expressions(run: Run) -> None:
    text = f'trial.runs: {{from: "{TABLE}#seed"}}\nruns_all: {{expr: count(trial.runs), format: d}}\n'
    assert printed(run, text) == {"runs_all": "7"}


def test_a_verdict_of_a_trial_brings_its_n_and_seeds(run: Run) -> None:
    write_trial(run)
    book = facts_of(
        run,
        'gain: {from: "trials/mixup/verdict.json#/confirm/mean", format: "+.3f", unit: nats}\n'
        'low: {from: "trials/mixup/verdict.json#/confirm/ci_low", format: "+.3f"}\n'
        'treated: {from: "trials/mixup/verdict.json#/confirm/pairs/*/treated", reduce: mean, format: ".2f"}\n'
        'word: {from: "trials/mixup/verdict.json#/outcome"}\n'
        'screened: {from: "trials/mixup/verdict.json#/screen/*/mean?where=arm=mixup", format: ".1f"}\n',
    )
    assert book.problems == ()
    gain = book.facts["gain"]
    assert (gain.printed, gain.n, gain.seeds) == ("−0.100", 3, (101, 102, 103))
    assert book.facts["treated"].seeds == (101, 102, 103)
    assert book.facts["word"].printed == "INCONCLUSIVE"
    assert [key for key, fact in book.facts.items() if fact.is_exploratory] == ["screened"]


def test_ledgers_are_rows_as_well(run: Run) -> None:
    write_trial(run)
    text = 'b: {from: "trials/mixup/ledger.jsonl#value?where=kind=run&slot=b1", format: ".1f"}\n'
    text += 'a: {from: "trials/mixup/ledger.jsonl#value?where=slot=a1", format: ".1f"}\n'
    book = facts_of(run, text)
    assert {key: (fact.printed, fact.is_exploratory) for key, fact in book.facts.items()} == {
        "b": ("0.6", False),
        "a": ("0.5", True),
    }


def test_what_is_read_from_a_screen_stays_exploratory_in_an_expression(run: Run) -> None:
    text = f'all: {{from: "{TABLE}#accuracy?where=arm=mixup&status=ok"}}\n'
    text += 'm: {expr: "diff(mean(all), mean(plain))", format: ".2f"}\n' + PLAIN
    assert facts_of(run, text).facts["m"].is_exploratory
    write_trial(run, exploratory=True)
    text = 'g: {from: "trials/mixup/verdict.json#/confirm/mean", format: ".2f"}\n'
    assert facts_of(run, text).facts["g"].is_exploratory


def test_an_index_says_how_many_files_there_are(run: Run) -> None:
    (run.root / "index").mkdir()
    (run.root / "index" / "results.json").write_text('{"entry_count": 12, "entries": [{"format": "csv"}]}')
    text = 'files: {from: "index/results.json#/entry_count"}\n'
    assert printed(run, text) == {"files": "12"}
    assert facts_of(run, text).facts["files"].kind == "config"


@pytest.mark.parametrize(
    ("form", "value", "wanted"),
    [
        (".3f", -0.0004, "0.000"),
        ("+.3f", -0.0004, "0.000"),
        (".3f", -0.0006, "−0.001"),
        ("+.1f", 2.0, "+2.0"),
        ("d", 8.0, "8"),
        (",d", 1234567, "1,234,567"),
        (".1%", -0.0001, "0.0%"),
        (".1e", -1.2e-5, "−1.2e−05"),
        (".0e", -0.0, "0e+00"),
        ("", 7, "7"),
    ],
)
def test_formats_are_those_of_python_but_for_zero_and_minus(run: Run, form: str, value: float, wanted: str) -> None:
    offer(run, {"workspace/results/x.json": json.dumps({"x": value})})
    assert printed(run, f'x: {{from: "workspace/results/x.json#/x", format: "{form}"}}\n') == {"x": wanted}


@pytest.mark.parametrize(
    ("content", "entry", "words"),
    [
        ('{"x": 0.5}', "", "needs a format"),
        ('{"x": 0.5}', ", format: d", "no whole number"),
        ('{"x": 0.5}', ', format: "0>9999999999f"', "is no format that can be used"),
        ('{"x": 0.5}', ', format: "{}"', "is no format that can be used"),
        ('{"x": true}', "", "true or false"),
        ('{"x": null}', "", "it is empty"),
        ('{"x": [1]}', "", "it is a list"),
        ('{"x": {"y": 1}}', "", "it is an object"),
        ('{"x": NaN}', "", "contains NaN"),
        ('{"x": 1e999}', ", format: .1f", "inf"),
        ('{"x": 99999999999999999999}', "", "too large"),
        ('{"x": "nan"}', "", "it is nan, which is no number"),
        ('{"x": "Infinity"}', "", "it is Infinity, which is no number"),
        ('{"x": ""}', "", "it is empty"),
        ('{"x": "\\u4e2d"}', "", "characters no font may have"),
        ('{"y": 1, "xx": 2}', "", "there is no 'x' at its top; did you mean 'xx'?"),
        ("[" * 100_000, "", "nested too deeply"),
        ("not json", "", "not valid JSON"),
    ],
)
def test_a_value_that_cannot_be_printed_is_named(run: Run, content: str, entry: str, words: str) -> None:
    offer(run, {"workspace/results/x.json": content})
    problem = problem_of(run, f'x: {{from: "workspace/results/x.json#/x"{entry}}}\n')
    assert problem.startswith("workspace/writing/facts.yaml:1:x: ")
    assert words in problem


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (
            f'{{from: "{TABLE}#acuracy?where=seed=2&arm=plain"}}',
            "there is no column 'acuracy'; did you mean 'accuracy'?",
        ),
        (f'{{from: "{TABLE}#accuracy?where=arm=plian"}}', "no row with arm=plian; did you mean 'plain'?"),
        (f'{{from: "{TABLE}#accuracy?where=armm=plain"}}', "the column 'armm'; did you mean 'arm'?"),
        (f'{{from: "{TABLE}#accuracy?arm=plain"}}', "is not understood"),
        (f'{{from: "{TABLE}#accuracy?where=arm"}}', "no condition of its own"),
        (f'{{from: "{TABLE}"}}', "names no value in a file"),
        ('{from: "workspace/results/none.csv#x"}', "does not exist"),
        ('{from: "/etc/passwd#x"}', "is no file of the run"),
        ('{from: "workspace/../run.yaml#x"}', "is no file of the run"),
        ('{from: "brief.md#x"}', "is no file of the run"),
        (f'{{from: "{TABLE}#accuracy?where=arm=mixup", reduce: mean}}', "1 of its 4 values are empty"),
        (f'{{from: "{TABLE}#arm", reduce: mean}}', "'plain' is no number"),
        (f'{{from: "{TABLE}#accuracy?where=arm=plain&seed=1", reduce: sd, format: .2f}}', "sd needs two values"),
        (
            f'{{from: "{TABLE}#accuracy?where=arm=plain&seed=1", reduce: ci_high, format: .2f}}',
            "ci_high needs two values",
        ),
        (f'{{from: "{TABLE}#accuracy?where=arm=plain&seed=1", reduce: sem, format: .2f}}', "sem needs two values"),
        (f'{{from: "{TABLE}#accuracy", reduce: median}}', "is not one of mean"),
        ('{from: "workspace/results/\\0.csv#x"}', "is no file of the run"),
        (f'{{from: "{TABLE}#accuracy?where=arm=plain&seed=1", format: .99f}}', "is no format that can be used"),
        ("{expr: 9**9**9}", "an operator"),
        ("{expr: \"__import__('os').system('id')\"}", "it calls what an expression cannot have"),
        ("{expr: mean(99.1)}", "it has a number"),
        ("{expr: nope(a)}", "there is no function 'nope'"),
        ("{expr: maen(a)}", "did you mean 'mean'?"),
        ("{expr: mean(a)}", "there is no fact 'a'"),
        ("{expr: mean()}", "mean takes a key"),
        ("{expr: diff(a)}", "diff takes two keys"),
        ("{expr: mean(*a)}", "an expression cannot have"),
        ("{expr: mean(x=a)}", "an expression cannot have"),
        ('{expr: "[a for a in b]"}', "an expression cannot have"),
        ('{expr: "lambda: 1"}', "an expression cannot have"),
        ('{{expr: "{}1{}"}}'.format("(" * 240, ")" * 240), "cannot be read"),
        ('{{expr: "{}x{}"}}'.format("mean(" * 60, ")" * 60), "nested too deeply"),
        ('{{expr: "mean({})"}}'.format(",".join(["a"] * 400)), "longer than 500"),
        ("{expr: mean(x)}", "need each other in a circle"),
        ("{value: 99.1}", "only a value from the literature is typed"),
        ("{value: 99.1, kind: literature}", "only a value from the literature is typed"),
        (
            '{value: 99.1, format: ".1f", kind: literature, cite: a, quote: "It is 98.1."}',
            "its quote does not have '99.1'",
        ),
        ("{expr: diff(a, b)}", "put what has a comma in quotes"),
        ("{}", "exactly one of from, expr and value"),
        (f'{{from: "{TABLE}#accuracy", expr: "mean(a)"}}', "exactly one of from, expr and value"),
        (f'{{frm: "{TABLE}#accuracy"}}', "did you mean 'from'?"),
        ("0.5", "should be a mapping"),
    ],
)
def test_an_entry_that_cannot_be_computed_is_named_with_its_line_and_its_cure(run: Run, entry: str, words: str) -> None:
    problem = problem_of(run, f"# a comment\nx: {entry}\n")
    assert problem.startswith("workspace/writing/facts.yaml:2:x")
    assert words in problem


def test_an_interval_over_one_run_is_refused_whoever_computed_it(run: Run) -> None:
    write_trial(run, pairs=1)
    offer(run, {"workspace/results/ablations.csv": "arm,n,estimate,low\nmixup,1,0.5,0.4\nplain,2,0.5,0.4\n"})
    assert "fewer than two values (n = 1)" in problem_of(
        run, 'x: {from: "trials/mixup/verdict.json#/confirm/ci_low"}\n'
    )
    table = "workspace/results/ablations.csv#low"
    assert "fewer than two values" in problem_of(run, f'x: {{from: "{table}?where=arm=mixup", format: .1f}}\n')
    fact = facts_of(run, f'x: {{from: "{table}?where=arm=plain", format: .1f}}\n').facts["x"]
    assert (fact.printed, fact.n) == ("0.4", 2)


def test_an_interval_over_one_seed_twice_is_refused(run: Run) -> None:
    text = PLAIN + MIXUP + 'both: {expr: "EXPR", format: .1f}\n'
    assert "seed 1 occurs twice" in problem_of(run, text.replace("EXPR", "sd(plain, mixup)"))
    assert printed(run, text.replace("EXPR", "mean(plain, mixup)")) == {"both": "0.7"}
    source = f'from: "{TABLE}#accuracy?where=role=confirmation&status=ok", format: .1f'
    assert "seed 1 occurs twice" in problem_of(run, f"x: {{{source}, reduce: ci_low}}\n")
    assert printed(run, f"x: {{{source}, reduce: mean}}\n") == {"x": "0.7"}


def test_a_value_from_the_literature_carries_its_work_and_its_sentence(run: Run) -> None:
    entry = '{value: -93.2, format: ".1f", kind: literature, cite: he2016, quote: "We reach -93.2 nats."}'
    fact = facts_of(run, f"x: {entry}\n").facts["x"]
    assert (fact.printed, fact.kind, fact.cite) == ("−93.2", "literature", "he2016")


def test_kinds_follow_from_where_a_file_lies(run: Run) -> None:
    offer(run, {"workspace/data/design.json": '{"rate": 3, "size": 4}', "workspace/results/x.json": '{"x": 1}'})
    text = 'rate: {from: "workspace/data/design.json#/rate", kind: config}\n'
    text += 'size: {from: "workspace/data/design.json#/size"}\nx: {from: "workspace/results/x.json#/x"}\n'
    assert {key: fact.kind for key, fact in facts_of(run, text).facts.items()} == {
        "rate": "config",
        "size": "dataset",
        "x": "measured",
    }
    problem = problem_of(run, 'rate: {from: "workspace/data/design.json#/rate", kind: measured}\n')
    assert "hold what was measured" in problem


def test_a_file_that_no_stage_offers_is_no_source(run: Run) -> None:
    (run.root / "workspace/results/typed.csv").write_text("x\n99.1\n")
    assert "no stage offers workspace/results/typed.csv" in problem_of(
        run, 'x: {from: "workspace/results/typed.csv#x", reduce: mean, format: .1f}\n'
    )


def test_a_file_that_changed_after_its_offer_is_no_source(run: Run) -> None:
    (run.root / TABLE).write_text(RUNS.replace("0.60", "0.99"))
    assert "has changed since its stage was offered" in problem_of(run, ONE)


def test_a_changed_file_is_named_once_with_the_facts_that_rest_on_it(run: Run) -> None:
    (run.root / TABLE).write_text(RUNS.replace("0.60", "0.99"))
    book = facts_of(run, ONE + ONE.replace("one:", "two:") + "other_one: {value: 3, format: d, kind: config}\n")
    changed = [problem for problem in book.problems if "has changed" in problem]
    assert changed[0].endswith("; do that stage again, or restore the file; two rest on it too")
    assert len(changed) == 1
    # Another fact with a similar name would be a wrong number.
    assert book.unknown_text("one") == "the fact 'one' has no value; flagstone paper facts says why"


def test_what_the_paper_itself_offers_is_no_source(run: Run) -> None:
    run.pinned.mkdir()
    (run.pinned / "stages.yaml").write_bytes((ROOT / "config/stages.yaml").read_bytes())
    content = b"x\n99.1\n"
    (run.root / "workspace/results/typed.csv").write_bytes(content)
    row = {"path": "workspace/results/typed.csv", "digest": digest_bytes(content)}
    text = 'x: {from: "workspace/results/typed.csv#x", reduce: mean, format: .1f}\n'
    for stage, is_result in (("06_analysis", True), ("07_writing", False), ("08_dissemination", False)):
        offer_file = run.root / "stages" / f"{stage}.json"
        offer_file.write_text(json.dumps({"stage": stage[:2], "artifacts": [row]}))
        assert (facts_of(run, text).problems == ()) is is_result
        offer_file.unlink()


def test_a_rewritten_ledger_is_no_source(run: Run) -> None:
    write_trial(run)
    ledger = run.root / "trials/mixup/ledger.jsonl"
    ledger.write_text(ledger.read_text().replace('"value":0.5', '"value":0.7'))
    problem = problem_of(run, 'a: {from: "trials/mixup/ledger.jsonl#value?where=slot=b1", format: ".1f"}\n')
    assert "does not follow from the line before" in problem


def test_a_verdict_that_its_ledger_does_not_have_is_no_source(run: Run) -> None:
    write_trial(run)
    verdict = run.root / "trials/mixup/verdict.json"
    verdict.write_text(verdict.read_text().replace('"mean": -0.1', '"mean": -0.9'))
    problem = problem_of(run, 'a: {from: "trials/mixup/verdict.json#/confirm/mean", format: ".1f"}\n')
    assert "is not what the trial's ledger says" in problem


def test_a_trial_that_has_not_ended_is_no_source(run: Run) -> None:
    write_trial(run)
    (run.root / "trials/mixup/verdict.json").unlink()
    problem = problem_of(run, 'a: {from: "trials/mixup/ledger.jsonl#value?where=slot=b1", format: ".1f"}\n')
    assert "trial mixup has no verdict yet" in problem


def test_a_best_that_its_ledger_does_not_have_is_no_source(run: Run) -> None:
    folder = run.root / "experiments/lr"
    Ledger(folder / "ledger.jsonl").append({"run_id": "r0001", "value": 0.5, "best_run": "r0001"})
    (folder / "best.json").write_text('{"run_id": "r0001", "primary": {"value": 0.5}}')
    text = 'best: {from: "experiments/lr/best.json#/primary/value", format: ".1f"}\n'
    assert printed(run, text) == {"best": "0.5"}
    (folder / "best.json").write_text('{"run_id": "r0001", "primary": {"value": 0.6}}')
    assert "is not what the experiment's ledger says" in problem_of(run, text)


def test_a_mistyped_file_is_told_the_nearest(run: Run) -> None:
    write_trial(run)
    assert f"did you mean '{TABLE}'?" in problem_of(run, f'x: {{from: "{TABLE}x.csv#x"}}\n')
    problem = problem_of(run, 'x: {from: "trials/mxup/verdict.json#/outcome"}\n')
    assert "did you mean 'trials/mixup/verdict.json'?" in problem


def test_other_files_of_a_trial_are_no_source(run: Run) -> None:
    write_trial(run)
    (run.root / "trials/mixup/note.json").write_text('{"x": 1}')
    assert "no stage offers" in problem_of(run, 'a: {from: "trials/mixup/note.json#/x"}\n')


def test_a_link_out_of_the_run_is_no_source(run: Run, tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text('{"x": 1}')
    os.symlink(tmp_path / "secret.json", run.root / "workspace/results/x.json")
    assert "a link that leaves the run" in problem_of(run, 'x: {from: "workspace/results/x.json#/x"}\n')
    (run.root / "index").mkdir()
    os.symlink(tmp_path / "secret.json", run.root / "index" / "data.json")
    assert "is a link, and no index" in problem_of(run, 'x: {from: "index/data.json#/x"}\n')


def test_a_huge_file_is_refused_and_not_read(run: Run) -> None:
    with open(run.root / "workspace/results/x.csv", "wb") as stream:
        stream.truncate(20_000_000)
    assert "is larger than 16 MB; summarize it" in problem_of(run, 'x: {from: "workspace/results/x.csv#x"}\n')


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("x,x\n1,2\n", "two columns of one name"),
        ("", "no header line"),
        ("x\n", "there is no row"),
        ("x,y\n1\n", "line 2 has 1 cells, and the header 2"),
        ('x\n"1\n', "not a table"),
        ("x\n1\na\n", "'a' is no number"),
        ("x\n1\ninf\n", "it is inf, which is no number"),
    ],
)
def test_a_table_that_is_none_is_named(run: Run, content: str, words: str) -> None:
    offer(run, {"workspace/results/x.csv": content})
    assert words in problem_of(run, 'x: {from: "workspace/results/x.csv#x", reduce: mean, format: .1f}\n')


@pytest.mark.parametrize("key", ["a b", "a}", "a%b", "a\\\\b", "1st", "a-b", "a#", "_", "ä", "a..b", "x" * 80])
def test_a_key_that_tex_or_an_expression_could_not_read_is_refused(run: Run, key: str) -> None:
    assert "cannot be a key" in problem_of(run, f'"{key}": {{from: "{TABLE}#seed", reduce: count}}\n')


def test_a_key_that_occurs_twice_is_refused(run: Run) -> None:
    problem = problem_of(run, ONE + ONE)
    assert "line 2" in problem and "'one' occurs twice" in problem


def test_a_file_that_is_no_mapping_is_refused(run: Run) -> None:
    assert "has no keys" in problem_of(run, "- a\n")
    assert facts_of(run, "").facts == {}


def test_a_thousand_mistakes_are_named_in_a_hundred_lines(run: Run) -> None:
    began = time.process_time()
    for entry in ("{}", "{frm: a}", "{expr: mean(x)}"):
        problems = facts_of(run, "".join(f"k{at}: {entry}\n" for at in range(3_000))).problems
        assert len(problems) == 101 and problems[-1] == "and 2900 more; correct these first"
    assert time.process_time() - began < 60  # each line was searched for through the whole file


def test_a_table_of_a_million_cells_is_refused(run: Run) -> None:
    (run.root / "workspace/results/x.csv").write_bytes(b"x\n" + b"1\n" * 1_000_001)
    assert "more than 1000000 cells" in problem_of(run, 'x: {from: "workspace/results/x.csv#x"}\n')


def test_all_problems_are_named_at_once(run: Run) -> None:
    book = facts_of(run, "a: {}\nb: {expr: mean(a)}\n" + ONE + "c: {expr: nope(one)}\n")
    assert [problem.split(":")[1] for problem in book.problems] == ["1", "2", "4"]
    assert [check.status for check in book.checks] == ["failed"] * 3
    assert list(book.facts) == ["one"]


def test_an_unknown_key_is_told_the_nearest(run: Run) -> None:
    book = facts_of(run, ONE + PLAIN)
    assert "did you mean 'one'?" in book.unknown_text("oen")
    assert "stands for 3 values; reduce them to one" in book.unknown_text("plain")


def test_the_same_facts_give_the_same_bytes(run: Run, tmp_path: Path) -> None:
    texts = PLAIN + ONE + "m: {expr: mean(plain), format: .1f}\n"
    write_facts(facts_of(run, texts), tmp_path / "one")
    other = "".join(reversed(texts.splitlines(keepends=True)))
    write_facts(facts_of(run, other), tmp_path / "two")
    for name in ("facts.json", "facts.tex"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_ten_thousand_facts_take_seconds(run: Run) -> None:
    rows = "".join(f"a{at},{at}\n" for at in range(10_000))
    offer(run, {"workspace/results/x.csv": "arm,x\n" + rows})
    text = "".join(f'k{at}: {{from: "workspace/results/x.csv#x?where=arm=a{at}"}}\n' for at in range(5_000))
    text += "".join(f"d{at}: {{expr: n(k{at})}}\n" for at in range(5_000))
    began = time.process_time()
    assert len(facts_of(run, text).facts) == 10_000
    assert time.process_time() - began < 30  # it was 30 minutes without groups of rows


def test_a_percentage_is_made_once(run: Run) -> None:
    """The format % would print 41.7 per cent as 4166.7 %."""
    record = '{"test_error_percent": 4.5, "x": 4.5}'
    offer(run, {"workspace/results/runs.csv": RUNS, "workspace/results/a.json": record})
    for fact in (
        '{expr: "pct(mean(mixup), mean(plain))", format: .1%}',
        '{from: "workspace/results/a.json#/test_error_percent", format: .0%}',
        '{from: "workspace/results/a.json#/x", format: .0%, unit: percentage points}',
    ):
        assert "would print a hundred times as much" in problem_of(run, f"{PLAIN}{MIXUP}more: {fact}\n")
