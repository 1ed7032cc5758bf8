"""The part of Transformers that the example uses: arguments of the command line, and a loop that trains and reports."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import wandb


@dataclass
class TrainingArguments:
    output_dir: str
    learning_rate: float = 5e-5
    num_train_epochs: int = 3
    seed: int = 42
    report_to: list[str] = field(default_factory=lambda: ["wandb"])


class HfArgumentParser:
    def __init__(self, form: type[Any]) -> None:
        self.form = form

    def parse_args_into_dataclasses(self) -> tuple[Any]:
        parser = argparse.ArgumentParser()
        for key in dataclasses.fields(self.form):
            if key.default is not dataclasses.MISSING:
                parser.add_argument(f"--{key.name}", type=type(key.default), default=key.default)
            elif key.default_factory is dataclasses.MISSING:
                parser.add_argument(f"--{key.name}", required=True)
        return (self.form(**vars(parser.parse_args())),)


class Trainer:
    def __init__(self, model: Any, args: TrainingArguments, train_dataset: Sequence[Any], eval_dataset: Sequence[Any]):
        self.model, self.args, self.loss = model, args, torch.nn.MSELoss()
        self.train_dataset, self.eval_dataset = train_dataset, eval_dataset
        self.output = Path(args.output_dir)
        wandb.init(project="huggingface", config=dataclasses.asdict(args))

    def train(self) -> None:
        steps = torch.optim.SGD(self.model.parameters(), lr=self.args.learning_rate)
        for epoch in range(1, self.args.num_train_epochs + 1):
            for x, y in self.train_dataset:
                steps.zero_grad()
                self.loss(self.model(torch.tensor(x)), torch.tensor(y)).backward()
                steps.step()
            self.save_model(self.output / f"checkpoint-{epoch * len(self.train_dataset)}")

    def evaluate(self) -> dict[str, float]:
        losses = [self.loss(self.model(torch.tensor(x)), torch.tensor(y)).item() for x, y in self.eval_dataset]
        metrics = {"eval_loss": sum(losses) / len(losses), "epoch": float(self.args.num_train_epochs)}
        wandb.log({key.replace("eval_", "eval/"): value for key, value in metrics.items()})
        print(metrics)
        return metrics

    def save_model(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        torch.save(self.model.state_dict(), folder / "model.safetensors")
        state = {"best_metric": None, "global_step": int(folder.name.rpartition("-")[2])}
        (folder / "trainer_state.json").write_text(json.dumps(state), encoding="utf-8")
