import argparse
import os

import evaluate
import torch
from accelerate import Accelerator
from datasets import load_dataset
from transformers import AutoModelForSequenceClassification


def training_function(args):
    accelerator = Accelerator()
    metric = evaluate.load("glue", "mrpc")
    pairs = load_dataset("glue", "mrpc")
    model = AutoModelForSequenceClassification.from_pretrained("bert-base-cased")
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.learning_rate)
    model, optimizer = accelerator.prepare(model, optimizer)
    if args.resume_from_checkpoint:
        accelerator.load_state(args.resume_from_checkpoint)
    for epoch in range(args.num_epochs):
        for batch in pairs["train"]:
            loss = model(**batch).loss
            accelerator.backward(loss)
            optimizer.step()
        eval_metric = metric.compute()
        accelerator.print(f"epoch {epoch}:", eval_metric)
        output_dir = f"epoch_{epoch}"
        if args.output_dir is not None:
            output_dir = os.path.join(args.output_dir, output_dir)
        accelerator.save_state(output_dir)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--learning_rate", type=float, default=2e-5)
    parser.add_argument("--num_epochs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--output_dir", type=str, default="out")
    parser.add_argument("--resume_from_checkpoint", type=str, default=None)
    training_function(parser.parse_args())


if __name__ == "__main__":
    main()
