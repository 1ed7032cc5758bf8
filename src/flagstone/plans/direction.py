"""Whether less or more of a metric is better, as far as its name says."""

from __future__ import annotations

import re

from flagstone.errors import FlagstoneError

LESS: tuple[str, ...] = ("loss", "nll", "ppl", "perplexity", "bpb", "error", "wer", "cer", "fid", "lpips", "mse")
LESS += ("mae", "rmse", "memory", "time", "latency", "seconds", "vram")
MORE: tuple[str, ...] = ("acc", "accuracy", "auc", "f1", "recall", "precision", "bleu", "rouge", "em", "map", "iou")
MORE += ("dice", "psnr", "ssim", "reward", "score", "win_rate", "throughput", "passed", "coverage", "r2")


def direction_of(metric: str) -> str:
    """Returns the direction that the name implies; an error if it implies none."""
    words = re.split(r"[^a-z0-9]+", metric.lower())
    for names, direction in ((LESS, "min"), (MORE, "max")):
        if any(word == name or (len(name) > 3 and name in word) for word in words for name in names):
            return direction
    raise FlagstoneError(f"is a lower or a higher {metric} better?", hint="give --direction min or max")
