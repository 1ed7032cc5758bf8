"""One training of five minutes."""

import sys
import time

import torch
import torch.nn as nn
from prepare import TIME_BUDGET, evaluate_bpb, make_dataloader

DEPTH = 8
TOTAL_BATCH_SIZE = 2**19
MATRIX_LR = 0.04
WEIGHT_DECAY = 0.2


class GPT(nn.Module):
    def __init__(self, depth):
        super().__init__()
        self.depth = depth


torch.manual_seed(42)
model = GPT(DEPTH)
optimizer = torch.optim.AdamW(model.parameters(), lr=MATRIX_LR, weight_decay=WEIGHT_DECAY)
start, step = time.time(), 0
for batch in make_dataloader("train", TOTAL_BATCH_SIZE):
    loss = model(batch)
    loss.backward()
    optimizer.step()
    step += 1
    print(f"\rstep {step:05d} | loss: {loss.item():.6f}", end="", flush=True)
    if loss.item() > 100:
        print("FAIL")
        sys.exit(1)
    if time.time() - start > TIME_BUDGET:
        break
val_bpb = evaluate_bpb(model, TOTAL_BATCH_SIZE)
print("---")
print(f"val_bpb:          {val_bpb:.6f}")
print(f"training_seconds: {time.time() - start:.1f}")
print(f"peak_vram_mb:     {torch.cuda.max_memory_allocated() / 1024 / 1024:.1f}")
