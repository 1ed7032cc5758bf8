"""Bits per byte."""


def evaluate_bpb(model, batches):
    return sum(model(batch) for batch in batches)
