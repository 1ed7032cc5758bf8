"""How often luck is kept and how often a gain is missed: our rule, strict comparison, and confidence by MAD."""

from __future__ import annotations

from random import Random

from flagstone.statistics.mad import MEDIUM, mad_confidence
from measured.noisy_loops import DRAWS, IN_TIME, RULE, Begin, Experiment, Noise, Tally, World, tally
from measured.rounds import promise

NULLS = [0.0] * 200
FEW_NULLS = [0.0] * 60
LONG = [0.0] * 5000
LOOPS, LONG_LOOPS, LOOPS_IN_TIME = 300, 100, 500
BOUND = {name: RULE.alpha if name == "independent" else 2 * RULE.alpha for name in IN_TIME}
AS_MEASURED = ("AR(0.8)", "random walk, 0.3 sd a run")
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


class Strict:
    """Every strictly better first run is the new best: what `noise: off` does."""

    def __init__(self, world: World, random: Random) -> None:
        self.world, self.noise = world, Noise(world, random)
        self.best = 0.0
        self.runs = self.pairs = 0
        self.baseline = self.seen = self.value(0.0, 1.0)
        self.kept: list[float] = []

    def value(self, true: float, sd: float) -> float:
        self.runs += 1
        value = true + self.noise.of_run(0, sd)
        return value if self.world.direction == "max" else -value

    def keeps(self, gain: float) -> bool:
        first = self.value(self.best + gain, 1.0 if gain else self.world.candidate_sd)
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
    promise("more runs for an edit without a gain, normal noise", found["normal"].runs, 2)
    noise_in_time()


def noise_in_time() -> None:
    """Noise that is not the same at every moment, over fewer edits."""
    print(f"\n{LOOPS_IN_TIME} experiments of {len(FEW_NULLS)} edits without a gain, then one of 3 sd")
    print(f"{'noise':<32}{'wrong':>7}{'3 sd':>7}{'runs':>7}")
    for name, world in IN_TIME.items():
        found = tally(world, [*FEW_NULLS, 3.0], LOOPS_IN_TIME, seed=1)
        print(f"{name:<32}{found.wrong:>7.3f}{found.power:>7.3f}{found.runs:>7.2f}", flush=True)
        if name not in AS_MEASURED:
            promise(f"experiments that keep luck, {name}", found.wrong, BOUND[name])
            promise(f"gains of 3 sd that are missed, {name}", 1 - found.power, 0.1)


def row(rule: str, world: str) -> Tally:
    three, two, one = (tally(WORLDS[world], [*NULLS, gain], LOOPS, 1, RULES[rule]) for gain in (3.0, 2.0, 1.0))
    powers = "".join(f"{each.power:>7.2f}" for each in (three, two, one))
    print(f"{rule:<26}{world:<38}{three.wrong:>7.3f}{powers}{three.pairs:>7.1f}{three.runs:>7.2f}", flush=True)
    return three


if __name__ == "__main__":
    main()
