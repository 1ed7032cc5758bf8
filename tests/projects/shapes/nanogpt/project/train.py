"""Trains the model."""

import os

import torch
from model import GPT, GPTConfig

out_dir = "out"
eval_interval = 2000
eval_iters = 200
eval_only = False
always_save_checkpoint = True
init_from = "scratch"  # or "resume"
wandb_log = False
wandb_project = "char"
dataset = "openwebtext"
gradient_accumulation_steps = 5 * 8
batch_size = 12
n_layer = 12
n_embd = 768
dropout = 0.0
learning_rate = 6e-4
max_iters = 600000
weight_decay = 1e-1
device = "cuda"
compile = True
config_keys = [key for key, value in globals().items() if isinstance(value, (int, float, bool, str))]
exec(open("configurator.py").read())
config = {key: globals()[key] for key in config_keys}

torch.manual_seed(1337)
os.makedirs(out_dir, exist_ok=True)
model = GPT(GPTConfig(n_layer=n_layer, n_embd=n_embd, dropout=dropout))
optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=weight_decay)
if wandb_log:
    import wandb

    wandb.init(project=wandb_project, config=config)
if init_from == "resume":
    checkpoint = torch.load(os.path.join(out_dir, "ckpt.pt"), map_location=device)
    model.load_state_dict(checkpoint["model"])


def get_batch(split):
    return torch.load(os.path.join("data", dataset, f"{split}.pt"))


@torch.no_grad()
def estimate_loss():
    return {split: model(get_batch(split)).mean() for split in ("train", "val")}


iter_num, best_val_loss = 0, 1e9
while True:
    if iter_num % eval_interval == 0:
        losses = estimate_loss()
        print(f"step {iter_num}: train loss {losses['train']:.4f}, val loss {losses['val']:.4f}")
        if wandb_log:
            wandb.log({"iter": iter_num, "train/loss": losses["train"], "val/loss": losses["val"]})
        if losses["val"] < best_val_loss or always_save_checkpoint:
            best_val_loss = losses["val"]
            torch.save({"model": model.state_dict(), "config": config}, os.path.join(out_dir, "ckpt.pt"))
    loss = model(get_batch("train"))
    loss.backward()
    optimizer.step()
    iter_num += 1
    if iter_num > max_iters:
        break
