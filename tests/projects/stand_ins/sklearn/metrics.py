"""Scores."""


def accuracy_score(y_true: list[int], y_pred: list[int]) -> float:
    return sum(one == other for one, other in zip(y_true, y_pred, strict=True)) / len(y_true)
