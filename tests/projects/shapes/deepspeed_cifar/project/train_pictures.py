import argparse

import deepspeed
import torch


def add_argument():
    parser = argparse.ArgumentParser()
    parser.add_argument("-b", "--batch_size", default=32, type=int)
    parser.add_argument("-e", "--epochs", default=30, type=int)
    parser.add_argument("--local_rank", type=int, default=-1)
    parser.add_argument("--moe", default=False, action="store_true")
    parser = deepspeed.add_config_arguments(parser)
    return parser.parse_args()


def test(engine, loader):
    correct, total = 0, 0
    per_class = {"plane": 0.0, "car": 0.0}
    for name, accuracy in per_class.items():
        print(f"Accuracy of {name:>5s} : {accuracy: 2.0f} %")
    print(f"Accuracy of the network on the {total} test images: {100 * correct / total : .0f} %")


def main(args):
    engine, optimizer, loader, _ = deepspeed.initialize(args=args, model=torch.nn.Linear(3072, 10))
    for epoch in range(args.epochs):
        running_loss = 0.0
        for i, (pictures, labels) in enumerate(loader):
            loss = engine(pictures)
            engine.backward(loss)
            engine.step()
            print(f"[{epoch + 1 : d}, {i + 1 : 5d}] loss: {running_loss / 2000 : .3f}")
    engine.save_checkpoint("checkpoints", tag=f"epoch{epoch}")
    test(engine, loader)


if __name__ == "__main__":
    main(add_argument())
