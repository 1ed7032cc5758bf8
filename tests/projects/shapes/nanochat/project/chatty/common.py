"""What all scripts need."""

import os

import torch


def get_base_dir():
    if os.environ.get("CHATTY_BASE_DIR"):
        folder = os.environ.get("CHATTY_BASE_DIR")
    else:
        folder = os.path.join(os.path.expanduser("~"), ".cache", "chatty")
    os.makedirs(folder, exist_ok=True)
    return folder


def compute_init():
    torch.manual_seed(42)


def print0(text=""):
    if int(os.environ.get("RANK", 0)) == 0:
        print(text)
