"""What a project starts to train, as far as its files tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flagstone.setup.programs.options import ProgramOption


@dataclass(frozen=True)
class Program:
    """`argv` is the project's own command; `defaults` are the options of its parser, by name."""

    argv: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    entry: str = ""
    pattern: str = "custom"
    runner: str = ""
    parser: str = "none"
    arguments: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, ProgramOption] = field(default_factory=dict)
    imports: tuple[str, ...] = ()
    first_argument: int = 0  # where in argv the program's own arguments begin

    @property
    def is_python(self) -> bool:
        """Whether its code can be read. What another program takes and writes is not known."""
        return self.entry.endswith((".py", ".ipynb"))

    @property
    def python_files(self) -> list[str]:
        """The entry and what it imports, as far as that is Python."""
        return [path for path in (self.entry, *self.imports) if path.endswith(".py")]
