from .lint import lint_checks as lint_checks
from .place import SourceFault as SourceFault, SourcePlace as SourcePlace
from .printed_text import FACT as FACT, PrintedText as PrintedText
from .rules import LintRules as LintRules, lint_rules as lint_rules, run_lint_rules as run_lint_rules
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
