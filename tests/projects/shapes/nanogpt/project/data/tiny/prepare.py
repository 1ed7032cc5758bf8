"""Writes the training data."""

from pathlib import Path

if __name__ == "__main__":
    Path(__file__).with_name("train.txt").write_text("to be or not to be\n" * 1000)
