from .ending import verdict_line as verdict_line
from .judging import StepJudge as StepJudge
from .look import IdeaMaker as IdeaMaker, take_step as take_step
from .measuring import (
    RunRecord as RunRecord,
    finite_metrics as finite_metrics,
    measure_run as measure_run,
    status_of as status_of,
)
from .opening import OpenedTrial as OpenedTrial, open_trial as open_trial
from .state import TrialState as TrialState
from .steps import TrialStep as TrialStep, next_step as next_step
