from .lint import lint_checks as lint_checks
from .printed_text import FACT as FACT
from .rules import (
    LintRules as LintRules,
    lint_rules as lint_rules,
    lint_rules_of_project as lint_rules_of_project,
    lint_rules_of_run as lint_rules_of_run,
)
from .source import (
    ClaimUse as ClaimUse,
    PaperSource as PaperSource,
)
from .source_files import read_sources as read_sources
