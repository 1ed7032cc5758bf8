from .compile import spec_values as spec_values
from .finalizing import (
    FinalizeOptions as FinalizeOptions,
    FinalizeResult as FinalizeResult,
    finalize as finalize,
)
from .folder import MarkerFolder as MarkerFolder
from .ideas import (
    FailedIdea as FailedIdea,
    Mention as Mention,
    WantedIdea as WantedIdea,
    add_idea as add_idea,
    drop_idea as drop_idea,
    failed_ideas as failed_ideas,
    mentions as mentions,
    read_ideas as read_ideas,
)
from .marker import (
    Check as Check,
    Loop as Loop,
    Marker as Marker,
    MarkerStatus as MarkerStatus,
    Metric as Metric,
    Profile as Profile,
)
from .naming import naming_marker as naming_marker, naming_repository as naming_repository
from .profile import agent_setup as agent_setup
from .proposals import (
    FirstNumber as FirstNumber,
    NewMarker as NewMarker,
    Proposal as Proposal,
    add_marker as add_marker,
    better_lines as better_lines,
    first_number as first_number,
    marker_names as marker_names,
    metric_of as metric_of,
    metric_row as metric_row,
    proposals_at as proposals_at,
    tool_in as tool_in,
    yaml_text as yaml_text,
)
from .reading import (
    find_repository as find_repository,
    marker_named as marker_named,
    person_defaults as person_defaults,
    read_markers as read_markers,
)
from .reporting import (
    Confidence as Confidence,
    Course as Course,
    Keep as Keep,
    MarkerState as MarkerState,
    confidence_lines as confidence_lines,
    confidence_of as confidence_of,
    course_of as course_of,
    result_rows as result_rows,
    run_line as run_line,
    run_lines as run_lines,
    sparkline as sparkline,
    state_of as state_of,
    table as table,
    write_summary as write_summary,
)
from .repositories import (
    add_repository as add_repository,
    detach_repository as detach_repository,
    known_repositories as known_repositories,
    repository_called as repository_called,
)
from .schedule import (
    ServedMarker as ServedMarker,
    Timer as Timer,
    installed_timers as installed_timers,
    next_time as next_time,
    serve as serve,
    serve_lock as serve_lock,
    serve_log as serve_log,
    served_markers as served_markers,
    stop_server as stop_server,
    timer_for as timer_for,
    timer_warnings as timer_warnings,
)
from .session import (
    SessionOptions as SessionOptions,
    SessionResult as SessionResult,
    Watch as Watch,
    run_session as run_session,
    set_status as set_status,
    status_of as status_of,
)
from .session_log import session_logs as session_logs
