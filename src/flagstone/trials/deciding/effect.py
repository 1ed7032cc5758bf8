"""The least effect that is worth having, in units of the metric."""

from __future__ import annotations

from flagstone.errors import FlagstoneError


def effect_in_units(minimum_effect: float | str, baseline_sd: float | None) -> float:
    """The minimum effect in units of the metric; `"0.5 sd"` is half the sd of the baseline's values."""
    if not isinstance(minimum_effect, str):
        return float(minimum_effect)
    if not baseline_sd:
        raise FlagstoneError(
            f"`minimum_effect: {minimum_effect}` needs the sd of the baseline, and the baseline has none.",
            hint="Give the minimum effect in units of the metric, or make the seed reach the code.",
        )
    return float(minimum_effect.removesuffix("sd")) * baseline_sd
