"""Evaluates the base model."""

import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--device-batch-size", type=int, default=32)
print(parser.parse_args())
