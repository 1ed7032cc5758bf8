"""Nested settings whose keys are attributes."""

from __future__ import annotations

from typing import Any


class DictConfig(dict[str, Any]):
    def __getattr__(self, key: str) -> Any:
        try:
            value = self[key]
        except KeyError:
            raise AttributeError(key) from None
        return DictConfig(value) if isinstance(value, dict) else value
