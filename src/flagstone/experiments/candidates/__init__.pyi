from .checkout import GitSubject as GitSubject
from .contract import Contract as Contract
from .edits import (
    LONGEST as LONGEST,
    Change as Change,
    changes_in as changes_in,
    note_in as note_in,
    note_that_changed as note_that_changed,
    run_note as run_note,
)
from .files import FilesSubject as FilesSubject
from .objects import Store as Store
from .overlay import LEFT_OUT as LEFT_OUT, emptied as emptied, unlocked as unlocked, walked as walked
from .repository import plain_environment as plain_environment
from .seeds import is_no_op as is_no_op, is_seed_only as is_seed_only, seed_for as seed_for
from .subject import Candidate as Candidate, Snapshot as Snapshot, Subject as Subject, kept_candidate as kept_candidate
from .working import Working as Working
