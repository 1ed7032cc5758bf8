"""What Hydra knows of the run that it has started."""

from __future__ import annotations

from omegaconf import DictConfig


class HydraConfig:
    known = DictConfig()

    @classmethod
    def get(cls) -> DictConfig:
        return cls.known
