from .candidate import (
    Candidate as Candidate,
    Snapshot as Snapshot,
    drop_records as drop_records,
    kept_candidate as kept_candidate,
)
from .checkout import GitSource as GitSource
from .contract import Contract as Contract
from .edits import (
    LONGEST_NOTE as LONGEST_NOTE,
    Change as Change,
    changes_in as changes_in,
    changes_text as changes_text,
    is_no_op as is_no_op,
    is_seed_only as is_seed_only,
    note_in as note_in,
    note_that_changed as note_that_changed,
    run_note as run_note,
    seed_for as seed_for,
)
from .folders import (
    LEFT_OUT as LEFT_OUT,
    everything_in as everything_in,
    make_empty_folder as make_empty_folder,
    make_real_folder as make_real_folder,
    remove as remove,
    unlock as unlock,
    walk as walk,
)
from .git import (
    Batch as Batch,
    Checkout as Checkout,
    Store as Store,
    Tree as Tree,
    changed_paths as changed_paths,
    identity_of as identity_of,
    make_branches as make_branches,
    make_run_repository as make_run_repository,
    merge_trees as merge_trees,
    merged_content as merged_content,
    plain_environment as plain_environment,
    put_commit_of_person as put_commit_of_person,
    refuse_taken_branches as refuse_taken_branches,
)
from .last_seen import FileStatus as FileStatus
from .project import ENVIRONMENTS as ENVIRONMENTS
from .subject import Subject as Subject, subject_of as subject_of
from .survey import Survey as Survey
from .working import Working as Working
