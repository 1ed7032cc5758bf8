from .driver import ClaudeAgent as ClaudeAgent
from .endings import (
    Leftovers as Leftovers,
    brief as brief,
    by_wording as by_wording,
    stream_result as stream_result,
)
from .events import (
    Stream as Stream,
    blocks as blocks,
    final_line as final_line,
    object_on as object_on,
    telling_input as telling_input,
    text_of as text_of,
)
from .tools import taken_flags as taken_flags
