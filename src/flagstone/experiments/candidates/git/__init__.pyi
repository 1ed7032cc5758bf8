from .lfs import large_files as large_files
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
