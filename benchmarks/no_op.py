"""A `snakemake` that finds nothing to do on a finished run, against one on a bare workflow of as many rules."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from measured.project import AS_PROFILE, FLAGSTONE, SNAKEMAKE, bare_chain, finished_run, new_run, throw_away_project
from measured.rounds import command, promise, seconds, show, take_turns

ROUNDS = 9
LIMIT = 1.3
LARGE_GB = 2
LARGE = f"run with {LARGE_GB} GB"
FILES = 10_000
MANY = f"run with {FILES} files"


def main() -> None:
    with throw_away_project() as root:
        finished_run(root, "small")
        read_once = seconds(lambda: large_run(root))
        run_of_many_files(root)
        chain = root / "chain"
        bare_chain(chain, *AS_PROFILE, has_params=True)
        found = take_turns(
            {
                "bare workflow": lambda: seconds(lambda: bare_chain(chain, *AS_PROFILE, has_params=True)),
                "bare workflow, plain defaults": lambda: seconds(lambda: bare_chain(chain, has_params=True)),
                "finished run": lambda: seconds(lambda: no_op(root, "small")),
                LARGE: lambda: seconds(lambda: no_op(root, "large")),
                MANY: lambda: seconds(lambda: no_op(root, "many")),
            },
            ROUNDS,
        )
    show(found, "bare workflow")
    print(f"(building the run with {LARGE_GB} GB, which reads them: {read_once:.1f} s)")
    floor = median(found["bare workflow"])
    for name in ("finished run", LARGE):
        promise(f"no-op on a {name} / bare workflow", median(found[name]) / floor, LIMIT, "×")
    promise(f"no-op on a {MANY} / finished run", median(found[MANY]) / median(found["finished run"]), LIMIT, "×")


def no_op(root: Path, name: str) -> None:
    command(SNAKEMAKE, "--cores", "2", "--config", f"run={name}", cwd=root)


def large_run(root: Path) -> Path:
    """A finished run with one large artifact: a file without blocks, which takes no room but must be read like any."""
    run = new_run(root, "large")
    with open(run / "workspace" / "data" / "large.bin", "wb") as stream:
        stream.truncate(LARGE_GB * 10**9)
    command(FLAGSTONE, "run", run.name, "--yes", cwd=root)
    return run


def run_of_many_files(root: Path) -> Path:
    """A finished run whose approvals cover thousands of small files."""
    run = new_run(root, "many")
    for number in range(FILES):
        (run / "workspace" / "data" / f"{number:05d}.csv").write_text(f"a,b\n{number},2\n")
    command(FLAGSTONE, "run", run.name, "--yes", cwd=root)
    return run


if __name__ == "__main__":
    main()
