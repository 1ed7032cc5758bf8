from .command_line import (
    ARGUMENTS_FILE as ARGUMENTS_FILE,
    ARGUMENTS_WORD as ARGUMENTS_WORD,
    CommandArguments as CommandArguments,
    Parameter as Parameter,
    parameter_of as parameter_of,
    plain_value as plain_value,
    word_in as word_in,
)
from .constraint import Constraint as Constraint, constraint_of as constraint_of
from .design import files_on_disk as files_on_disk
from .direction import direction_of as direction_of, is_time as is_time
from .files import SOURCES as SOURCES, NamedFiles as NamedFiles
from .finding import (
    FOLDER as FOLDER,
    experiment_named as experiment_named,
    experiment_names as experiment_names,
    experiments_around as experiments_around,
    is_run_folder as is_run_folder,
    trial_named as trial_named,
    trials_around as trials_around,
)
from .folder import (
    RUN_ID as RUN_ID,
    Home as Home,
    RunFolder as RunFolder,
    command_of as command_of,
    numbered_path as numbered_path,
    run_id as run_id,
    unused_path as unused_path,
)
from .loading import excesses as excesses, granted_spec as granted_spec, load_spec as load_spec
from .plan import Plan as Plan, all_plans as all_plans, find_plan as find_plan, plans as plans
from .spec import (
    MEASURED as MEASURED,
    MOST_RUNS as MOST_RUNS,
    WORD_VALUES_FILE as WORD_VALUES_FILE,
    Spec as Spec,
    spec_of as spec_of,
    with_end as with_end,
)
from .spec_parts import (
    CheckpointSpec as CheckpointSpec,
    Escalation as Escalation,
    HarnessSpec as HarnessSpec,
    MetricSpec as MetricSpec,
    NoiseRule as NoiseRule,
    Passes as Passes,
    StepSpec as StepSpec,
    SubjectSpec as SubjectSpec,
)
from .trial import (
    CONTROL as CONTROL,
    TRIALS as TRIALS,
    Arm as Arm,
    Gate as Gate,
    Look as Look,
    TrialFolder as TrialFolder,
    TrialSpec as TrialSpec,
    trial_spec_of as trial_spec_of,
)
from .trial_plan import (
    TrialPlan as TrialPlan,
    trial_plan_at as trial_plan_at,
    trial_plans as trial_plans,
)
from .trial_rules import (
    MOST_ALPHA as MOST_ALPHA,
    missing_data as missing_data,
    place_of as place_of,
    trial_plan_problems as trial_plan_problems,
)
