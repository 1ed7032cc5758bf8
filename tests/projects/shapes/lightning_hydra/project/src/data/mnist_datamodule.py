from lightning import LightningDataModule


class MNISTDataModule(LightningDataModule):
    def __init__(self, data_dir: str = "data/", batch_size: int = 64, num_workers: int = 0):
        super().__init__()
        self.save_hyperparameters(logger=False)
