import lightning as L


class Digits(L.LightningDataModule):
    def __init__(self, root: str = "data", batch_size: int = 32):
        super().__init__()
        self.root, self.batch_size = root, batch_size
