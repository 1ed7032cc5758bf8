"""What the child process of a script runs: `propose(view, draft)` of a file, and its note into another file."""

from __future__ import annotations

import json
import runpy
import sys


def main(script: str, draft: str, answer: str) -> None:
    view = json.load(sys.stdin)
    propose = runpy.run_path(script).get("propose")
    if not callable(propose):
        sys.exit(f"{script} has no function propose(view, draft)")
    note = propose(view, draft)
    if note is not None and not isinstance(note, str):
        sys.exit(f"propose(view, draft) answered {type(note).__name__}; it should be a text, or None at the end")
    with open(answer, "w", encoding="utf-8", errors="replace") as stream:
        json.dump({"note": note}, stream)


if __name__ == "__main__":
    main(*sys.argv[1:4])
