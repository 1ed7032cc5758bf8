import math
import sys
from dataclasses import dataclass, field

import evaluate
from datasets import load_dataset
from transformers import AutoModelForCausalLM, HfArgumentParser, Trainer, TrainingArguments, set_seed


@dataclass
class ModelArguments:
    model_name_or_path: str | None = field(default=None, metadata={"help": "The checkpoint to start from."})
    attn_dropout: float = field(default=0.1)
    low_cpu_mem_usage: bool = field(default=False)


@dataclass
class DataTrainingArguments:
    dataset_name: str | None = field(default=None)
    dataset_config_name: str | None = field(default=None)
    max_train_samples: int | None = field(default=None)
    block_size: int = field(default=1024)
    layers: list[int] = field(default_factory=lambda: [0, 1])


def main():
    parser = HfArgumentParser((ModelArguments, DataTrainingArguments, TrainingArguments))
    if len(sys.argv) == 2 and sys.argv[1].endswith(".json"):
        model_args, data_args, training_args = parser.parse_json_file(json_file=sys.argv[1])
    else:
        model_args, data_args, training_args = parser.parse_args_into_dataclasses()
    set_seed(training_args.seed)
    dataset = load_dataset(data_args.dataset_name, data_args.dataset_config_name)
    model = AutoModelForCausalLM.from_pretrained(model_args.model_name_or_path)
    metric = evaluate.load("accuracy")
    trainer = Trainer(
        model=model,
        args=training_args,
        train_dataset=dataset["train"],
        eval_dataset=dataset["validation"],
        compute_metrics=lambda predicted: metric.compute(predictions=predicted[0], references=predicted[1]),
    )
    if training_args.do_train:
        train_result = trainer.train(resume_from_checkpoint=training_args.resume_from_checkpoint)
        trainer.save_model()
        trainer.log_metrics("train", train_result.metrics)
    if training_args.do_eval:
        metrics = trainer.evaluate()
        metrics["perplexity"] = math.exp(metrics["eval_loss"])
        trainer.log_metrics("eval", metrics)
        trainer.save_metrics("eval", metrics)


if __name__ == "__main__":
    main()
