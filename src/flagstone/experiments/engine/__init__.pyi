from .block import Job as Job, naming_plan as naming_plan, run_block as run_block
from .chain import NextExperiment as NextExperiment, begin_child as begin_child
from .designer import Designer as Designer, spent_limit as spent_limit
from .drive import Drive as Drive, bind as bind, driven_home as driven_home, release as release
from .engine import Engine as Engine, engine_of as engine_of
from .opening import (
    OpenedExperiment as OpenedExperiment,
    harness_of as harness_of,
    open_experiment as open_experiment,
    start_over as start_over,
)
from .proposing import baseline_candidate as baseline_candidate
from .rebase import merged_files as merged_files, write_edit as write_edit
from .session import SessionLimits as SessionLimits
from .step import is_unedited as is_unedited, run_step as run_step
from .worker import Step as Step, start_step as start_step, wait_for_step as wait_for_step
