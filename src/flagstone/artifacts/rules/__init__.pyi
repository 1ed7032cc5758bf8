from .citation_requests import citation_request_checks as citation_request_checks
from .contract import contract_problems as contract_problems
from .findings import (
    RuleCheck as RuleCheck,
    failed_check as failed_check,
    passed_check as passed_check,
    skipped_check as skipped_check,
)
from .inspection import Inspection as Inspection, StageCheck as StageCheck
from .manuscript import WRITES_PAPER as WRITES_PAPER, published_copies as published_copies
from .named_files import csv_rows as csv_rows, named_file_checks as named_file_checks, wanted_text as wanted_text
from .planned_runs import (
    MADE as MADE,
    NAMING as NAMING,
    PLANNED as PLANNED,
    planned_run_checks as planned_run_checks,
)
from .plans import plan_checks as plan_checks
from .produced import produced_files as produced_files
from .readiness import READINESS_FILES as READINESS_FILES
from .requirements import requirement as requirement
from .summary import parse_summary as parse_summary, read_summary as read_summary
from .workspace import workspace_checks as workspace_checks
