"""How often luck is kept by the whole engine: only what a run comes to is drawn."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from random import Random

import yaml

from flagstone.experiments.engine import Engine, engine_of, open_experiment
from flagstone.experiments.measuring import Harness, Measurement, Order
from flagstone.experiments.proposers import Proposed, View
from flagstone.plans import Home, run_id
from measured.noisy_loops import IN_TIME, RULE, Noise, World
from measured.rounds import CHECKOUT, promise

EDITS = 60
LOOPS = 200
AS_MEASURED = ("AR(0.8)", "random walk, 0.3 sd a run")
SPEC = {
    "goal": "a better number",
    "subject": {"mutable": ["train.py"]},
    "harness": {"argv": ["true"]},
    "metric": {"name": "value", "direction": "max"},
    "sandbox": "off",
    "stopping": {"max_runs": EDITS + 2},
}


class Proposals:
    """Each edit sets another value, so that no two files are the same."""

    def propose(self, view: View, draft: Path, record_dir: Path) -> Proposed:
        (draft / "train.py").write_text(f"X = {view.number}\n")
        return Proposed(note=f"X {view.number}")


@dataclass(frozen=True)
class DrawnHarness(Harness):
    """A harness that draws what a run comes to."""

    draw: Callable[[Order], Measurement] = field(kw_only=True)

    def measure(self, order: Order) -> Measurement:
        return self.draw(order)


@dataclass
class Draws:
    """What each run comes to. `gains` are what edits truly bring, by the run that tries them."""

    engine: Engine
    noise: Noise
    gains: Mapping[str, float]
    runs: int = 0
    trees: dict[str, float] = field(default_factory=dict)

    def __call__(self, order: Order) -> Measurement:
        self.runs += 1
        if order.tree not in self.trees:
            base = self.trees.get(self.engine.best_tree, 0.0)
            self.trees[order.tree] = base + self.gains.get(order.run.root.name, 0.0)
        value = self.trees[order.tree] + self.noise.of_run(order.seed, 1.0)
        return Measurement(order.part, order.seed, "ok", value=value)


def loop(folder: Path, world: World, random: Random) -> tuple[bool, bool, int]:
    """One experiment: whether it kept luck, whether it kept the gain at its end, and the runs that it made."""
    project = folder / "project"
    home = Home(project / ".flagstone" / "experiments" / "noise", project)
    home.root.mkdir(parents=True)
    (project / "train.py").write_text("X = 0\n")
    home.spec.write_text(yaml.safe_dump(SPEC))
    last = run_id(EDITS + 2)
    with engine_of(open_experiment(home, CHECKOUT / "schemas"), Proposals(), lambda _: None) as engine:
        drawn = Draws(engine, Noise(world, random), {last: 3.0})
        known = {each.name: getattr(engine.harness, each.name) for each in fields(Harness)}
        replace(engine, harness=DrawnHarness(**known, draw=drawn)).run()
        kept = [entry.run_id for entry in engine.history.recent if entry.improved]
    return bool({*kept} - {run_id(1), last}), last in kept, drawn.runs


def tally(world: World, loops: int) -> tuple[float, float, float]:
    """The shares of experiments that kept luck and the gain, and the further runs for each edit."""
    random = Random(1)
    found = []
    for _ in range(loops):
        with tempfile.TemporaryDirectory(prefix="flagstone-noise-") as folder:
            found.append(loop(Path(folder), world, random))
    wrong, power, runs = (mean_of(column) for column in zip(*found, strict=True))
    return wrong, power, (runs - RULE.baseline_repeats) / (EDITS + 1) - 1


def mean_of(values: Iterable[float]) -> float:
    listed: Sequence[float] = list(values)
    return sum(listed) / len(listed)


def main() -> None:
    print(f"{LOOPS} experiments in the whole engine: {EDITS} edits without a gain, then one of 3 sd; α {RULE.alpha:g}")
    print(f"{'noise':<32}{'wrong':>7}{'3 sd':>7}{'runs':>7}")
    for name, world in IN_TIME.items():
        wrong, power, runs = tally(world, LOOPS)
        print(f"{name:<32}{wrong:>7.3f}{power:>7.3f}{runs:>7.2f}", flush=True)
        if name not in AS_MEASURED:
            promise(f"experiments that keep luck, {name}", wrong, RULE.alpha * (1 if name == "independent" else 2))


if __name__ == "__main__":
    main()
