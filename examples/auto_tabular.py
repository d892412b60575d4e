"""Chooses and mixes models for a table by itself, says which columns matter, saves, loads, and predicts the same. Offline.

    python examples/auto_tabular.py [jax | torch | tensorflow]
"""

import pathlib
import sys
import tempfile

import numpy as np
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split

import auto
import core


def main():
    if len(sys.argv) > 1:
        core.config.set_backend(sys.argv[1])
    frame = load_wine(as_frame=True).frame
    frame["target"] = np.array(["barolo", "grignolino", "barbera"])[frame["target"]]
    train, test = train_test_split(frame, stratify=frame["target"], random_state=0)

    model = auto.StructuredDataClassifier(time_limit=10, seed=0)
    model.fit(train, "target")
    print(model.leaderboard()[["model", "score", "fit_time", "weight"]].head(5).to_string(index=False))
    loss, accuracy = model.evaluate(test, "target")
    print(f"Test loss {loss:.4f}, test accuracy {100 * accuracy:.1f} %")
    print(model.importance(test, "target").head(3).round(4).to_string())

    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "wine.auto"
        model.save(path)
        model.report(pathlib.Path(folder) / "wine.html", test, "target")
        same = np.array_equal(auto.load(path).predict_proba(test), model.predict_proba(test))
        print(f"Saved {path.stat().st_size // 1024} KiB, loaded, predicts the same: {same}")
    if accuracy < 0.9 or not same:
        raise SystemExit("The example did not reach 90 % or the reloaded model differs.")


if __name__ == "__main__":
    main()
