from .compile import spec_values as spec_values
from .folder import MARKERS as MARKERS, MarkerFolder as MarkerFolder
from .marker import (
    Budgets as Budgets,
    Check as Check,
    Finalize as Finalize,
    Loop as Loop,
    Marker as Marker,
    MarkerStatus as MarkerStatus,
    Metric as Metric,
    Profile as Profile,
    Timing as Timing,
)
from .reading import (
    MarkerFile as MarkerFile,
    find_repository as find_repository,
    marker_named as marker_named,
    person_defaults as person_defaults,
    read_markers as read_markers,
)
from .schedule.times import next_time as next_time, timing_problem as timing_problem
