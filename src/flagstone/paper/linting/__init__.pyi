from .lint import lint_checks as lint_checks
from .place import SourceFault as SourceFault, SourcePlace as SourcePlace
from .printed_text import FACT as FACT, PrintedText as PrintedText
from .rules import (
    LintRules as LintRules,
    lint_rules as lint_rules,
    lint_rules_of_project as lint_rules_of_project,
    lint_rules_of_run as lint_rules_of_run,
)
from .source import (
    CitationUse as CitationUse,
    ClaimUse as ClaimUse,
    FactUse as FactUse,
    FigureUse as FigureUse,
    LiteralUse as LiteralUse,
    PaperSource as PaperSource,
    ReferenceUse as ReferenceUse,
    TableUse as TableUse,
)
from .source_files import read_sources as read_sources
