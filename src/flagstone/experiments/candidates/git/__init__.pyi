from .branches import (
    identity_of as identity_of,
    make_branches as make_branches,
    put_commit_of_person as put_commit_of_person,
    refuse_taken_branches as refuse_taken_branches,
)
from .lfs import large_files as large_files
from .merging import changed_paths as changed_paths, merge_trees as merge_trees, merged_content as merged_content
from .objects import object_name as object_name
from .recent import Recent as Recent
from .repository import Checkout as Checkout, Modified as Modified, plain_environment as plain_environment
from .run_repository import make_run_repository as make_run_repository
from .store import Batch as Batch, Store as Store
from .submodules import fetch_submodules as fetch_submodules
from .trees import (
    EMPTY as EMPTY,
    FILE as FILE,
    LINK as LINK,
    PROGRAM as PROGRAM,
    SUBMODULE as SUBMODULE,
    Blob as Blob,
    Put as Put,
    Tree as Tree,
    edit_tree as edit_tree,
    tree_of as tree_of,
)
