"""The only place that starts processes: limits, whole-tree kill, log capture, redaction."""

from flagstone.processes.command import Command, Output, ProcessLimits, ProcessResult
from flagstone.processes.confinement import Confinement
from flagstone.processes.interruption import Interruption
from flagstone.processes.nvml import gpu_ids, gpu_memory_fault
from flagstone.processes.quiet import run_quietly
from flagstone.processes.running import run
from flagstone.processes.spawn import StartError
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
