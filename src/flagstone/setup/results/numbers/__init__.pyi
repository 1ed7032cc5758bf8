from .found_numbers import find_numbers as find_numbers
from .lightning import lightning_reading as lightning_reading
from .metric_candidate import BY_SPLIT as BY_SPLIT
from .number_group import TEST as TEST, TRAINING as TRAINING, NumberGroup as NumberGroup
from .traces import earlier_seconds as earlier_seconds
