from .adding import NewMarker as NewMarker, add_marker as add_marker
from .detect import proposals_at as proposals_at
from .first_numbers import FirstNumber as FirstNumber, better_lines as better_lines, first_number as first_number
from .insertion import marker_names as marker_names, yaml_text as yaml_text
from .proposal import Proposal as Proposal, metric_row as metric_row
from .tools import metric_of as metric_of, tool_in as tool_in
