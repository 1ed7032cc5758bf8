"""The metric of a project is found in its code and in what earlier runs left."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from flagstone.metrics import numbers_printed
from flagstone.setup.programs import Program
from flagstone.setup.project_finding import ProjectFinding
from flagstone.setup.project_tree import project_tree
from flagstone.setup.results import metric_finding


def metric_of(folder: Path, files: dict[str, str], **program: Any) -> ProjectFinding:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return metric_finding(project_tree(folder), Program(entry="train.py", **program))


PRINTED = {
    "print(f'step {i}: train loss {a:.4f}, val loss {b:.4f}')": ("val loss", "min"),
    "print(f'val_bpb:          {b:.6f}')": ("val_bpb", "min"),
    "print('val_acc', acc)": ("val_acc", "max"),
    "print('valid loss {:5.2f} | valid ppl {:8.2f}'.format(a, b))": ("valid loss", "min"),
    "log.info('epoch %d val_accuracy=%.3f', epoch, acc)": ("val_accuracy", "max"),
    "print('epoch', e, 'train loss', a, 'dev f1', f)": ("dev f1", "max"),
    "print('val loss ' + str(a))": ("val loss", "min"),
    "for split in ['train', 'val']:\n    print(f'{split} loss {x[split]:.3f}')": ("val loss", "min"),
    "def test():\n    print(f'\\nTest set: Average loss: {a:.4f}, Accuracy: {b}/{c} ({d:.0f}%)\\n')": (
        "Average loss",
        "min",
    ),
    "print(json.dumps({'eval_loss': a, 'epoch': e}))": ("eval_loss", "min"),
}


@pytest.mark.parametrize("code", PRINTED)
def test_a_printed_number_is_found_under_the_name_that_the_log_reader_gives_it(tmp_path: Path, code: str) -> None:
    found = metric_of(tmp_path, {"train.py": code})
    assert (found.value["name"], found.value["direction"]) == PRINTED[code]
    assert found.value["backend"] == "log"
    assert found.confidence == "likely"
    assert found.evidence[0].startswith("train.py:")


LINES = {
    "val loss": b"step 250: train loss 2.5, val loss 1.5000",
    "val_bpb": b"val_bpb:          1.500000",
    "valid loss": b"valid loss  1.50 | valid ppl     4.48",
    "dev f1": b"epoch 3 train loss 0.7 dev f1 1.5",
    "Average loss": b"Test set: Average loss: 1.5000, Accuracy: 9904/10000 (99%)",
    "eval_loss": b'{"eval_loss": 1.5, "epoch": 3}',
}


@pytest.mark.parametrize("name", LINES)
def test_the_reader_of_logs_reads_what_is_proposed(name: str) -> None:
    assert name in {found for found, _ in PRINTED.values()}
    assert list(numbers_printed(LINES[name], name)) == [1.5]


SENTENCES = {
    "f'Accuracy of the network on the {n} test images: {100 * a / n : .0f} %'": (
        "Accuracy of the network on the 10000 test images:  57 %"
    ),
    "f'[{step}] final accuracy (over {n} folds) was {a:.2f}'": "[10] final accuracy (over 5 folds) was 57.00",
}


@pytest.mark.parametrize("text", SENTENCES)
def test_a_sentence_gets_a_pattern_that_reads_its_number(tmp_path: Path, text: str) -> None:
    found = metric_of(tmp_path, {"train.py": f"print({text})"}).value
    assert (found["name"], found["direction"]) == ("accuracy", "max")
    match = re.search(found["regex"], SENTENCES[text])
    assert match is not None and float(match[1]) == 57


def test_validation_comes_before_test_and_training_whatever_the_order(tmp_path: Path) -> None:
    code = "print(f'test_loss={a:.3f}')\nprint(f'train_loss={a:.3f}')\nprint(f'val_loss={a:.3f}')\n"
    found = metric_of(tmp_path, {"train.py": code})
    assert found.value["name"] == "val_loss"
    assert {each.value["name"]: each.why for each in found.lost} == {
        "test_loss": "of the test data",
        "train_loss": "of the training data",
    }


@pytest.mark.parametrize("dump", ["json.dump(x, f)", "json.dump({M}, f)"])
def test_a_number_within_another_key_is_found_by_its_path(tmp_path: Path, dump: str) -> None:
    mapping = "{'train_accuracy': 1, 'val': {'f1': a, 'epoch': 2}, name: {'loss': 1}, **more}"
    code = f"def main():\n  x = {mapping}\n  with open('out.json', 'w') as f:\n    {dump.replace('{M}', mapping)}\n"
    found = metric_of(tmp_path, {"train.py": code})
    assert found.value == {"name": "val.f1", "direction": "max", "backend": "json", "path": "out.json"}
    assert [each.value["name"] for each in found.lost] == ["train_accuracy"]


def test_a_number_of_the_test_data_alone_is_no_default(tmp_path: Path) -> None:
    found = metric_of(tmp_path, {"train.py": "print(f'test_accuracy: {a:.3f}')"})
    assert (found.value["name"], found.confidence) == ("test_accuracy", "unclear")
    assert "test data" in found.note


def test_a_number_of_the_test_data_loses_even_if_it_is_monitored(tmp_path: Path) -> None:
    code = "EarlyStopping(monitor='test_acc', mode='max')\nprint(f'test_acc={a:.3f} val_loss={b:.3f}')"
    assert metric_of(tmp_path, {"train.py": code}).value["name"] == "val_loss"


def test_what_a_function_that_evaluates_prints_comes_before_what_stands_anywhere(tmp_path: Path) -> None:
    code = "print(f'loss={a:.3f}')\ndef test():\n    print(f'Average loss: {b:.3f}')\n"
    code += "def train():\n    print(f'error={c:.3f}')"
    found = metric_of(tmp_path, {"train.py": code})
    assert found.value["name"] == "Average loss"
    assert [each.value["name"] for each in found.lost] == ["loss", "error"]


def test_a_mode_beside_monitor_beats_what_the_name_says(tmp_path: Path) -> None:
    code = "stop = EarlyStopping(monitor='val_score', mode='min')\nprint(f'val_loss={a} val_score={b}')"
    found = metric_of(tmp_path, {"train.py": code})
    assert (found.value["name"], found.value["direction"], found.confidence) == ("val_score", "min", "certain")


def test_the_comparison_with_the_best_so_far_tells_the_direction(tmp_path: Path) -> None:
    code = "print(f'val_quux={val_quux:.3f}')\nif val_quux > best_val_quux:\n    best_val_quux = val_quux\n"
    found = metric_of(tmp_path, {"train.py": code})
    assert (found.value["name"], found.value["direction"], found.confidence) == ("val_quux", "max", "certain")


def test_a_name_without_a_direction_is_unclear(tmp_path: Path) -> None:
    found = metric_of(tmp_path, {"train.py": "print(f'val_quux={q:.3f}')"})
    assert (found.value["name"], found.value["direction"], found.confidence) == ("val_quux", None, "unclear")


def test_the_best_so_far_is_warned_of(tmp_path: Path) -> None:
    found = metric_of(tmp_path, {"train.py": "print(f'best_val_acc: {a:.3f}')"})
    assert found.confidence == "unclear"
    assert "best so far" in found.note


def test_what_only_a_progress_bar_shows_loses_and_is_unclear_if_there_is_nothing_else(tmp_path: Path) -> None:
    bar = "for b in bar:\n    bar.set_postfix(val_loss=loss, dev=device)\n"
    found = metric_of(tmp_path, {"train.py": bar})
    assert (found.value["name"], found.confidence, found.lost) == ("val_loss", "unclear", ())
    assert found.note == "Only a progress bar shows val_loss."
    assert metric_of(tmp_path, {"train.py": f"{bar}print(f'accuracy: {{a:.3f}}')"}).value["name"] == "accuracy"


def test_another_number_is_read_where_it_was_found(tmp_path: Path) -> None:
    code = "print(f'val_loss={a:.3f}')\nwriter.add_scalar('val_acc', a, 1)\nwandb.log({'val_f1': a})"
    found = metric_of(tmp_path, {"train.py": code})
    known = {each["name"]: each["backend"] for each in (found.value, *(lost.value for lost in found.lost))}
    assert known == {"val_loss": "log", "val_acc": "tensorboard", "val_f1": "wandb"}


def test_a_tracker_that_may_be_off_gives_way_to_what_is_printed(tmp_path: Path) -> None:
    code = "if args.tensorboard:\n    writer.add_scalar('val_acc', a, 1)\nprint(f'val_acc {a:.3f}')\n"
    assert metric_of(tmp_path, {"train.py": code}).value["backend"] == "log"


def test_a_number_that_is_printed_for_the_training_data_too_is_remarked(tmp_path: Path) -> None:
    code = "def train():\n    print(f'Acc@1: {a:.2f}')\ndef validate():\n    print(f'Acc@1: {a:.2f}')\n"
    found = metric_of(tmp_path, {"train.py": code})
    assert (found.value["name"], found.confidence) == ("Acc@1", "likely")
    assert "the last value in the log counts" in found.note


def test_limits_are_candidates_for_constraints_and_no_metric(tmp_path: Path) -> None:
    code = "print(f'val_bpb: {a:.3f}')\nprint(f'peak_vram_mb:     {b:.1f}')"
    found = metric_of(tmp_path, {"train.py": code})
    assert found.value["constraints"] == ["peak_vram_mb"]
    assert "peak_vram_mb" not in [each.value["name"] for each in found.lost]


def test_a_summary_of_wandb_says_the_backend(tmp_path: Path) -> None:
    summary = json.dumps({"val/loss": 1.0, "_runtime": 61, "epoch": 3})
    found = metric_of(tmp_path, {"train.py": "", "wandb/run-20260101_000000-a/files/wandb-summary.json": summary})
    assert (found.value["name"], found.value["backend"], found.confidence) == ("val/loss", "wandb", "certain")


def test_the_log_of_wandb_is_never_read(tmp_path: Path) -> None:
    found = metric_of(tmp_path, {"train.py": "", "wandb/run-1/logs/debug.json": '{"val_loss": 1}'})
    assert found.value is None


def test_hostile_code_is_passed_over(tmp_path: Path) -> None:
    deep = "x = " + " + ".join(["'a'"] * 5000)
    found = metric_of(tmp_path, {"train.py": f"{deep}\nprint(f'val_loss={{a:.3f}}')"})
    assert found.value is None or found.value["name"] == "val_loss"
    assert metric_of(tmp_path, {"train.py": "def ("}).value is None
