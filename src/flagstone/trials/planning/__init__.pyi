from .amounts import Amounts as Amounts
from .forecast import (
    Baseline as Baseline,
    Forecast as Forecast,
    baseline_of as baseline_of,
    plan_of as plan_of,
    refuse_if_hopeless as refuse_if_hopeless,
)
from .loading import load_trial as load_trial, refuse_if_wrong as refuse_if_wrong
from .words import forecast_text as forecast_text
