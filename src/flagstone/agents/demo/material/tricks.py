"""The arms of the study: plain training, and one class for each trick, which changes one thing."""

from __future__ import annotations

from typing import Any

import numpy as np
from network import Floats


class Plain:
    """The control. Each trick overrides what it changes."""

    def __init__(self, constants: dict[str, Any], start: Floats, steps: int, rng: np.random.Generator) -> None:
        self.constants, self.steps, self.rng = constants, steps, rng

    def batch(self, features: Floats, targets: Floats) -> tuple[Floats, Floats]:
        """The batch that the network is trained on."""
        return features, targets

    def slope(self, gradient: Floats) -> Floats:
        """The gradient that the optimiser uses."""
        return gradient

    def after(self, step: int, weights: Floats) -> None:
        """Called after each step; may change the weights in place."""

    def weights_to_test(self, weights: Floats) -> Floats:
        """The weights that are tested."""
        return weights

    def effect_counts(self) -> dict[str, int]:
        """What shows that the trick did something."""
        return {}


class Mixup(Plain):
    """Trains on random mixtures of two images and of their labels (Zhang et al., 2018)."""

    def batch(self, features: Floats, targets: Floats) -> tuple[Floats, Floats]:
        share = self.rng.beta(self.constants["alpha"], self.constants["alpha"])
        other = self.rng.permutation(len(features))
        return share * features + (1 - share) * features[other], share * targets + (1 - share) * targets[other]


class Averaging(Plain):
    """Tests the mean of the weights at the ends of the last epochs (SWA: Izmailov et al., 2018)."""

    count = 0

    def after(self, step: int, weights: Floats) -> None:
        if step > self.constants["from_share"] * self.steps and step % self.constants["every_steps"] == 0:
            self.count += 1
            self.mean = weights.copy() if self.count == 1 else self.mean + (weights - self.mean) / self.count

    def weights_to_test(self, weights: Floats) -> Floats:
        return self.mean if self.count else weights


class Clipping(Plain):
    """Shortens a gradient whose norm is above a limit (Pascanu et al., 2013), and counts how often."""

    clipped = 0

    def slope(self, gradient: Floats) -> Floats:
        norm, limit = float(np.sqrt(gradient @ gradient)), float(self.constants["norm"])
        self.clipped += norm > limit
        return gradient * (limit / norm) if norm > limit else gradient

    def effect_counts(self) -> dict[str, int]:
        return {"clipped_steps": self.clipped, "steps": self.steps}


class LookAhead(Plain):
    """Takes some steps, then goes back part of the way (Zhang et al., 2019)."""

    def __init__(self, constants: dict[str, Any], start: Floats, steps: int, rng: np.random.Generator) -> None:
        super().__init__(constants, start, steps, rng)
        self.slow = start.copy()

    def after(self, step: int, weights: Floats) -> None:
        if step % self.constants["steps"] == 0:
            self.slow += self.constants["alpha"] * (weights - self.slow)
            weights[:] = self.slow


ARMS: dict[str, type[Plain]] = {
    "plain": Plain,
    "mixup": Mixup,
    "averaging": Averaging,
    "clipping": Clipping,
    "look-ahead": LookAhead,
}
