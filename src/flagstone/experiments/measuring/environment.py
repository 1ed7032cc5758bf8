"""What a run finds around it: its environment, and what it is held to by the kernel."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from flagstone.agents import paths_to_hide, strength
from flagstone.errors import FlagstoneError
from flagstone.experiments.measuring.caches import cache_variables
from flagstone.experiments.measuring.import_paths import in_tree, python_path
from flagstone.experiments.measuring.measurement import Order
from flagstone.experiments.measuring.programs import search_path
from flagstone.layout import sealed_folders
from flagstone.plans import ARGUMENTS_FILE, ARGUMENTS_WORD, WORD_VALUES_FILE, HarnessSpec, Spec
from flagstone.processes import Confinement, ProcessLimits, gpu_memory_fault
from flagstone.records import read_record

# keys and settings of agents: what an agent has written is run without them
AGENTS_OWN = ("ANTHROPIC_", "CLAUDE_", "OPENAI_", "GEMINI_", "GOOGLE_API_KEY", "FLAGSTONE_")


def inherited_variables() -> dict[str, str]:
    """Our own environment without what is meant for agents."""
    return {name: value for name, value in os.environ.items() if not name.startswith(AGENTS_OWN)}


@dataclass(frozen=True)
class Surroundings:
    """What the runs of an experiment find around them. `inherited` is read once: it does not change while we run.

    `program` is what the command started when the experiment began; None means that our own programs come first.
    """

    spec: Spec
    program: str | None = None
    inherited: Mapping[str, str] = field(default_factory=inherited_variables)

    def variables(self, order: Order, folder: Path, private: Path) -> dict[str, str]:
        """The seed and folders of a run, and its caches, so that no run reaches another through them."""
        seed = str(order.seed)
        confined, network = is_confined(self.spec), self.spec.harness.network
        own = {
            **cache_variables(private, self.inherited, is_confined=confined, network=network),
            "AR_RUN_ID": order.run.root.name,
            "AR_RUN_DIR": str(folder),
            "AR_SEED": seed,
            "SEED": seed,
            "TMPDIR": str(short_path(private)),
            "PYTHONHASHSEED": str(order.seed % 2**32),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            # the folder is below the user's repository: git must not find that one from here
            "GIT_CEILING_DIRECTORIES": str(folder.parent),
            "WANDB_MODE": self.inherited.get("WANDB_MODE", "offline"),
            "PATH": search_path(self.program, self.inherited),
        }
        asked = {name: fill(value, self.values(order, folder)) for name, value in self.spec.harness.env.items()}
        own["PYTHONPATH"] = python_path(self.root, folder, asked.pop("PYTHONPATH", ""), self.inherited)
        return {**self.inherited, **own, **asked}

    @property
    def root(self) -> Path:
        return self.spec.subject.root

    def values(self, order: Order, folder: Path) -> dict[str, str]:
        """The values of the names in braces, in the words of a command and in its variables."""
        tree = str(folder)
        return {"seed": str(order.seed), "run_dir": tree, "tree": tree, "entry": self.spec.subject.entry}

    def arguments(self, folder: Path) -> dict[str, str]:
        """The words of the command line that belong to the candidate, as it was laid out in the folder."""
        found = (read_record(folder / WORD_VALUES_FILE) or {}) if self.spec.subject.arguments else {}
        return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in found.items()}

    def words(self, argv: Iterable[str], folder: Path, values: Mapping[str, str]) -> tuple[str, ...]:
        """The words of a command. A source of the project that is named by its whole path is that of the tree."""
        return tuple(self.word_in(folder, fill(word, values)) for word in argv)

    def command_words(self, argv: Iterable[str], folder: Path, values: Mapping[str, str]) -> tuple[str, ...]:
        """The words of the run's own command. For {arguments} stands what the candidate in the folder sets."""
        arguments, found = self.spec.subject.command_arguments, list[str]()
        for word in argv:
            if arguments and word == ARGUMENTS_WORD:
                path = folder / ARGUMENTS_FILE
                own = arguments.own_values(path.read_bytes() if path.is_file() else b"")
                found += arguments.words(own, partial(fill, values=values))
            else:
                found.append(self.word_in(folder, fill(word, values)))
        return tuple(found)

    def word_in(self, folder: Path, word: str) -> str:
        path = in_tree(word, self.root, folder)
        is_source = path != word and not os.path.islink(path) and os.path.isfile(path)
        return path if is_source else word


def limits_of(asked: HarnessSpec) -> ProcessLimits:
    return ProcessLimits(
        wall_s=asked.seconds,
        silence_s=asked.silence_s,
        memory_mb=asked.memory_mb,
        gpu_memory_mb=asked.gpu_memory_mb,
        watch_gpu=asked.gpus > 0,
    )


def is_confined(spec: Spec) -> bool:
    """Whether runs are held to anything: not if that is switched off, or if this machine has no way to do it."""
    if spec.sandbox == "off":
        return False
    here = strength()
    if spec.sandbox == "require" and not (here.keeps_files and here.has_bubblewrap):
        raise FlagstoneError(
            f"this experiment requires the whole sandbox (sandbox: require), but {here.fault_text}",
            hint="flagstone doctor shows what this machine has; or set `sandbox: auto` in experiment.yaml, or run.yaml",
        )
    return here.landlock_abi > 0 or here.has_bubblewrap


def confinement(
    spec: Spec, writable: tuple[Path, ...], visible: tuple[Path, ...] = (), hidden: tuple[Path, ...] = ()
) -> Confinement | None:
    """Lets a run write to its own folders only; None if it is not confined.

    Confirmation seeds are hidden from it, and all runs on them. Of these it sees its own folders and
    `visible`. `hidden` is hidden from it too.
    """
    if not is_confined(spec):
        return None
    here = strength()
    named = (Path(os.path.expanduser(path)) for path in spec.harness.writable)
    further = tuple(path for path in named if path.is_dir())
    is_project = spec.subject.root.is_relative_to(SHARED)  # which no run may write to
    shared = (SHARED,) if SHARED.is_dir() and not here.has_bubblewrap and not is_project else ()
    return Confinement(
        (*writable, *further, *shared),
        hidden=(
            *hidden,
            # without a network nothing can log in, so nobody misses them
            *paths_to_hide(os.environ, (*writable, *further), also_credentials=spec.harness.network is False),
            *sealed_folders((*writable, spec.subject.root)),
        ),
        visible=visible,
        network=spec.harness.network,
        use_landlock=here.landlock_abi > 0,
        use_bubblewrap=here.has_bubblewrap,
    )


def fill(word: str, values: Mapping[str, str]) -> str:
    """Replaces each known `{name}`; other braces, and `${name}` of a shell, are the command's own."""
    if "{" not in word:
        return word
    return re.sub(r"(?<!\$)\{(\w+)\}", lambda found: values.get(found[1], found[0]), word)


SHARED = Path("/dev/shm")
NAME = "peak_vram_mb"


def refuse_if_unmeasured(spec: Spec) -> None:
    """A limit would not hold, and a constraint could never be met: better said before anything is run."""
    if not spec.harness.gpus:
        return
    asked = ["harness.gpu_memory_mb"] if spec.harness.gpu_memory_mb else []
    asked += [f"the constraint on {NAME}"] if any(each.name == NAME for each in spec.constraints) else []
    asked += [f"the metric {NAME}"] if spec.metric.name == NAME else []
    fault = gpu_memory_fault() if asked else ""
    if fault:
        raise FlagstoneError(
            f"experiment {spec.name} needs GPU memory measured ({', '.join(asked)}), which does not work here: {fault}",
            hint="install what flagstone doctor says is missing, or remove that from experiment.yaml",
        )


SHORT = 40  # so long may a folder for temporary files be: Python's own sockets add some fifty characters
PLACE = "/tmp/flagstone-links-{uid}"  # never below a TMPDIR of one's own, which may be as long


def short_path(folder: Path) -> Path:
    """The folder, or a link to it with a short name where its own is long and there is a place for such links."""
    if len(os.fspath(folder)) <= SHORT:
        return folder
    place = Path(PLACE.format(uid=os.getuid()))
    link = place / hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    with suppress(OSError):
        if os.readlink(link) == os.fspath(folder) and is_ours(place):
            return link
    try:
        place.mkdir(mode=0o700, exist_ok=True)
        if not is_ours(place):
            return folder
        fresh = link.with_name(f"{link.name}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        os.symlink(folder, fresh)
        os.replace(fresh, link)
    except OSError:
        return folder
    return link


def is_ours(place: Path) -> bool:
    """Whether nobody else can turn what is in it: /tmp is everybody's."""
    status = os.lstat(place)
    return status.st_uid == os.getuid() and status.st_mode & 0o170077 == 0o040000
