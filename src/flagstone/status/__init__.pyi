from .model import (
    SIGNS as SIGNS,
    RunOverview as RunOverview,
    StageStatus as StageStatus,
    cost_text as cost_text,
    run_status as run_status,
)
from .refresh import refresh_derived as refresh_derived
from .remembered import (
    RememberedStatus as RememberedStatus,
    is_current as is_current,
    read_rows as read_rows,
    rows_file as rows_file,
    status_row as status_row,
    write_rows as write_rows,
)
from .trials import check_trial as check_trial
from .versions import (
    differences as differences,
    last_approved as last_approved,
    previous_version as previous_version,
)
