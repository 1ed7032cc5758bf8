import lightning as L
import torch
from torchmetrics.functional import accuracy


class Classifier(L.LightningModule):
    def __init__(self, lr: float = 1e-3, weight_decay: float = 0.0, hidden: int = 256):
        super().__init__()
        self.save_hyperparameters()
        self.net = torch.nn.Linear(784, hidden)

    def shared_step(self, batch, stage):
        loss = torch.nn.functional.cross_entropy(self.net(batch[0]), batch[1])
        self.log(f"{stage}_loss", loss, prog_bar=True)
        self.log(f"{stage}_acc1", accuracy(self.net(batch[0]), batch[1], task="multiclass"), prog_bar=True)
        return loss

    def training_step(self, batch, batch_idx):
        return self.shared_step(batch, "train")

    def validation_step(self, batch, batch_idx):
        return self.shared_step(batch, "val")
