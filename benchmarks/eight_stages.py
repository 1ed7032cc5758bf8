"""Eight stages with an agent that answers at once, in one `flagstone run --yes`, against a bare chain of eight."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from statistics import median

from measured.project import AS_PROFILE, FLAGSTONE, bare_chain, emptied_folder, new_run, throw_away_project
from measured.rounds import command, promise, seconds, show, take_turns

ROUNDS = 4
LIMIT = 1.5


def main() -> None:
    with throw_away_project() as root:
        chain = root / "chain"
        found = take_turns(
            {
                "bare chain": lambda: seconds(lambda: bare_chain(emptied_folder(chain), *AS_PROFILE)),
                "bare chain, with params": lambda: seconds(
                    lambda: bare_chain(emptied_folder(chain), *AS_PROFILE, has_params=True)
                ),
                "bare chain, plain defaults": lambda: seconds(lambda: bare_chain(emptied_folder(chain))),
                "flagstone run --yes": eight_stages(root),
            },
            ROUNDS,
        )
    show(found, "bare chain")
    ours = median(found["flagstone run --yes"])
    promise("eight stages / bare chain with our options", ours / median(found["bare chain"]), LIMIT, "×")
    promise("eight stages / bare chain, plain", ours / median(found["bare chain, plain defaults"]), LIMIT, "×")


def eight_stages(root: Path) -> Callable[[], float]:
    """Times one call on a run that was just created."""
    numbers = count()

    def timed() -> float:
        run = new_run(root, f"run-{next(numbers)}")
        took = seconds(lambda: command(FLAGSTONE, "run", run.name, "--yes", "--cores", "2", cwd=root))
        assert len(list(run.glob("stages/*.md"))) == 8
        return took

    return timed


if __name__ == "__main__":
    main()
