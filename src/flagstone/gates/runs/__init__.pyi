from .copies import is_copied_flag as is_copied_flag, note_arrival as note_arrival
from .disk import disk_fault as disk_fault, refuse_unwritable as refuse_unwritable
from .publication import (
    Publication as Publication,
    Turn as Turn,
    failure_of as failure_of,
    is_begun as is_begun,
    last_publication as last_publication,
    publication_file as publication_file,
    turn_file as turn_file,
)
from .run_config import (
    RunConfig as RunConfig,
    is_noted as is_noted,
    name_dropped_keys as name_dropped_keys,
    note as note,
    open_run as open_run,
)
from .which_run import chosen_run as chosen_run
