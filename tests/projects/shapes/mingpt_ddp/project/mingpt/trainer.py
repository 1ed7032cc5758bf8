import os

import torch


class Trainer:
    def __init__(self, config, model, optimizer, batches):
        self.config, self.model, self.optimizer, self.batches = config, model, optimizer, batches
        self.epochs_run, self.local_rank = 0, int(os.environ["LOCAL_RANK"])
        if os.path.exists(config.snapshot_path):
            self.epochs_run = torch.load(config.snapshot_path)["finished_epoch"]

    def _run_epoch(self, epoch, train=True):
        step_type = "Train" if train else "Eval"
        for it, batch in enumerate(self.batches):
            loss = self.model(batch)
            if train:
                loss.backward()
                self.optimizer.step()
            if it % 100 == 0:
                print(f"[RANK{self.local_rank}] Epoch {epoch} | Iter {it} | {step_type} Loss {loss.item():.5f}")

    def train(self):
        for epoch in range(self.epochs_run, self.config.max_epochs):
            self._run_epoch(epoch)
            self._run_epoch(epoch, train=False)
            torch.save({"finished_epoch": epoch}, self.config.snapshot_path)
