from .ending import verdict_line as verdict_line
from .judging import StepJudge as StepJudge, baseline_facts as baseline_facts
from .look import take_step as take_step
from .measuring import measure_run as measure_run, repeat_run as repeat_run
from .opening import START as START, OpenedTrial as OpenedTrial, open_trial as open_trial
from .records import (
    RunRecord as RunRecord,
    TrialRun as TrialRun,
    line_measured as line_measured,
    run_record as run_record,
)
from .state import TrialState as TrialState
from .steps import TrialStep as TrialStep, next_step as next_step
from .trees import changed_lines as changed_lines
