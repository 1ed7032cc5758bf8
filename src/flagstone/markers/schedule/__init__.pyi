from .serving import (
    ServedMarker as ServedMarker,
    serve as serve,
    serve_lock as serve_lock,
    serve_log as serve_log,
    served_markers as served_markers,
    stop_server as stop_server,
)
from .timers import (
    Timer as Timer,
    installed_timers as installed_timers,
    timer_for as timer_for,
    timer_warnings as timer_warnings,
)
from .times import next_time as next_time, timing_problem as timing_problem
