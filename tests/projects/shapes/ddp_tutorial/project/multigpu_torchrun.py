import os

import torch
import torch.nn.functional as F
from datautils import MyTrainDataset
from torch.distributed import destroy_process_group, init_process_group
from torch.nn.parallel import DistributedDataParallel as DDP


class Trainer:
    def __init__(self, model, data, optimizer, save_every, snapshot_path):
        self.gpu_id = int(os.environ["LOCAL_RANK"])
        self.model, self.data, self.optimizer, self.save_every = model, data, optimizer, save_every
        self.epochs_run, self.snapshot_path = 0, snapshot_path
        if os.path.exists(snapshot_path):
            print("Loading snapshot")
            self.epochs_run = torch.load(snapshot_path)["EPOCHS_RUN"]
        self.model = DDP(self.model, device_ids=[self.gpu_id])

    def train(self, max_epochs):
        for epoch in range(self.epochs_run, max_epochs):
            for source, targets in self.data:
                loss = F.cross_entropy(self.model(source), targets)
                loss.backward()
                self.optimizer.step()
            print(f"[GPU{self.gpu_id}] Epoch {epoch} | Eval Loss {loss.item():.5f}")
            if self.gpu_id == 0 and epoch % self.save_every == 0:
                torch.save({"EPOCHS_RUN": epoch}, self.snapshot_path)


def main(save_every: int, total_epochs: int, batch_size: int, snapshot_path: str = "snapshot.pt"):
    init_process_group(backend="nccl")
    model = torch.nn.Linear(20, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    trainer = Trainer(model, MyTrainDataset(2048).data, optimizer, save_every, snapshot_path)
    trainer.train(total_epochs)
    destroy_process_group()


if __name__ == "__main__":
    import argparse

    parser = argparse.ArgumentParser(description="simple distributed training job")
    parser.add_argument("total_epochs", type=int, help="Total epochs to train the model")
    parser.add_argument("save_every", type=int, help="How often to save a snapshot")
    parser.add_argument("--batch_size", default=32, type=int, help="Input batch size on each device")
    args = parser.parse_args()
    main(args.save_every, args.total_epochs, args.batch_size)
