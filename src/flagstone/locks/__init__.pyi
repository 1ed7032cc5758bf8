from .files import FileLock as FileLock, hold as hold, holder_of as holder_of, sole_use as sole_use
from .machine import (
    LockFolder as LockFolder,
    Waiting as Waiting,
    lock_folder as lock_folder,
    machine_folder as machine_folder,
)
