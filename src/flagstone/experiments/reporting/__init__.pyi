from .driving import (
    answer_text as answer_text,
    briefing_text as briefing_text,
    may_end as may_end,
    next_words as next_words,
)
from .frame import frame_of as frame_of
from .picture import draw as draw
from .report import report_of as report_of
from .status import (
    Position as Position,
    last_text as last_text,
    position_of as position_of,
    runs_words as runs_words,
    status_record as status_record,
    status_text as status_text,
)
