"""The model."""

import torch.nn as nn


class GPT(nn.Module):
    def __init__(self, depth):
        super().__init__()
        self.depth = depth
