"""Prints text from a trained model."""

import torch

out_dir = "out"
exec(open("configurator.py").read())
checkpoint = torch.load(f"{out_dir}/ckpt.pt")
print(checkpoint)
