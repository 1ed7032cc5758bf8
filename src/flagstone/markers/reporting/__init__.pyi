from .confidence import (
    Confidence as Confidence,
    Keep as Keep,
    confidence_lines as confidence_lines,
    confidence_of as confidence_of,
)
from .course import (
    Course as Course,
    course_of as course_of,
    run_line as run_line,
    run_lines as run_lines,
    sparkline as sparkline,
)
from .results import ResultRow as ResultRow, result_rows as result_rows, status_word as status_word, table as table
from .state import MarkerState as MarkerState, state_of as state_of
from .summary import write_summary as write_summary
