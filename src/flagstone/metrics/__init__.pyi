from .registry import faults as faults, nearest as nearest, read_metrics as read_metrics
from .scanning import numbers_printed as numbers_printed
from .series import Place as Place, Reading as Reading, diverged as diverged
