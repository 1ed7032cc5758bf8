from .model import run_status as run_status
from .overview import (
    SIGNS as SIGNS,
    RunOverview as RunOverview,
    StageStatus as StageStatus,
    cost_text as cost_text,
)
from .refresh import refresh_derived as refresh_derived
from .remembered import (
    RememberedStatus as RememberedStatus,
    is_current as is_current,
    read_rows as read_rows,
    rows_file as rows_file,
    write_rows as write_rows,
)
from .row import status_row as status_row
from .trials import check_trial as check_trial
from .versions import (
    differences as differences,
    last_approved as last_approved,
    previous_version as previous_version,
)
