"""Stage 07: the paper, as its agent leaves it: sections, and where each number, table, figure and claim comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from flagstone.agents.demo.measuring import answer_text, verdicts_text
from flagstone.agents.demo.messages import utter
from flagstone.agents.demo.reading import venue_of
from flagstone.agents.demo.study import Study, fill_in, material
from flagstone.agents.demo.summary import DemoSummary

SECTIONS = (
    "introduction",
    "related_work",
    "method",
    "experiments",
    "results",
    "limitations",
    "conclusion",
    "statements",
)
CHECKLIST_OF = "neurips_"
TITLE = "Which cheap trick helps when some labels are wrong?"
SEARCH = "workspace/results/tuning/iterations.csv"
ANALYSIS, EXPLORATORY = "workspace/results/analysis.json", "workspace/results/exploratory.json"
Entries = dict[str, dict[str, Any]]


def writing(study: Study) -> DemoSummary:
    """07: the paper, from the results. Its numbers are read by whoever builds it."""
    design = study.design()
    found, more = study.record("results/analysis.json", "06"), study.record("results/exploratory.json", "06")
    key, _ = venue_of(study.call.prompt, study.root)
    is_answered = key.startswith(CHECKLIST_OF)
    wording = OutcomeText(found, more)
    has_search = (study.root / SEARCH).is_file()
    wording.marks["SEARCH"] = material("section_search.tex") if has_search else "The search was not run."
    write_yaml(study, "facts", {**yaml.safe_load(material("facts.yaml")), **wording.facts})
    tables = tables_of(design, wording)
    if has_search:
        tables["search"] = search_table()
    write_yaml(study, "tables", tables)
    write_yaml(study, "claims", wording.claims)
    study.write("writing/figures.yaml", material("figures.yaml"))
    after = {"after_references": ["checklist"]} if is_answered else {}
    write_yaml(study, "paper", {"title": TITLE, "keywords": ["label noise"], "sections": list(SECTIONS), **after})
    for name in (*SECTIONS, *(["checklist"] if is_answered else [])):
        study.write(f"writing/sections/{name}.tex", fill_in(material(f"section_{name}.tex"), wording.marks))
    study.write("writing/abstract.tex", fill_in(material("section_abstract.tex"), wording.marks))
    utter("tool", f"wrote workspace/writing/ for {key}: {len(wording.facts)} facts of the results")
    answered = "answered, item by item" if is_answered else "not answered, if it has one"
    values = {"VENUE": key, "ANSWER": answer_text(found), "VERDICTS": verdicts_text(found)}
    return study.summary({**values, "CHECKLIST_TEXT": f"Its checklist is {answered}."})


def write_yaml(study: Study, name: str, value: Mapping[str, Any]) -> None:
    study.write(f"writing/{name}.yaml", yaml.safe_dump(dict(value), sort_keys=False, width=120, allow_unicode=True))


class OutcomeText:
    """The sentences that depend on the outcome, with the facts and claims that they need."""

    def __init__(self, found: Mapping[str, Any], more: Mapping[str, Any]) -> None:
        self.found, self.more = found, more
        self.facts: Entries = {}
        self.claims: Entries = {}
        self.note_arms()
        self.marks = {
            "VERDICTS": " ".join(self.verdict_text(arm) for arm in found["tricks"]),
            "FAILED": self.failed_text(),
            "MARGIN": self.margin_text(),
            "MEMORISED": joined_text(
                [self.arm_text(arm, f"memorised_{name_of(arm)}", "\\%") for arm in found["tricks"]]
            ),
            "CLEAN": joined_text([self.arm_text(arm, f"clean_gain_{name_of(arm)}") for arm in found["tricks"]]),
            "LOWEST": joined_text([text for arm in more["lowest_on_the_way"] if (text := self.lowest_text(arm))]),
            "CLIPPED": self.clipped_text(),
            "COST": self.cost_text(),
            "PLAIN": self.value("plain_error", "an unknown share", "\\%"),
            "PLAIN_CLEAN": self.value("plain_clean", "an unknown share", "\\%"),
            "ABSTRACT_ENDING": self.ending("abstract"),
            "RESULTS_ENDING": self.ending("results"),
            "CONCLUSION_ENDING": self.ending("conclusion"),
        }

    def add(self, key: str, source: str, value: object, form: str = "") -> None:
        """A fact, unless there is no value to print."""
        if value is not None:
            self.facts[key] = {"from": source, **({"format": form} if form else {})}

    def note_arms(self) -> None:
        """The facts of each arm: what the tables and sentences print."""
        for arm, each in self.found["tricks"].items():
            place, name = f"{ANALYSIS}#/tricks/{arm}", name_of(arm)
            for key, path, form in (
                ("gain", "mean", "+.2f"),
                ("p", "p_corrected", ".3f"),
                ("flip", "sign_flip_p", ".3f"),
            ):
                self.add(f"{key}_{name}", f"{place}/{path}", each[path], form)
            for key, at in (("low", 0), ("high", 1)):
                self.add(f"{key}_{name}", f"{place}/interval_95/{at}", each["interval_95"][at], "+.2f")
            self.add(f"verdict_{name}", f"{place}/verdict", each["verdict"])
        for arm, each in self.more["arms"]["noisy"].items():
            self.note_arm(arm, each, self.more["arms"]["clean"][arm])
        for arm, each in self.more["ablation"].items():
            self.add(f"clean_gain_{name_of(arm)}", f"{EXPLORATORY}#/ablation/{arm}/mean", each["mean"], "+.1f")

    def note_arm(self, arm: str, noisy: Mapping[str, Any], clean: Mapping[str, Any]) -> None:
        name = name_of(arm)
        wanted = (
            ("error", "noisy", "test_error_percent", "mean", ".1f"),
            ("sd", "noisy", "test_error_percent", "sd", ".1f"),
            ("loss", "noisy", "test_loss", "mean", ".2f"),
            ("memorised", "noisy", "memorised_percent", "mean", ".0f"),
            ("clean_error", "clean", "test_error_percent", "mean", ".1f"),
        )
        for key, condition, metric, what, form in wanted:
            value = (noisy if condition == "noisy" else clean)[metric][what]
            self.add(f"{key}_{name}", f"{EXPLORATORY}#/arms/{condition}/{arm}/{metric}/{what}", value, form)
        if arm == "plain":
            for key, own in (("plain_error", "error_plain"), ("plain_clean", "clean_error_plain")):
                if own in self.facts:
                    self.facts[key] = self.facts[own]

    def value(self, key: str, unknown: str = "an unknown number", unit: str = "") -> str:
        return f"\\val{{{key}}}{unit}" if key in self.facts else unknown

    def arm_text(self, arm: str, key: str, unit: str = "") -> str:
        return f"{arm} {self.value(key, 'unknown', unit)}"

    def interval(self, name: str) -> str:
        return f"[\\val{{low_{name}}}, \\val{{high_{name}}}]"

    def verdict_text(self, arm: str) -> str:
        """What was found of a trick, as strong as its verdict and no stronger."""
        name, verdict = name_of(arm), self.found["tricks"][arm]["verdict"]
        numbers = f"(mean \\val{{gain_{name}}} points, interval {self.interval(name)})"
        claim = {"of": f"gain_{name}", "against": 0, "verdict": f"{ANALYSIS}#/tricks/{arm}/verdict"}
        kinds = {"SUPPORTED": "better", "HARMFUL": "worse", "NO PRACTICAL EFFECT": "equal"}
        words = {
            "SUPPORTED": f"{arm.capitalize()} saves \\val{{gain_{name}}} percentage points of test error",
            "HARMFUL": f"{arm.capitalize()} costs test error",
            "NO PRACTICAL EFFECT": f"{arm.capitalize()} makes no practical difference",
        }
        if verdict not in kinds:
            return f"For {arm} the question stays open: \\val{{verdict_{name}}} {numbers}."
        self.claims[f"outcome_{name}"] = {"kind": kinds[verdict], **claim}
        return f"\\claim{{outcome_{name}}}{{{words[verdict]}}} {numbers}."

    def ending(self, where: str) -> str:
        """The sentence of abstract, results and conclusion: one for each outcome of the rule."""
        best, least = self.found["best"], "\\val{minimum_effect} percentage point"
        undecided = [arm for arm, each in self.found["tricks"].items() if each["verdict"] == "INCONCLUSIVE"]
        if best:
            name, claim = name_of(best), f"{where}_best"
            place = f"{ANALYSIS}#/tricks/{best}/verdict"
            self.claims[claim] = {"kind": "better", "of": f"gain_{name}", "against": 0, "verdict": place}
            saved = f"\\claim{{{claim}}}{{it saves \\val{{gain_{name}}} percentage points}}"
            rule = f"By the rule fixed beforehand {best} is the trick to try first"
            return f"{rule}: {saved} (interval {self.interval(name)})."
        if undecided:
            names = joined_text(undecided)
            return f"By the rule fixed beforehand no trick is shown to help, and for {names} the question stays open."
        return f"By the rule fixed beforehand no trick helps: for each of them a gain of {least} is ruled out."

    def failed_text(self) -> str:
        """Whether runs failed. Which ones, the tables of all runs say."""
        failed = self.found["failed_runs"]
        return "Runs that failed count as planned; the tables name them." if failed else "No run failed."

    def margin_text(self) -> str:
        margin = self.more["margin"]
        self.add("margin_of", f"{EXPLORATORY}#/margin/of", margin["of"])
        self.add("margin_over", f"{EXPLORATORY}#/margin/over", margin["over"])
        if margin["mean"] is None:
            return "Their distance is unknown."
        self.add("margin", f"{EXPLORATORY}#/margin/mean", margin["mean"], "+.2f")
        for key, at in (("low_margin", 0), ("high_margin", 1)):
            self.add(key, f"{EXPLORATORY}#/margin/interval_95/{at}", margin["interval_95"][at], "+.2f")
        between = "\\val{margin_of} and \\val{margin_over}"
        return f"Between {between} lie \\val{{margin}} percentage points ({self.interval('margin')})."

    def lowest_text(self, arm: str) -> str:
        """The lowest mean error of an arm, with its epoch."""
        point, name = self.more["lowest_on_the_way"][arm], name_of(arm)
        if not point:
            return ""
        place = f"{EXPLORATORY}#/lowest_on_the_way/{arm}"
        self.add(f"lowest_{name}", f"{place}/test_error_percent", point["test_error_percent"], ".1f")
        self.add(f"lowest_epoch_{name}", f"{place}/epoch", point["epoch"], "d")
        return f"{arm} \\val{{lowest_{name}}}\\% (epoch \\val{{lowest_epoch_{name}}})"

    def clipped_text(self) -> str:
        self.add("clipped", f"{EXPLORATORY}#/clipped_percent", self.more["clipped_percent"], ".1f")
        return self.value("clipped", "an unknown share", "\\%")

    def cost_text(self) -> str:
        if not {"plain_error", "plain_clean"} <= self.facts.keys():
            return "an unknown number of"
        self.facts["cost"] = {"expr": "diff(plain_error, plain_clean)", "format": ".1f"}
        return "\\val{cost}"


def tables_of(design: Mapping[str, Any], wording: OutcomeText) -> Entries:
    """The tables of the paper, but for that of the search."""

    def cell(key: str) -> object:
        return {"val": key} if key in wording.facts else ""

    def rows(*keys: str) -> list[list[object]]:
        return [[arm, *(cell(f"{key}_{name_of(arm)}") for key in keys)] for arm in design["arms"]]

    def by_seed(condition: str) -> dict[str, Any]:
        arms = [{"head": arm, "column": f"{condition} {arm}", "format": ".1f"} for arm in design["arms"]]
        return {"rows": "workspace/results/by_seed.csv", "columns": [{"head": "seed", "column": "seed"}, *arms]}

    heads = ("arm", "error", "sd", "saved", "low", "high", "p, Holm", "p, sign flip", "verdict")
    more_heads = ("arm", "test loss", "wrong labels repeated, %", "error, labels right, %")
    pairs = [
        ("digit", "digit", "d"),
        ("taken for", "taken_for", "d"),
        ("some wrong", "noisy", ".1f"),
        ("all right", "clean", ".1f"),
    ]
    return {
        "comparison": {
            "columns": [{"head": head} for head in heads],
            "cells": rows("error", "sd", "gain", "low", "high", "p", "flip", "verdict"),
        },
        "secondary": {
            "columns": [{"head": head} for head in more_heads],
            "cells": rows("loss", "memorised", "clean_error"),
        },
        "runs_noisy": by_seed("noisy"),
        "runs_clean": by_seed("clean"),
        "confusions": {
            "rows": f"{EXPLORATORY}#/worst_confusions",
            "columns": [{"head": head, "column": column, "format": form} for head, column, form in pairs],
        },
    }


def search_table() -> dict[str, Any]:
    """The runs of the search for a strength of mixup, as the engine recorded them."""
    columns = (("run", "run", ""), ("setting", "note", ""), ("error, %", "value", ".1f"), ("verdict", "verdict", ""))
    return {"rows": SEARCH, "columns": [column_of(*each) for each in columns]}


def column_of(head: str, column: str, form: str) -> dict[str, str]:
    return {"head": head, "column": column, **({"format": form} if form else {})}


def name_of(arm: str) -> str:
    """An arm as part of a fact's key."""
    return arm.replace("-", "_")


def joined_text(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names) or "none"
