from classifier.data import Digits
from classifier.model import Classifier
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.cli import LightningCLI


def main():
    LightningCLI(
        Classifier,
        Digits,
        seed_everything_default=42,
        trainer_defaults={"callbacks": ModelCheckpoint(monitor="val_acc1", mode="max"), "max_epochs": 20},
    )


if __name__ == "__main__":
    main()
