from torch import nn


class DenseNet(nn.Module):
    def __init__(self, input_size: int = 784, lin1_size: int = 256):
        super().__init__()
        self.model = nn.Sequential(nn.Linear(input_size, lin1_size), nn.ReLU(), nn.Linear(lin1_size, 10))
