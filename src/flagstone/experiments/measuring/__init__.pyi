from .checkpoint import FIRST as FIRST, link_or_copy as link_or_copy
from .denials import denials_in as denials_in, denied_paths as denied_paths
from .early_stop import EarlyStop as EarlyStop, early_stop_for as early_stop_for
from .environment import (
    AGENTS_OWN as AGENTS_OWN,
    Surroundings as Surroundings,
    confinement as confinement,
    inherited_variables as inherited_variables,
    is_confined as is_confined,
    refuse_if_unmeasured as refuse_if_unmeasured,
)
from .harness import Harness as Harness
from .import_paths import python_path as python_path
from .leases import devices as devices
from .log_end import tail_text as tail_text
from .measurement import CheckName as CheckName, Measurement as Measurement, Order as Order
from .programs import program_path as program_path, search_path as search_path
from .reading import primary as primary
from .secrets import secret_paths as secret_paths
from .steps import failure_text as failure_text, refuse_if_unclean as refuse_if_unclean
