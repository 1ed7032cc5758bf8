"""The eight stages of the study, by number."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flagstone.agents.demo.closing import dissemination
from flagstone.agents.demo.measuring import analysis, experimentation, implementation
from flagstone.agents.demo.planning import hypothesis, study_design, survey
from flagstone.agents.demo.study import Study
from flagstone.agents.demo.summary import DemoSummary
from flagstone.agents.demo.writing import writing

STAGES: Mapping[str, Callable[[Study], DemoSummary]] = {
    "01": survey,
    "02": hypothesis,
    "03": study_design,
    "04": implementation,
    "05": experimentation,
    "06": analysis,
    "07": writing,
    "08": dissemination,
}
