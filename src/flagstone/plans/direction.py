"""What the name of a metric says: whether less or more of it is better, and whether it is a time."""

from __future__ import annotations

import re

from flagstone.errors import FlagstoneError

LESS: tuple[str, ...] = ("loss", "nll", "ppl", "perplexity", "bpb", "error", "wer", "cer", "fid", "lpips", "mse")
LESS += ("mae", "rmse", "memory", "time", "latency", "seconds", "vram")
LESS += ("bpc", "bits", "ce", "xent", "nats", "regret", "eer", "hter", "crps", "brier")
MORE: tuple[str, ...] = ("acc", "accuracy", "auc", "f1", "recall", "precision", "bleu", "rouge", "em", "map", "iou")
MORE += ("dice", "psnr", "ssim", "reward", "score", "win_rate", "throughput", "passed", "coverage", "r2")
MORE += ("top1", "top5", "acc1", "acc5", "mrr", "ndcg", "hit", "kappa", "mcc", "return", "elo", "sps", "mfu")
RATE = re.compile(r"(?:^|_)per_(?:s|secs?|seconds?)$|/(?:s|secs?|seconds?)$")  # tokens_per_sec, tok/sec

TIMES = frozenset(("time", "latency", "second", "seconds", "sec", "secs", "s", "ms", "us", "ns", "duration", "elapsed"))
TIMES |= {"runtime", "timestamp", "wall", "throughput", "fps", "qps", "speed", "speedup", "sps", "mfu"}


def is_time(metric: str) -> bool:
    """Whether a metric is a time or a rate, by its name: such a number is another one on a busy machine."""
    return not TIMES.isdisjoint(words_of(metric))


def words_of(metric: str) -> list[str]:
    return re.split(r"[^a-z0-9]+", metric.lower())


def direction_of(metric: str) -> str:
    """Returns the direction that the name implies; an error if it implies none."""
    if RATE.search(metric.lower()):
        return "max"
    words = words_of(metric)
    for names, direction in ((LESS, "min"), (MORE, "max")):
        if any(word == name or (len(name) > 3 and name in word) for word in words for name in names):
            return direction
    raise FlagstoneError(f"is a lower or a higher {metric} better?", hint="give --direction min or max")
