import json
from pathlib import Path

import click
import joblib
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_score


@click.command()
@click.option("--trees", default=100)
@click.option("--max-depth", default=5, type=int)
@click.option("--seed", default=0)
def main(trees, max_depth, seed):
    x, y = load_iris(return_X_y=True)
    model = RandomForestClassifier(trees, max_depth=max_depth, random_state=seed)
    scores = cross_val_score(model, x, y, cv=5)
    print(f"cv accuracy: {scores.mean():.4f} (+/- {scores.std():.4f})")
    results = {"accuracy": scores.mean(), "trees": trees}
    Path("results.json").write_text(json.dumps(results))
    joblib.dump(model.fit(x, y), "model.joblib")


if __name__ == "__main__":
    main()
