"""What a paper may claim: what its facts and its verdicts say, and no more."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from flagstone.layout import Run
from flagstone.paper.claims import claim_checks
from flagstone.paper.facts import build_facts
from flagstone.paper.linting import LintRules, lint_rules, read_sources
from flagstone.records import Ledger, digest_bytes

ROOT = Path(__file__).resolve().parents[4]
ANALYSIS = "workspace/results/analysis.json"
DESIGN = "workspace/data/design.json"
FACTS = """
gain: {from: trials/clip/verdict.json#/confirm/mean, format: .3f, unit: nats}
low: {from: trials/clip/verdict.json#/confirm/ci_low, format: .3f}
high: {from: trials/clip/verdict.json#/confirm/ci_high, format: .3f}
screened: {from: trials/clip/verdict.json#/screen/0/mean, format: .3f}
plain: {from: workspace/results/analysis.json#/arms/plain/test_error/mean, format: .1f}
mixup: {from: workspace/results/analysis.json#/arms/mixup/test_error/mean, format: .1f}
worst: {from: workspace/results/analysis.json#/arms/worst/test_error/mean, format: .1f}
same: {from: workspace/results/analysis.json#/arms/same/test_error/mean, format: .1f}
saved: {from: workspace/results/analysis.json#/tricks/mixup/mean, format: .1f}
saved_low: {from: workspace/results/analysis.json#/tricks/mixup/interval_95/0, format: .1f}
saved_high: {from: workspace/results/analysis.json#/tricks/mixup/interval_95/1, format: .1f}
lost: {from: workspace/results/analysis.json#/tricks/worst/mean, format: .1f}
clean: {from: workspace/results/analysis.json#/tricks/clean/mean, format: .1f}
delta: {expr: 'diff(mixup, plain)', format: .1f}
loss_of_worst: {expr: 'diff(worst, plain)', format: .1f}
lucky: {from: 'workspace/results/runs.csv#error?where=arm=mixup&seed=3', format: .1f}
unlucky: {from: 'workspace/results/runs.csv#error?where=arm=plain&seed=3', format: .1f}
luckiest: {from: 'workspace/results/runs.csv#error?where=arm=mixup', reduce: min, format: .1f}
of_mixup: {from: 'workspace/results/runs.csv#error?where=arm=mixup', reduce: mean, format: .1f}
of_plain: {from: 'workspace/results/runs.csv#error?where=arm=plain', reduce: mean, format: .1f}
other: {from: workspace/results/other.json#/x, format: .1f}
seeds: {from: workspace/data/design.json#/pairs, format: d, kind: config}
"""


@pytest.fixture(scope="session")
def rules() -> LintRules:
    return lint_rules(ROOT / "config", ROOT / "schemas")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = Run(tmp_path / "demo")
    (run.workspace / "writing" / "sections").mkdir(parents=True)
    (run.workspace / "writing" / "facts.yaml").write_text(FACTS, encoding="utf-8")
    write_results(run)
    write_trial(run)
    return run


def write_results(run: Run, verdict: str = "SUPPORTED", *, direction: str = "decrease", **more: Any) -> None:
    """What stages 03 and 06 of a study leave."""
    arms = {"plain": 20.0, "mixup": 15.0, "worst": 30.0, "same": 20.0}
    tricks = {
        "mixup": {"n": 8, "mean": 5.0, "interval_95": [3.0, 7.0], "verdict": verdict, **more},
        "clean": {"n": 8, "mean": 2.0, "verdict": "INCONCLUSIVE"},
        "worst": {"n": 8, "mean": -10.0, "interval_95": [-12.0, -8.0], "verdict": "HARMFUL"},
    }
    analysis = {"arms": {arm: {"test_error": {"n": 8, "mean": mean}} for arm, mean in arms.items()}, "tricks": tricks}
    design = {"pairs": 8, "primary": {"metric": "test_error", "direction": direction}}
    rows = [f"{arm},{seed},{20 + seed + (arm == 'plain')}" for arm in ("plain", "mixup") for seed in range(8)]
    offer(
        run,
        {
            ANALYSIS: analysis,
            DESIGN: design,
            "workspace/results/other.json": {"x": 1.0},
            "workspace/results/runs.csv": "\n".join(["arm,seed,error", *rows]) + "\n",
        },
    )


def offer(run: Run, records: Mapping[str, Any]) -> None:
    rows = []
    for path, record in records.items():
        (run.root / path).parent.mkdir(parents=True, exist_ok=True)
        content = (record if isinstance(record, str) else json.dumps(record)).encode()
        (run.root / path).write_bytes(content)
        rows.append({"path": path, "digest": digest_bytes(content)})
    (run.root / "stages").mkdir(exist_ok=True)
    (run.root / "stages" / "06_analysis.json").write_text(json.dumps({"stage": "06", "artifacts": rows}))


def write_trial(run: Run, outcome: str = "SUPPORTED", *, mean: float = 0.31, exploratory: bool = False) -> None:
    """A trial with its ledger and its verdict, as Flagstone writes them."""
    folder = run.root / "trials" / "clip"
    confirm = {"n": 8, "mean": mean, "ci_low": mean - 0.1, "ci_high": mean + 0.1, "pairs": []}
    screen = {"arm": "clip", "mean": 0.4, "n": 3}
    (folder / "ledger.jsonl").unlink(missing_ok=True)
    idea = {"arm": "clip", "confirmation": confirm, "screen": screen}
    line = {"kind": "verdict", "outcome": outcome, "exploratory": "changed" if exploratory else "", "ideas": [idea]}
    Ledger(folder / "ledger.jsonl").append(line)
    verdict = {
        "outcome": outcome,
        "exploratory": exploratory,
        "metric": {"name": "loss", "direction": "min", "unit": "nats"},
        "arm": "clip",
        "confirm": confirm,
        "screen": [screen],
    }
    (folder / "verdict.json").write_text(json.dumps(verdict))


def faults(run: Run, rules: LintRules, text: str, claims: str = "") -> list[str]:
    writing = run.workspace / "writing"
    (writing / "claims.yaml").write_text(claims, encoding="utf-8")
    (writing / "sections" / "results.tex").write_text(text, encoding="utf-8")
    book = build_facts(run)
    assert book.problems == ()
    checks = claim_checks(read_sources(writing, rules), book, run, rules)
    assert {check.rule for check in checks} == {"paper-claims"}
    return [check.message for check in checks if check.status == "failed"]


def claim_faults(run: Run, rules: LintRules, text: str, entry: str) -> list[str]:
    return faults(run, rules, f"\\section{{Results}}\n\\claim{{a}}{{{text}}}\n", f"a: {{{entry}}}\n")


TRIAL = "kind: better, of: gain, against: 0, verdict: trials/clip"
STUDY = f"kind: better, of: saved, against: 0, verdict: {ANALYSIS}#/tricks/mixup/verdict"
ARMS = "kind: better, of: mixup, against: plain"

OF_MIXUP = f"verdict: {ANALYSIS}#/tricks/mixup/verdict"

HONEST = {
    "Clipping significantly improves the loss by \\val{gain} nats.": TRIAL,
    "Clipping outperforms plain training.": TRIAL,
    "Clipping reduces the loss by \\val{gain} nats, from \\val{low} to \\val{high}.": TRIAL,
    "Mixup improves on plain training by \\val{saved} over \\val{seeds} seeds.": STUDY,
    "Its error of \\val{mixup} is lower than \\val{plain}.": ARMS,
    "The error is higher, \\val{worst} against \\val{plain}.": "kind: worse, of: worst, against: plain",
    "It hurts: \\val{lost} points.": f"kind: worse, of: lost, against: 0, verdict: {ANALYSIS}#/tricks/worst/verdict",
    "Mixup has the lowest error.": "kind: largest, of: mixup, against: [plain, worst]",
    "Mixup is the best of them.": "kind: largest, of: mixup, against: [plain, worst]",
    "Its error is the highest, \\val{worst}.": "kind: largest, of: worst, against: [plain, mixup]",
    "It increases from \\val{mixup} over \\val{plain} to \\val{worst}.": "kind: trend, of: [mixup, plain, worst]",
    "The error is the same, \\val{plain}, with no difference.": "kind: equal, of: plain, against: same",
    "Mixup improves large networks \\citep{zhang}.": "kind: none",
    "We choose the lowest rate.": "kind: none",
    "In one run it is better.": "kind: better, of: lucky, against: unlucky, better: lower",
    "The mean is better.": "kind: better, of: of_mixup, against: of_plain, better: lower",
}


@pytest.mark.parametrize("text", HONEST)
def test_a_claim_that_its_facts_and_its_verdict_bear_passes(run: Run, rules: LintRules, text: str) -> None:
    assert claim_faults(run, rules, text, HONEST[text]) == []


@pytest.mark.parametrize(("direction", "better"), [("decrease", "lower"), ("increase", "higher")])
def test_a_claim_may_say_what_the_plan_says_about_better_values(
    run: Run, rules: LintRules, direction: str, better: str
) -> None:
    write_results(run, direction=direction)
    of = "mixup" if better == "lower" else "worst"
    entry = f"kind: better, of: {of}, against: plain, better: {better}"
    assert claim_faults(run, rules, "It is better than plain training.", entry) == []


def test_a_lower_value_is_not_better_if_the_plan_wants_higher_ones(run: Run, rules: LintRules) -> None:
    write_results(run, direction="increase")
    (fault,) = claim_faults(run, rules, "It is better than plain training.", ARMS)
    assert "so it is not better" in fault
    assert claim_faults(run, rules, "The best of all.", "kind: largest, of: worst, against: [plain, mixup]") == []


WRONG = [
    ("Mixup has a higher error, \\val{mixup} against \\val{plain}.", ARMS, "“higher” is the wrong way round"),
    ("Mixup is worse.", ARMS, "write kind: worse"),
    ("It is better.", "kind: better, of: worst, against: plain", "so it is not better"),
    ("It is better.", "kind: better, of: lost, against: 0", "so it is not better"),
    ("It is better.", "kind: better, of: plain, against: same", "so it is not better"),
    ("It is worse.", "kind: worse, of: plain, against: same", "so it is not worse"),
    ("So be it.", f"kind: equal, of: lost, against: 0, verdict: {ANALYSIS}#/tricks/worst/verdict", "write kind: worse"),
    ("It is worse.", "kind: worse, of: mixup, against: plain", "so it is not worse"),
    ("It reduces the loss.", "kind: worse, of: gain, against: 0", "so it is not worse"),
    ("It increases the loss.", TRIAL, "“increases” is the wrong way round"),
    ("It is better.", "kind: better, of: other, against: seeds", "nobody says which values of other are better"),
    ("It is better.", f"{ARMS}, better: higher", "contradicts the plan"),
    ("It is better.", "kind: better, of: mixup", "compares one fact with another one"),
    ("It has the highest error.", "kind: largest, of: mixup, against: [plain, worst]", "not above all others"),
    ("It is the best.", "kind: largest, of: plain, against: [mixup, worst]", "not below all others"),
    ("It is the worst.", "kind: largest, of: plain, against: [mixup, worst]", "not above all others"),
    ("It is the lowest.", "kind: largest, of: plain, against: [same, worst]", "not below all others"),
    ("It is the best.", ARMS, "write kind: largest"),
    ("It increases.", "kind: trend, of: [worst, plain, mixup]", "the wrong way round"),
    ("It increases.", "kind: trend, of: [plain, mixup, worst]", "go no one way"),
    ("It increases.", "kind: trend, of: mixup, against: plain", "a trend is of three facts"),
    ("There is no difference.", "kind: equal, of: plain, against: mixup", "not equal"),
    ("It is lower by \\val{delta}.", ARMS, "“by −5.0” turns its direction around"),
    ("It is lower by \\val{other}.", ARMS, "prints other, which rests on nothing that it compares"),
    ("It is better by \\val{plain}.", "kind: none", "prints plain, which this study measured"),
    ("Mixup improves the error.", "kind: none", "needs a \\cite in the claim"),
    ("Mixup is better.", "kind: none", "needs a \\cite in the claim"),
    ("It is better \\cite{x}.", "kind: none, verdict: trials/clip", "kind none has no of and no verdict"),
    ("It is better.", "kind: better, of: nope, against: 0", "there is no fact 'nope'"),
    ("It is better.", "kind: better, of: gain, against: 0, verdict: trials/nope", "name a trial that has ended"),
    ("It is better.", "kind: better, of: gain, against: 0, verdict: /etc/passwd", "names no value in a file"),
    ("It is better.", f"kind: better, of: saved, against: 0, verdict: {ANALYSIS}#/tricks/mixup", "leads to no word"),
    ("It improves.", "kind: better, of: saved, against: 0, verdict: trials/clip", "none of its facts rests on"),
    ("It improves.", f"kind: better, of: gain, against: 0, verdict: {ANALYSIS}#/tricks/mixup/verdict", "none of its"),
    (
        "It improves.",
        f"kind: better, of: saved, against: 0, verdict: {ANALYSIS}#/tricks/worst/verdict",
        "is HARMFUL",
    ),
    ("It improves by \\val{clean}.", STUDY.replace("saved", "clean"), "none of its facts rests on"),
    ("It improves by \\val{saved}.", "kind: better, of: saved, against: 0", "needs a verdict that is SUPPORTED"),
    ("It is significantly better.", ARMS, "needs a verdict that is SUPPORTED"),
    ("It is state of the art.", ARMS, "needs a verdict that is SUPPORTED"),
    ("There is no crash and it significantly improves.", ARMS, "needs a verdict that is SUPPORTED"),
    ("It is not only better, it outperforms all.", ARMS, "needs a verdict that is SUPPORTED"),
    ("It does not improve.", ARMS, "is denied, which needs a verdict as well"),
    ("Mixup does not improve the error.", "kind: none", "needs a \\cite in the claim"),
    ("There is no difference.", "kind: equal, of: plain, against: plain", "with itself"),
    ("It does not improve.", TRIAL, "it denies what its verdict says"),
    ("It has no effect.", "kind: equal, of: gain, against: 0, verdict: trials/clip", "NO PRACTICAL EFFECT"),
    ("The screen saw \\val{screened}.", "kind: better, of: gain, against: 0, verdict: trials/clip, x: 1", "x"),
    ("It is better.", "kind: better, of: worst, against: 0", "nothing says that worst is an improvement"),
    (
        "It is better.",
        "kind: better, of: loss_of_worst, against: 0",
        "nothing says that loss_of_worst is an improvement",
    ),
    ("It is better by \\val{saved_high}.", STUDY, "is the upper end of an interval"),
    (
        "It wins, \\val{plain}, \\val{worst}, \\val{saved}.",
        f"kind: better, of: plain, against: worst, {OF_MIXUP}",
        "none of its",
    ),
    (
        "It is better.",
        "kind: better, of: lucky, against: plain, better: lower",
        "lucky rests on 1 of the runs, and plain on 8",
    ),
    ("It is better.", "kind: better, of: lucky, against: unlucky, better: lower", "lucky rests on one seed"),
    (
        "It is better.",
        "kind: better, of: luckiest, against: plain, better: lower",
        "luckiest is the smallest or largest",
    ),
    ("In our runs mixup is better \\cite{x}.", "kind: none", "is about this study"),
    ("It is better by \\val{screened}.", "kind: better, of: screened, against: 0", "is exploratory"),
]


@pytest.mark.parametrize(("text", "entry", "why"), WRONG)
def test_a_claim_that_says_something_else_fails(run: Run, rules: LintRules, text: str, entry: str, why: str) -> None:
    found = claim_faults(run, rules, text, entry)
    assert any(why in fault for fault in found), found
    assert all(fault.startswith(("sections/results.tex:2: ", "workspace/writing/claims.yaml:")) for fault in found)


@pytest.mark.parametrize("outcome", ["INCONCLUSIVE", "NO PRACTICAL EFFECT", "HARMFUL", "PROCEED", "NOTHING FOUND", ""])
@pytest.mark.parametrize("word", ["significantly improves", "outperforms all by", "is state of the art by"])
def test_only_supported_is_supported(run: Run, rules: LintRules, outcome: str, word: str) -> None:
    write_trial(run, outcome)
    found = claim_faults(run, rules, f"It {word} \\val{{gain}} [\\val{{low}}, \\val{{high}}].", TRIAL)
    assert any("needs a verdict that is SUPPORTED; trials/clip is" in fault for fault in found)
    if outcome == "PROCEED":
        assert any("the word of a gate that tests nothing" in fault for fault in found)


def test_an_exploratory_result_is_not_supported_and_is_called_exploratory(run: Run, rules: LintRules) -> None:
    write_trial(run, exploratory=True)
    assert any("and exploratory" in fault for fault in claim_faults(run, rules, "It improves by \\val{gain}.", TRIAL))
    assert any("call it exploratory" in fault for fault in claim_faults(run, rules, "Better by \\val{gain}.", TRIAL))
    assert claim_faults(run, rules, "In an exploratory trial it is better by \\val{gain}.", TRIAL) == []
    write_results(run, exploratory=True)
    assert any("call it exploratory" in fault for fault in claim_faults(run, rules, "Better by \\val{saved}.", STUDY))
    assert any("and exploratory" in fault for fault in claim_faults(run, rules, "It improves.", STUDY))


def test_what_is_inconclusive_is_written_with_its_interval(run: Run, rules: LintRules) -> None:
    write_trial(run, "INCONCLUSIVE")
    write_results(run, "INCONCLUSIVE")
    for entry, value, low, high in ((TRIAL, "gain", "low", "high"), (STUDY, "saved", "saved_low", "saved_high")):
        for text in (f"Better by \\val{{{value}}}.", f"Better by \\val{{{value}}}, at least \\val{{{low}}}."):
            assert "INCONCLUSIVE" in claim_faults(run, rules, text, entry)[0]
        whole = f"Not shown to improve: \\val{{{value}}}, from \\val{{{low}}} to \\val{{{high}}}."
        assert claim_faults(run, rules, whole, entry) == []
    others = "Better by \\val{gain}, from \\val{saved_low} to \\val{saved_high}."
    assert "INCONCLUSIVE" in claim_faults(run, rules, others, TRIAL)[0]


def test_no_effect_needs_the_verdict_that_says_so(run: Run, rules: LintRules) -> None:
    entry = "kind: equal, of: gain, against: 0, verdict: trials/clip"
    write_trial(run, "NO PRACTICAL EFFECT", mean=0.001)
    assert claim_faults(run, rules, "It has no effect.", entry) == []
    assert "say so in the claim" in claim_faults(run, rules, "It is better.", TRIAL)[0]
    assert claim_faults(run, rules, "The mean is lower, with no practical effect.", TRIAL) == []
    write_trial(run, "INCONCLUSIVE", mean=0.001)
    text = "It has no effect, \\val{low} to \\val{high}."
    assert any("needs the verdict NO PRACTICAL EFFECT" in fault for fault in claim_faults(run, rules, text, entry))


def test_a_verdict_that_was_edited_bears_no_claim(run: Run, rules: LintRules) -> None:
    write_trial(run, "INCONCLUSIVE")
    book = build_facts(run)
    path = run.root / "trials" / "clip" / "verdict.json"
    path.write_text(path.read_text().replace("INCONCLUSIVE", "SUPPORTED"))
    writing = run.workspace / "writing"
    (writing / "claims.yaml").write_text(f"a: {{{TRIAL}}}\n")
    (writing / "sections" / "results.tex").write_text("\\claim{a}{It improves.}")
    found = claim_checks(read_sources(writing, rules), book, run, rules)
    assert found[0].status == "failed" and "not what the trial's ledger says" in found[0].message


def test_a_study_whose_analysis_changed_after_its_approval_bears_no_claim(run: Run, rules: LintRules) -> None:
    book = build_facts(run)
    (run.root / ANALYSIS).write_text((run.root / ANALYSIS).read_text() + "\n")
    writing = run.workspace / "writing"
    (writing / "claims.yaml").write_text(f"a: {{{STUDY}}}\n")
    (writing / "sections" / "results.tex").write_text("\\claim{a}{It improves.}")
    found = claim_checks(read_sources(writing, rules), book, run, rules)
    assert found[0].status == "failed" and "has changed since its stage was offered" in found[0].message


def test_an_analysis_that_contradicts_itself_bears_no_claim(run: Run, rules: LintRules) -> None:
    write_results(run, mean=-0.5)
    assert "says SUPPORTED, and the mean beside it is -0.5" in claim_faults(run, rules, "It improves.", STUDY)[0]


def test_ids_are_defined_used_and_used_once(run: Run, rules: LintRules) -> None:
    text = "\\claim{a}{It is better.}\n\\claim{b}{It is better.}\n\\claim{b}{It is better.}"
    found = faults(run, rules, text, f"b: {{{ARMS}}}\nc: {{{ARMS}}}\n")
    assert [fault.partition(";")[0] for fault in found] == [
        "sections/results.tex:1: claims.yaml has no a",
        "sections/results.tex:3: the claim b stands also at sections/results.tex:2",
        "workspace/writing/claims.yaml:2: no \\claim{c}{…} is in the paper",
    ]


@pytest.mark.parametrize("section", ["Conclusion", "Discussion and conclusions", "Summary"])
def test_screening_numbers_stand_neither_in_abstract_nor_in_conclusion(
    run: Run, rules: LintRules, section: str
) -> None:
    text = f"\\section{{Screening}}\nIt was \\val{{screened}}.\n\\section{{{section}}}\n\\val{{screened}}"
    (found,) = faults(run, rules, text)
    assert found.startswith("sections/results.tex:4: screened comes from a screen") and section in found
    (run.workspace / "writing" / "abstract.tex").write_text("It was \\val{screened}.")
    assert faults(run, rules, text)[0].startswith("abstract.tex:1: screened")
    (run.workspace / "writing" / "abstract.tex").write_text("\\section{Method}It was \\val{screened}.")
    assert faults(run, rules, text)[0].startswith("abstract.tex:1: screened")


@pytest.mark.parametrize(
    "claims", ["[a, b]", "a: {kind: grand}", "a: {kind", "a: {kind: better, against: 1}", "a: 1", "&a [*a]"]
)
def test_a_file_of_claims_that_is_wrong_is_named_with_its_line(run: Run, rules: LintRules, claims: str) -> None:
    assert any("claims.yaml" in fault for fault in faults(run, rules, "\\claim{a}{It is better.}", claims))
