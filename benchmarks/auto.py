"""Scores of `auto` on scikit-learn's embedded data: five folds, a budget of seconds for each.

    python benchmarks/auto.py [--seconds 10] [--data breast_cancer,wine,digits,diabetes,images] [--folds 5] [--cpu] [--backend torch]

With --cpu budgets are counted in CPU seconds of the process, for a machine that others use, too. Bars: breast_cancer 0.975,
wine 0.978, digits 0.978 (accuracy, more is better), diabetes 55.2 (RMSE, less is better), images 0.985 in 60 seconds.
"""

import argparse
import importlib
import pathlib
import sys
import time
import types

sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1])  # this file has the name of the package

import numpy as np  # noqa: E402
from sklearn import datasets  # noqa: E402
from sklearn.linear_model import LogisticRegression, RidgeCV  # noqa: E402
from sklearn.model_selection import KFold, StratifiedKFold  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

import auto  # noqa: E402
import core  # noqa: E402

BARS = {"breast_cancer": 0.975, "wine": 0.978, "digits": 0.978, "diabetes": 55.2, "images": 0.985}


def data(name):
    x, y = getattr(datasets, f"load_{'digits' if name == 'images' else name}")(return_X_y=True)
    return (x.reshape(-1, 8, 8) if name == "images" else x), y


def task(name, seconds, seed):
    kind = {"diabetes": auto.StructuredDataRegressor, "images": auto.ImageClassifier}.get(name, auto.StructuredDataClassifier)
    return kind(time_limit=seconds, seed=seed)


def score(name, truth, prediction):
    return float(np.sqrt(np.mean((truth - prediction) ** 2))) if name == "diabetes" else float(np.mean(truth == prediction))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--data", default=",".join(BARS))
    parser.add_argument("--folds", type=int, default=5, help="how many of the five folds to run")
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument("--backend", default=None)
    options = parser.parse_args()
    if options.backend:
        core.config.set_backend(options.backend)
    clock = time.monotonic
    if options.cpu:
        clock = time.process_time
        importlib.import_module("auto.search.clock").time = types.SimpleNamespace(monotonic=clock)
    print(f"{'data':14s} {'auto':>16s} {'linear':>16s} {'bar':>7s}   seconds a fold (longest)   ensemble of the last fold")
    for name in options.data.split(","):
        x, y = data(name)
        splits = (KFold if name == "diabetes" else StratifiedKFold)(5, shuffle=True, random_state=0)
        ours, linear, seconds = [], [], []
        for train, test in list(splits.split(x, y))[: options.folds]:
            start = clock()
            model = task(name, 6 * options.seconds if name == "images" else options.seconds, seed=0).fit(x[train], y[train], verbose=0)
            seconds.append(clock() - start)
            ours.append(score(name, y[test], model.predict(x[test])))
            flat = x.reshape(len(x), -1)
            simple = make_pipeline(StandardScaler(), RidgeCV() if name == "diabetes" else LogisticRegression(max_iter=1000))
            linear.append(score(name, y[test], simple.fit(flat[train], y[train]).predict(flat[test])))
        board = model.leaderboard()
        chosen = ", ".join(f"{row.model} {row.weight:.2f}" for row in board[board.weight > 0].itertuples())
        found = f"{np.mean(ours):7.4f} +- {np.std(ours):6.4f}"
        against = f"{np.mean(linear):7.4f} +- {np.std(linear):6.4f}"
        print(f"{name:14s} {found:>16s} {against:>16s} {BARS[name]:7.3f}   {max(seconds):6.1f}   {chosen}", flush=True)


if __name__ == "__main__":
    main()
