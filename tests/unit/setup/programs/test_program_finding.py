"""What a project starts to train, found without running it."""

from __future__ import annotations

from pathlib import Path

from flagstone.setup import look_at

TRAIN = """
import argparse

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    loss = args.lr

if __name__ == "__main__":
    main()
"""
README = """# Fit

Install, then train:

```bash
pip install -r requirements.txt
python train.py --epochs 5
```
"""


def test_the_command_of_the_readme_is_found_with_its_arguments(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "README.md").write_text(README)
    look = look_at(tmp_path)
    command, arguments = look.findings["command"], look.findings["arguments"].value
    assert (command.value, command.confidence) == (["python", "train.py", "--epochs", "5"], "certain")
    assert command.evidence == ("README.md:7",)
    assert look.findings["entry"].value == {"file": "train.py", "pattern": "argparse"}
    assert arguments["fixed"] == {"epochs": 5}
    assert arguments["changeable"] == {"lr": 0.1}
    assert arguments["argv"] == ["python", "train.py", "{arguments}"]
    assert look.findings["seed"].value == {"argument": "seed"}


def test_a_script_called_train_is_one_whatever_its_words_are(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("x = 0.0\nfor step in range(9):\n    x += 0.1\nprint(f'wobble: {x}')\n")
    (tmp_path / "tool.py").write_text("for step in range(9):\n    print(step)\n")
    assert look_at(tmp_path).program.entry == "train.py"
