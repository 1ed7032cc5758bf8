"""What digit strings a built paper may show, and where each of them comes from."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class ExpectedDigits:
    """Digit strings by their source, each as often as it is printed. `figures` are the PDFs that are included."""

    facts: Counter[str] = field(default_factory=Counter)
    literals: Counter[str] = field(default_factory=Counter)
    tables: Counter[str] = field(default_factory=Counter)
    structure: Counter[str] = field(default_factory=Counter)
    bibliography: Counter[str] = field(default_factory=Counter)
    figures: tuple[Path, ...] = ()


def expected_of(source: object, book: object, tables: object, figures: object, aux_folder: Path) -> ExpectedDigits:
    """What the parsed source, its facts, tables and figures, and LaTeX's own files say that the PDF shows."""
    return ExpectedDigits()
