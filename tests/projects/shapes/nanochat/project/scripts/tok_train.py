"""Trains the tokenizer."""

import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--vocab-size", type=int, default=32768)
print(parser.parse_args())
