"""The read model: everything known about a run, derived from its files."""

from flagstone.status.manifest import write_manifest
from flagstone.status.model import RunStatus, StageStatus, run_status

__all__ = ["RunStatus", "StageStatus", "run_status", "write_manifest"]
