from .branch import FinalizeResult as FinalizeResult, FinalizeWish as FinalizeWish, finalize as finalize
from .message import LeftOut as LeftOut, NewCommit as NewCommit
