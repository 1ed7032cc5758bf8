"""The small program that calls a function of the project with the arguments of a candidate."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

ENTRY_FILE = "flagstone_entry.py"
TEXT = '''"""Calls a function of the project with the values it is given, and prints its result as name=value."""
import importlib
import json
import sys
from collections.abc import Mapping

function = getattr(importlib.import_module({module}), {function})
result = function(**json.loads(sys.argv[1]))
rows = result.items() if isinstance(result, Mapping) else [({metric}, result)]
for name, value in rows:
    if isinstance(value, int | float):
        print(f"{{name}}={{value!r}}", flush=True)
'''


def entry_text(entry: Mapping[str, Any], metric: str = "result") -> str:
    """The text of the program. Names stand in it as Python writes strings, so that they can be anything."""
    module = module_of(str(entry["file"]))
    return TEXT.format(module=repr(module), function=repr(str(entry.get("function") or "main")), metric=repr(metric))


def module_of(path: str) -> str:
    """The name under which a file is imported: below `src`, that of the package."""
    parts = PurePosixPath(path).with_suffix("").parts
    return ".".join(parts[1:] if parts[0] == "src" and len(parts) > 1 else parts).removesuffix(".__init__")
