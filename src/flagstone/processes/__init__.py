"""The only place that starts processes: limits, whole-tree kill, log capture, redaction."""

from flagstone.processes.command import Command, Confinement, Output, ProcessLimits, ProcessResult
from flagstone.processes.gpu import gpu_ids, gpu_memory_fault
from flagstone.processes.interruption import Interruption
from flagstone.processes.running import run
from flagstone.processes.start import StartError
from flagstone.processes.tool import run_quietly
from flagstone.processes.tree import Survivor, end_orphans, still_alive

__all__ = [
    "Command",
    "Confinement",
    "Interruption",
    "Output",
    "ProcessLimits",
    "ProcessResult",
    "StartError",
    "Survivor",
    "end_orphans",
    "gpu_ids",
    "gpu_memory_fault",
    "run",
    "run_quietly",
    "still_alive",
]
