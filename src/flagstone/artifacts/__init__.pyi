from .before import TurnFacts as TurnFacts, snapshot as snapshot
from .checks import check_stage as check_stage
from .figures import figure_captions as figure_captions
from .index import build_index as build_index, index_rows as index_rows
from .rules.findings import RuleCheck as RuleCheck
from .rules.inspection import StageCheck as StageCheck
from .rules.manuscript import PAPERS as PAPERS
from .rules.named_files import wanted_text as wanted_text
