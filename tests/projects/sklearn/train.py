"""Fits a classifier with the parameters of params.yaml, and writes its accuracy on held-out points."""

import json
from pathlib import Path

import yaml
from sklearn.datasets import make_moons
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split

RESULTS = Path("results")


def main() -> None:
    parameters = yaml.safe_load(Path("params.yaml").read_text())
    points, labels = make_moons(n_samples=400, noise=0.2, random_state=0)
    x_train, x_test, y_train, y_test = train_test_split(points, labels, test_size=0.25, random_state=0)
    model = LogisticRegression(**parameters).fit(x_train, y_train)
    RESULTS.mkdir(exist_ok=True)
    accuracy = accuracy_score(y_test, model.predict(x_test))
    (RESULTS / "metrics.json").write_text(json.dumps({"accuracy": accuracy, "n_test": len(y_test)}))
    print("wrote", RESULTS / "metrics.json")


if __name__ == "__main__":
    main()
