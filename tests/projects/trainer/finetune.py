"""Trains a model with the Trainer, and evaluates it."""

import torch
from modelling import LinearModel
from transformers import HfArgumentParser, Trainer, TrainingArguments


def examples(first: int, count: int) -> list[tuple[list[float], list[float]]]:
    inputs = [(number * 0.37 % 1.0, number * 0.61 % 1.0) for number in range(first, first + count)]
    return [([a, b], [2 * a - b + 0.5]) for a, b in inputs]


def main() -> None:
    (arguments,) = HfArgumentParser(TrainingArguments).parse_args_into_dataclasses()
    torch.manual_seed(arguments.seed)
    training, held_out = examples(0, 40), examples(40, 20)
    trainer = Trainer(model=LinearModel(), args=arguments, train_dataset=training, eval_dataset=held_out)
    trainer.train()
    trainer.evaluate()


if __name__ == "__main__":
    main()
