import os
import sys

with open(sys.argv[0]) as f:
    code = f.read()  # goes into the log
import uuid
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import nn

world_size = int(os.environ["WORLD_SIZE"])


class Muon(torch.optim.Optimizer):
    pass


@dataclass
class Hyperparameters:
    train_files: str = "data/fineweb10B/fineweb_train_*.bin"
    num_iterations: int = 1770
    cooldown_frac: float = 0.4
    val_loss_every: int = 125
    save_checkpoint: bool = False


args = Hyperparameters()
run_id = uuid.uuid4()
logfile = f"logs/{run_id}.txt"
dist.init_process_group(backend="nccl")
master_process = int(os.environ["RANK"]) == 0


def print0(s, console=False):
    if master_process:
        with open(logfile, "a") as f:
            if console:
                print(s)
            print(s, file=f)


print0(code)
model = nn.Linear(8, 8)
for step in range(args.num_iterations + 1):
    val_loss, training_time_ms = 0.0, 0.0
    print0(f"step:{step}/{args.num_iterations} val_loss:{val_loss:.4f} train_time:{training_time_ms:.0f}ms", console=True)
    if args.save_checkpoint:
        torch.save(dict(step=step, code=code), f"logs/{run_id}/state_step{step:06d}.pt")
print0(f"peak memory allocated: {torch.cuda.max_memory_allocated() // 1024 // 1024} MiB", console=True)
