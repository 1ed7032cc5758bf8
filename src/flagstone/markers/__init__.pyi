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
