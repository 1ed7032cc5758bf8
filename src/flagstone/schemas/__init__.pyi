from .documents import (
    MAX_YAML_BYTES as MAX_YAML_BYTES,
    parse_yaml as parse_yaml,
    read_yaml as read_yaml,
    yaml_nodes as yaml_nodes,
)
from .located import LocatedYaml as LocatedYaml, read_located as read_located
from .sentences import Misfit as Misfit
from .validation import (
    check as check,
    defaults as defaults,
    misfits as misfits,
    placed_misfits as placed_misfits,
    problems as problems,
    schema_of as schema_of,
)
