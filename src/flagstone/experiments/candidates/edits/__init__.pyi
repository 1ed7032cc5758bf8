from .changes import (
    LONGEST_NOTE as LONGEST_NOTE,
    Change as Change,
    changes_in as changes_in,
    changes_text as changes_text,
    note_in as note_in,
    note_that_changed as note_that_changed,
    run_note as run_note,
)
from .seeds import is_no_op as is_no_op, is_seed_only as is_seed_only, seed_for as seed_for
