import argparse
import random
import shutil

import torch
import torchvision.models as models

parser = argparse.ArgumentParser(description="PyTorch ImageNet Training")
parser.add_argument("data", metavar="DIR", nargs="?", default="imagenet", help="path to dataset (default: imagenet)")
parser.add_argument("-a", "--arch", metavar="ARCH", default="resnet18")
parser.add_argument("-j", "--workers", default=4, type=int)
parser.add_argument("--epochs", default=90, type=int)
parser.add_argument("-b", "--batch-size", default=256, type=int)
parser.add_argument("--lr", "--learning-rate", default=0.1, type=float, dest="lr")
parser.add_argument("--momentum", default=0.9, type=float)
parser.add_argument("--wd", "--weight-decay", default=1e-4, type=float, dest="weight_decay")
parser.add_argument("--resume", default="", type=str, metavar="PATH")
parser.add_argument("-e", "--evaluate", dest="evaluate", action="store_true")
parser.add_argument("--pretrained", action="store_true")
parser.add_argument("--seed", default=None, type=int)
parser.add_argument("--dummy", action="store_true")

best_acc1 = 0


def main():
    args = parser.parse_args()
    if args.seed is not None:
        random.seed(args.seed)
        torch.manual_seed(args.seed)
    model = models.__dict__[args.arch](pretrained=args.pretrained)
    optimizer = torch.optim.SGD(model.parameters(), args.lr, momentum=args.momentum, weight_decay=args.weight_decay)
    for epoch in range(args.epochs):
        train(args.data, model, optimizer, epoch)
        acc1 = validate(args.data, model)
        save_checkpoint({"epoch": epoch + 1, "state_dict": model.state_dict()}, acc1 > best_acc1)


def train(data, model, optimizer, epoch):
    loss = model(data)
    loss.backward()
    optimizer.step()
    print(f"Epoch: [{epoch}] Loss {loss:.4e}")


def validate(data, model):
    top1, top5 = AverageMeter("Acc@1", ":6.2f"), AverageMeter("Acc@5", ":6.2f")
    top1.update(model(data))
    progress = ProgressMeter([top1, top5], prefix="Test: ")
    progress.display_summary()
    return top1.avg


def save_checkpoint(state, is_best, filename="checkpoint.pth.tar"):
    torch.save(state, filename)
    if is_best:
        shutil.copyfile(filename, "model_best.pth.tar")


class AverageMeter:
    def __init__(self, name, fmt=":f"):
        self.name, self.fmt, self.avg = name, fmt, 0.0

    def update(self, value):
        self.avg = value

    def summary(self):
        return f"{self.name} {self.avg:.3f}"


class ProgressMeter:
    def __init__(self, meters, prefix=""):
        self.meters, self.prefix = meters, prefix

    def display_summary(self):
        print(" ".join([" *", *(meter.summary() for meter in self.meters)]))


if __name__ == "__main__":
    main()
