"""A real SLURM on this machine: one controller, one node that claims two GPUs, and Snakemake's plugin beside it."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

PACKAGES = ("slurmctld", "slurmd", "slurm-client", "munge")
PROGRAMS = ("slurmctld", "slurmd", "sbatch", "munged")
PLUGINS = (
    "snakemake-executor-plugin-slurm==2.8.0",
    "snakemake-executor-plugin-slurm-jobstep==0.6.1",
    "throttler==1.2.2",
)
CACHE = Path(__file__).resolve().parents[2] / ".cache" / "slurm-plugin-2.8.0"
PATIENCE_S = 30
CONF = """ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
ReturnToService=2
EnforcePartLimits=ALL
StateSaveLocation={folder}/state
SlurmctldPidFile={folder}/slurmctld.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdPidFile={folder}/slurmd.pid
SlurmdLogFile={folder}/slurmd.log
SlurmdSpoolDir={folder}/spool
SlurmdParameters=config_overrides
SchedulerParameters=sched_min_interval=0,batch_sched_delay=0,sched_interval=5
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
KillWait=5
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={node_port} CPUs=4 RealMemory=8000 Gres=gpu:2 State=UNKNOWN
PartitionName=all Nodes=n1 Default=YES MaxTime=1-00:00:00 DefaultTime=10:00 State=UP
"""
# Snakemake's plugin takes SLURM_CONF from the step it starts within a job
SRUN = """#!/bin/sh
SLURM_CONF={folder}/slurm.conf; export SLURM_CONF
exec {program} "$@"
"""


class CannotStartError(Exception):
    """Why there is no SLURM here."""


def install() -> None:
    """The Debian packages where they are missing, and the plugin in a folder of its own: users may not have it."""
    if os.getuid():
        raise CannotStartError("only root can start a cluster of its own")
    CACHE.parent.mkdir(exist_ok=True)
    with open(CACHE.with_suffix(".lock"), "w") as lock:  # several test processes may come at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        install_what_is_missing()


def install_what_is_missing() -> None:
    if not all(shutil.which(name) for name in PROGRAMS):
        quietly(["apt-get", "update", "-qq"])
        env = {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        quietly(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES], **env)
    if not CACHE.is_dir():
        part = CACHE.with_name(f"{CACHE.name}.{os.getpid()}")
        quietly([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(part), *PLUGINS])
        part.rename(CACHE)


def quietly(argv: list[str], **env: str) -> None:
    try:
        done = subprocess.run(argv, env={**os.environ, **env}, capture_output=True, text=True, timeout=300, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotStartError(f"{argv[0]}: {error}") from error
    if done.returncode:
        raise CannotStartError(f"{' '.join(argv[:2])} failed: {done.stderr.strip()[-500:]}")


@dataclass
class Cluster:
    """A running cluster, all of it below one folder."""

    folder: Path
    daemons: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def variables(self) -> dict[str, str]:
        """What a command has to find around it to use the cluster."""
        return {
            "SLURM_CONF": str(self.folder / "slurm.conf"),
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(CACHE),
        }

    def asked(self, *words: str) -> str:
        """What a command of SLURM prints."""
        env = {**os.environ, **self.variables}
        return subprocess.run(words, env=env, capture_output=True, text=True, timeout=300, check=False).stdout.strip()

    def configure(self) -> None:
        host = socket.gethostname().partition(".")[0]
        for name in ("munge", "state", "spool", "bin", "dev"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "munge").chmod(0o711)
        key = self.folder / "key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o600)
        for number in range(2):  # a GPU is a device to SLURM; another name for /dev/null will do
            (self.folder / "dev" / f"gpu{number}").symlink_to("/dev/null")
        port, node_port = free_ports()
        settings = {"host": host, "port": port, "node_port": node_port, "folder": self.folder}
        (self.folder / "slurm.conf").write_text(CONF.format(**settings))
        (self.folder / "gres.conf").write_text(f"AutoDetect=off\nName=gpu File={self.folder}/dev/gpu[0-1]\n")
        wrapper = self.folder / "bin" / "srun"
        wrapper.write_text(SRUN.format(folder=self.folder, program=shutil.which("srun")))
        wrapper.chmod(0o755)

    def start(self) -> None:
        at = str(self.folder)
        munged = ["munged", "--foreground", "--force", f"--key-file={at}/key", f"--socket={at}/munge/socket"]
        self.daemon(*munged, f"--pid-file={at}/munged.pid", f"--log-file={at}/munged.log", f"--seed-file={at}/seed")
        self.wait(lambda: (self.folder / "munge" / "socket").exists(), "munged")
        self.daemon("slurmctld", "-D")
        self.daemon("slurmd", "-D", "-N", "n1")
        self.wait(lambda: self.asked("sinfo", "-h", "-o", "%t") == "idle", "an idle node")

    def daemon(self, *words: str) -> None:
        with open(self.folder / "daemons.log", "ab") as log:
            env = {**os.environ, **self.variables}
            self.daemons.append(subprocess.Popen(words, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log))

    def wait(self, condition: object, what: str) -> None:
        until = time.monotonic() + PATIENCE_S
        assert callable(condition)
        while not condition():
            if time.monotonic() > until:
                said = (self.folder / "daemons.log").read_text(errors="replace")[-1000:]
                raise CannotStartError(f"waited {PATIENCE_S} s for {what}: {said}")
            time.sleep(0.1)

    def stop(self) -> None:
        jobs = self.asked("squeue", "-h", "-o", "%A").split()
        if jobs:
            self.asked("scancel", *jobs)
            time.sleep(1)  # steps outlive the daemon that started them
        for daemon in reversed(self.daemons):
            daemon.terminate()
        for daemon in self.daemons:
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()


def free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        return one.getsockname()[1], two.getsockname()[1]


@contextmanager
def running(folder: Path) -> Iterator[Cluster]:
    """A cluster for as long as it is needed."""
    install()
    cluster = Cluster(folder)
    cluster.configure()
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
