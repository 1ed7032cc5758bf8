"""An agent, and code of a candidate, that try to get at what is not theirs. Prints what each attempt came to."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

REPOSITORY, RUN = Path(sys.argv[1]), os.environ.get("AR_RUN_ID") or Path.cwd().parent.name
IN_AGENT, HERE = "AR_RUN_ID" not in os.environ, Path.cwd()
IS_HELD = sys.argv[2] == "held"
SECRET = "kept/secret.txt"
CANDIDATE = """import subprocess, sys
subprocess.run([sys.executable, {script!r}, {repository!r}, {held!r}], stdout=sys.stderr)
N = {value}
"""


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def git(*words: str, folder: Path = HERE) -> str:
    argv = ["git", "-c", "user.name=E", "-c", "user.email=e@example.org", *words]
    return subprocess.run(argv, cwd=folder, check=True, capture_output=True, text=True, timeout=300).stdout


def write(path: Path, text: str = "evil") -> None:
    with open(path, "a") as stream:
        stream.write(text)


def replace_by_link(path: Path, target: Path) -> None:
    path.unlink()
    os.symlink(target, path)


def write_later(path: Path) -> None:
    """In a process that goes on when its parent has ended."""
    subprocess.Popen(["sh", "-c", f"sleep 0.4; echo 'print(999)' > '{path}'"], start_new_session=True)


def on_the_repository() -> Iterator[tuple[str, Callable[[], object]]]:
    """By its own path."""
    own, remote = REPOSITORY / ".git", REPOSITORY.parent / "remote.git"
    for path in ("README.md", "src/work.py", "measure.py", "untracked.txt", "data/ignored.bin", "lib/module.py"):
        yield f"write {path}", lambda path=path: write(REPOSITORY / path)
    for path in ("config", "HEAD", "index", "hooks/pre-commit", "refs/heads/side", "packed-refs", "modules/lib/HEAD"):
        yield f"write .git/{path}", lambda path=path: write(own / path)
    yield "remove a ref", (own / "refs/heads/side").unlink
    yield "remove a hook", (own / "hooks/pre-commit").unlink
    yield "add a file", lambda: write(REPOSITORY / "src/planted.py")
    yield "touch", lambda: os.utime(REPOSITORY / "README.md")
    yield "chmod", lambda: (REPOSITORY / "README.md").chmod(0o600)
    yield "write the marker", lambda: write(REPOSITORY / ".flagstone/config.yaml")
    yield "write the remote", lambda: write(remote / "HEAD")
    yield "write a config at home", lambda: write(Path.home() / ".gitconfig")
    for words in (
        *(("add", "-A"), ("commit", "--allow-empty", "-nm", "evil"), ("config", "user.name", "evil")),
        *(("branch", "-D", "side"), ("stash", "drop"), ("tag", "evil"), ("checkout", "-fb", "rogue")),
        *(("push", "origin", "HEAD:refs/heads/evil"), ("remote", "remove", "origin"), ("gc", "--prune=now")),
        *(("submodule", "deinit", "-f", "lib"), ("update-index", "--refresh"), ("reset", "--hard")),
    ):
        yield f"git {words[0]} there", lambda words=words: git(*words, folder=REPOSITORY)


def from_where_it_stands() -> Iterator[tuple[str, Callable[[], object]]]:
    """What a program does that believes to be in an ordinary checkout."""
    for words in (
        *(("add", "-A"), ("commit", "--allow-empty", "-nm", "evil"), ("config", "user.name", "evil")),
        *(("branch", "-D", "side"), ("stash", "drop"), ("tag", "evil"), ("push", "origin", "HEAD:refs/heads/evil")),
        *(("reset", "--hard", "HEAD~1"), ("checkout", "-fb", "rogue"), ("gc", "--prune=now")),
    ):
        yield f"git {words[0]} here", lambda words=words: git(*words)
    yield "write .git here", lambda: write(HERE / ".git/config")
    yield "a hook here", lambda: write(HERE / ".git/hooks/post-checkout")


def on_what_is_held_out() -> Iterator[tuple[str, Callable[[], object]]]:
    """Prints a text that nothing else prints where the secret was read."""

    def tell(text: str) -> None:
        if "the secret is" in text:
            say("STO" + f"LEN: {text}")

    yield "read it", lambda: tell((REPOSITORY / SECRET).read_text())
    yield "read it here", lambda: tell((HERE / SECRET).read_text())
    yield "ask git there", lambda: tell(git("show", f"HEAD:{SECRET}", folder=REPOSITORY))
    yield "ask git here", lambda: tell(git("show", f"HEAD:{SECRET}"))
    for found in REPOSITORY.glob(".flagstone/markers/*/*/candidates.git"):
        yield "ask the store", lambda found=found: tell(git("--git-dir", str(found), "grep", "-h", "secret", "HEAD"))
    for found in REPOSITORY.glob(f".flagstone/markers/*/*/trees/*/{SECRET}"):
        yield "read a copy", lambda found=found: tell(found.read_text())


def on_the_evaluated_tree() -> Iterator[tuple[str, Callable[[], object]]]:
    yield "change the measure", lambda: write(HERE / "measure.py", "print(999)\n")
    yield "change the guard", lambda: write(HERE / "guard.py", "raise SystemExit(0)\n")
    yield "leave a plugin", lambda: write(HERE / "sitecustomize.py", "print(999)\n")
    yield "leave an ignored file", lambda: write(HERE / "answers.log")
    yield "change the measure later", lambda: write_later(HERE / "measure.py")


def try_each(attempts: Iterator[tuple[str, Callable[[], object]]]) -> None:
    for name, act in attempts:
        try:
            act()
        except (OSError, subprocess.SubprocessError) as error:
            say(f"refused: {name} ({type(error).__name__})")
        else:
            say(f"done: {name}")


def attack() -> None:
    if IS_HELD:
        try_each(on_the_repository())
        try_each(on_what_is_held_out())
    try_each(from_where_it_stands())
    if not IN_AGENT:
        try_each(on_the_evaluated_tree())


def propose() -> None:
    """One edit a run."""
    work, candidate = (
        HERE / "src/work.py",
        CANDIDATE.format(script=__file__, repository=str(REPOSITORY), held=sys.argv[2], value=20),
    )
    if RUN == "r0002":  # better, and hostile where it is measured
        work.write_text(candidate)
    elif RUN == "r0003":  # the measure is not its own
        work.write_text("N = 21\n")
        write(HERE / "src/frozen.py", "SCALE = 999\n")
    elif RUN == "r0004":  # another file in its place
        replace_by_link(work, REPOSITORY / "src/work.py")
    elif RUN == "r0005":  # changed when it has been looked at
        work.write_text("N = 5\n")
        write_later(work)
    else:
        work.write_text("N = 30\n")


if __name__ == "__main__":
    attack()
    if IN_AGENT:
        propose()
        say("one more")
