from .command import (
    Command as Command,
    Confinement as Confinement,
    Output as Output,
    ProcessLimits as ProcessLimits,
    ProcessResult as ProcessResult,
)
from .confinement.viewers import viewers_of as viewers_of
from .detached import start_detached as start_detached
from .gpu import (
    GpuState as GpuState,
    gpu_cuda_version as gpu_cuda_version,
    gpu_ids as gpu_ids,
    gpu_memory_fault as gpu_memory_fault,
    gpu_states as gpu_states,
)
from .interruption import Interruption as Interruption, restore_keyboard_interrupt as restore_keyboard_interrupt
from .output import CappedFile as CappedFile
from .proc import entry_of as entry_of
from .running import run as run
from .secrets import Redactor as Redactor, has_short_secret as has_short_secret
from .server import (
    BLOCKS as BLOCKS,
    serve_spawned as serve_spawned,
    start_warm_server as start_warm_server,
)
from .start import SandboxError as SandboxError, StartError as StartError
from .tool import run_quietly as run_quietly, starting as starting
from .tree import (
    Survivor as Survivor,
    end_orphans as end_orphans,
    is_started_by_us as is_started_by_us,
    still_alive as still_alive,
)
