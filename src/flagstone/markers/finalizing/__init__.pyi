from .branch import FinalizeOptions as FinalizeOptions, FinalizeResult as FinalizeResult, finalize as finalize
from .message import LeftOut as LeftOut, NewCommit as NewCommit
