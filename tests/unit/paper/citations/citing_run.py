"""A run whose citations are looked up at a server on this machine."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from registry_server import RegistryServer

from flagstone import schemas
from flagstone.layout import Run
from flagstone.paper.citations import CitationRow, References, references_of
from flagstone.settings import Settings, settings_of

CHECKOUT = Path(__file__).parents[4]
QUICK = {"timeout_s": 0.3, "patience_s": 1.2, "tries": 3}
MEASURED = {
    "title": "Measured measurement",
    "authors": ["Aspelmeyer, Markus"],
    "year": 2009,
    "doi": "10.1038/nphys1170",
}
ATTENTION = {"title": "Attention is all you need", "authors": ["Vaswani, Ashish"], "year": 2017}


@dataclass(frozen=True)
class CitingRun:
    """A run with requests, and settings that lead to the server."""

    run: Run
    server: RegistryServer

    def settings(self, **changes: Any) -> Settings:
        defaults = schemas.defaults(CHECKOUT / "schemas", "settings")
        chosen = {**defaults["citations"], **QUICK, "servers": self.server.servers, **changes}
        return settings_of({**defaults, "citations": chosen})

    def request(self, *rows: dict[str, Any]) -> None:
        path = self.run.workspace / "literature" / "sources.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"sources": list(rows)}))

    def references(self, *keys: str, refresh: bool = False, **changes: Any) -> References:
        return references_of(self.run, keys, self.settings(**changes), refresh=refresh)

    def row(self, refresh: bool = False, settings: dict[str, Any] | None = None, **asked: Any) -> CitationRow:
        """What becomes of one request."""
        self.request({"key": "work", **asked})
        return self.references("work", refresh=refresh, **(settings or {})).rows[0]
