"""How often luck is kept and how often a gain is missed: our rule, strict comparison, and confidence by MAD."""

from __future__ import annotations

from flagstone.statistics.mad import MEDIUM, mad_confidence
from measured.noisy_loops import DRAWS, RULE, Begin, Experiment, Tally, World, tally
from measured.rounds import promise

NULLS = [0.0] * 200
LONG = [0.0] * 5000
LOOPS, LONG_LOOPS = 300, 100
WORLDS = {
    "normal": World(),
    "normal, candidates with twice the sd": World(candidate_sd=2.0),
    "normal, pairs correlated 0.5": World(common=0.5),
    "normal, pairs correlated 0.9": World(common=0.9),
    "t with 3 degrees of freedom": World(DRAWS["t3"]),
    "lognormal, outliers are bad": World(DRAWS["lognormal"], direction="min"),
    "lognormal, outliers are good": World(DRAWS["lognormal, good outliers"], direction="min"),
    "two values": World(DRAWS["two values"]),
}


class Strict(Experiment):
    """Every strictly better first run is the new best: what `noise: off` does."""

    def __post_init__(self) -> None:
        self.baseline = self.seen = self.value(0.0, 1.0, 0)
        self.kept: list[float] = []

    def keeps(self, gain: float) -> bool:
        first = self.value(self.best + gain, 1.0 if gain else self.world.candidate_sd, 0)
        if (first > self.seen) != (self.world.direction == "max") or first == self.seen:
            return False
        self.seen = first
        self.kept.append(first)
        self.best += gain
        return self.is_trusted()

    def is_trusted(self) -> bool:
        return True


class ByDeviation(Strict):
    """The same, where a result counts once its MAD confidence is at least MEDIUM."""

    def is_trusted(self) -> bool:
        multiple, _ = mad_confidence(self.baseline, self.seen, self.kept)
        return multiple is not None and multiple >= MEDIUM


RULES: dict[str, Begin] = {"flagstone": Experiment, "strict <": Strict, "strict <, MAD confidence": ByDeviation}


def main() -> None:
    print(f"{LOOPS} experiments of {len(NULLS)} edits without a gain, then one with; α {RULE.alpha:g}; sd: of one run")
    print(f"{'rule':<26}{'noise':<38}{'wrong':>7}{'3 sd':>7}{'2 sd':>7}{'1 sd':>7}{'pairs':>7}{'runs':>7}")
    found = {world: row("flagstone", world) for world in WORLDS}
    for rule in RULES:
        if rule != "flagstone":
            row(rule, "normal")
    long = tally(World(), LONG, LONG_LOOPS, seed=2)
    print(f"{LONG_LOOPS} experiments of {len(LONG)} edits without a gain: wrong {long.wrong:.3f}, runs {long.runs:.2f}")
    print(
        "(wrong: experiments that kept an edit without a gain. 3 sd: how often such a gain was kept, after the others)"
    )
    print("(pairs: how many it took. runs: repeats of candidates and of the best for each edit without a gain)")
    promise("experiments that keep luck, worst noise", max(each.wrong for each in found.values()), RULE.alpha)
    promise(f"experiments of {len(LONG)} edits that keep luck", long.wrong, RULE.alpha)
    promise("gains of 3 sd that are missed, worst noise", max(1 - each.power for each in found.values()), 0.1)
    promise("more runs for an edit without a gain, normal noise", found["normal"].runs, 1.5)


def row(rule: str, world: str) -> Tally:
    three, two, one = (tally(WORLDS[world], [*NULLS, gain], LOOPS, 1, RULES[rule]) for gain in (3.0, 2.0, 1.0))
    powers = "".join(f"{each.power:>7.2f}" for each in (three, two, one))
    print(f"{rule:<26}{world:<38}{three.wrong:>7.3f}{powers}{three.pairs:>7.1f}{three.runs:>7.2f}", flush=True)
    return three


if __name__ == "__main__":
    main()
