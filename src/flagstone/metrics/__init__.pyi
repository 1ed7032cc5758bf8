from .command import Extract as Extract, extract_number as extract_number, locale_fault as locale_fault
from .pairs import NamedNumber as NamedNumber, pairs_in as pairs_in
from .registry import faults as faults, nearest_names as nearest_names, read_metrics as read_metrics
from .scanning import numbers_printed as numbers_printed
from .series import Place as Place, Reading as Reading, divergence_text as divergence_text
from .tensorboard import EventEnds as EventEnds, read_event_ends as read_event_ends
