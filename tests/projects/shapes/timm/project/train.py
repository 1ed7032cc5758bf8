import argparse
import os
from collections import OrderedDict
from datetime import datetime

import torch
import yaml
from timm import utils
from timm.models import create_model

config_parser = argparse.ArgumentParser(add_help=False)
config_parser.add_argument("-c", "--config", default="", type=str)
parser = argparse.ArgumentParser(description="PyTorch ImageNet Training")
group = parser.add_argument_group("Model parameters")
group.add_argument("--data-dir", metavar="DIR")
group.add_argument("--model", default="resnet50", type=str)
group.add_argument("--resume", default="", type=str, metavar="PATH")
group = parser.add_argument_group("Optimizer parameters")
group.add_argument("--lr", type=float, default=0.05)
group.add_argument("--weight-decay", type=float, default=2e-5)
group = parser.add_argument_group("Miscellaneous parameters")
group.add_argument("--seed", type=int, default=42)
group.add_argument("--output", default="", type=str, metavar="PATH")
group.add_argument("--experiment", default="", type=str)
group.add_argument("--eval-metric", default="top1", type=str)


def main():
    args, rest = config_parser.parse_known_args()
    if args.config:
        with open(args.config) as f:
            parser.set_defaults(**yaml.safe_load(f))
    args = parser.parse_args(rest)
    model = create_model(args.model)
    exp_name = "-".join([datetime.now().strftime("%Y%m%d-%H%M%S"), args.model])
    output_dir = utils.get_outdir(args.output if args.output else "./output/train", exp_name)
    saver = utils.CheckpointSaver(model=model, args=args, checkpoint_dir=output_dir, recovery_dir=output_dir)
    for epoch in range(3):
        train_metrics = train_one_epoch(epoch, model)
        eval_metrics = validate(model)
        utils.update_summary(epoch, train_metrics, eval_metrics, os.path.join(output_dir, "summary.csv"))
        best_metric, best_epoch = saver.save_checkpoint(epoch, metric=eval_metrics[args.eval_metric])
    print("*** Best metric: {0} (epoch {1})".format(best_metric, best_epoch))


def train_one_epoch(epoch, model):
    losses_m = utils.AverageMeter()
    print(f"Train: {epoch} Loss: {losses_m.val:#.3g} ({losses_m.avg:#.3g})")
    return OrderedDict([("loss", losses_m.avg)])


def validate(model):
    top1_m = utils.AverageMeter()
    print(f"Test: Acc@1: {top1_m.val:>7.3f} ({top1_m.avg:>7.3f})")
    return OrderedDict([("loss", 0.0), ("top1", top1_m.avg)])


if __name__ == "__main__":
    main()
