"""Trains the base model."""

import argparse
import os

import torch
import wandb
from chatty.common import compute_init, get_base_dir, print0
from chatty.gpt import GPT
from chatty.loss_eval import evaluate_bpb

parser = argparse.ArgumentParser(description="Pretrain base model")
parser.add_argument("--run", type=str, default="dummy", help="wandb run name ('dummy' disables wandb)")
parser.add_argument("--depth", type=int, default=20)
parser.add_argument("--num-iterations", type=int, default=-1)
parser.add_argument("--device-batch-size", type=int, default=32)
parser.add_argument("--matrix-lr", type=float, default=0.02)
parser.add_argument("--weight-decay", type=float, default=0.2)
parser.add_argument("--eval-every", type=int, default=250)
parser.add_argument("--eval-tokens", type=int, default=20 * 524288)
parser.add_argument("--save-every", type=int, default=-1)
parser.add_argument("--resume-from-step", type=int, default=-1)
parser.add_argument("--fp8", action="store_true")
args = parser.parse_args()

compute_init()
use_dummy_wandb = args.run == "dummy"
wandb_run = None if use_dummy_wandb else wandb.init(project="chatty", name=args.run)
model = GPT(args.depth)
optimizer = torch.optim.AdamW(model.parameters(), lr=args.matrix_lr)
checkpoint_dir = os.path.join(get_base_dir(), "base_checkpoints", f"d{args.depth}")
min_val_bpb = float("inf")
for step in range(args.num_iterations):
    if step % args.eval_every == 0:
        val_bpb = evaluate_bpb(model, range(args.eval_tokens))
        print0(f"Step {step:05d} | Validation bpb: {val_bpb:.6f}")
        min_val_bpb = min(val_bpb, min_val_bpb)
        if wandb_run:
            wandb_run.log({"step": step, "val/bpb": val_bpb})
    loss = model(step)
    loss.backward()
    optimizer.step()
torch.save(model.state_dict(), os.path.join(checkpoint_dir, f"model_{step:06d}.pt"))
print0(f"Minimum validation bpb: {min_val_bpb:.4f}")
