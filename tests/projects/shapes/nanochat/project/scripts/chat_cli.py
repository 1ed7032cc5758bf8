"""A conversation in the terminal."""

import argparse

parser = argparse.ArgumentParser()
parser.add_argument("-p", "--prompt", default="")
print(parser.parse_args())
