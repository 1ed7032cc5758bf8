from .checks import (
    Check as Check,
    StageCheck as StageCheck,
    TurnFacts as TurnFacts,
    check_stage as check_stage,
    snapshot as snapshot,
)
from .index import build_index as build_index, index_rows as index_rows
