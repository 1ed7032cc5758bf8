from .check import (
    CheckRequest as CheckRequest,
    ExperimentCheck as ExperimentCheck,
    check_experiment as check_experiment,
)
from .record import (
    CheckState as CheckState,
    check_state as check_state,
    is_to_be_checked as is_to_be_checked,
    write_check as write_check,
)
