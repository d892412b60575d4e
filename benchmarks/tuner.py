"""How good and how quick the samplers are: median regret over ten seeds, CPU milliseconds a proposal, repetitions.

    python benchmarks/tuner.py                # ours
    python benchmarks/tuner.py --which all    # Optuna and KerasTuner take part, in the same run, where they can be imported
"""

import argparse
import math
import os
import pathlib
import sys
import time

sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1])  # not this folder, in which `tuner` would be this file
for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(threads, "1")

import numpy as np  # noqa: E402

from tuner.samplers import GaussianProcessSampler, RandomSampler, TPESampler  # noqa: E402
from tuner.space import HyperParameters  # noqa: E402
from tuner.trial import Trial  # noqa: E402

HARTMANN_A = np.array([[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]])
HARTMANN_P = 1e-4 * np.array([[1312, 1696, 5569, 124, 8283, 5886], [2329, 4135, 8307, 3736, 1004, 9991],
                              [2348, 1451, 3522, 2883, 3047, 6650], [4047, 8828, 8732, 5743, 1091, 381]])  # fmt: skip


def branin(hp):
    """Optimum 0.397887 at three points."""
    x, y = hp.Float("x", -5.0, 10.0), hp.Float("y", 0.0, 15.0)
    return (y - 5.1 / (4 * math.pi**2) * x * x + 5 / math.pi * x - 6) ** 2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


def hartmann(hp):
    """Optimum -3.322368."""
    x = np.array([hp.Float(f"x{i}", 0.0, 1.0) for i in range(6)])
    return float(-np.array([1.0, 1.2, 3.0, 3.2]) @ np.exp(-(HARTMANN_A * (x - HARTMANN_P) ** 2).sum(1)))


def mixed(hp):
    """Optimum 0: three kinds of model that share two parameters, with two of their own each; of nine parameters five are active."""
    kind = hp.Choice("kind", ["forest", "network", "kernel"])
    rate = math.log10(hp.Float("rate", 1e-5, 1e-1, sampling="log"))
    size = hp.Int("size", 1, 20)
    if kind == "forest":
        with hp.conditional_scope("kind", ["forest"]):
            share, rule = hp.Float("share", 0.0, 1.0), hp.Choice("rule", ["gini", "entropy", "log"])
        loss = 0.1 + 2 * (share - 0.3) ** 2 + 0.1 * (1 - math.cos(12 * (share - 0.3))) + {"gini": 0.0, "entropy": 0.1, "log": 0.2}[rule]
        best_rate, best_size = -2 - share, 5
    elif kind == "network":
        with hp.conditional_scope("kind", ["network"]):
            units, activation = hp.Int("units", 1, 50), hp.Choice("activation", ["relu", "tanh", "gelu"])
        loss = ((units - 37) / 20) ** 2 / 2 + {"relu": 0.1, "tanh": 0.3, "gelu": 0.0}[activation]
        best_rate, best_size = -3 - (units - 37) / 30, 12
    else:
        with hp.conditional_scope("kind", ["kernel"]):
            degree, width = hp.Int("degree", 1, 5), math.log10(hp.Float("width", 1e-3, 1e1, sampling="log"))
        loss = 0.06 + 0.08 * (degree - 2) ** 2 + 0.25 * (width + 1) ** 2
        best_rate, best_size = -4, 16
    return loss + 0.3 * (rate - best_rate) ** 2 + ((size - best_size) / 8) ** 2 / 3


PROBLEMS = {"branin": (branin, 0.39788735772973816), "hartmann": (hartmann, -3.322368011415515), "mixed": (mixed, 0.0)}


def space_of(problem):
    hp = HyperParameters()
    for kind in ("forest", "network", "kernel"):
        one = HyperParameters(hp.space, {"kind": kind} if problem is mixed else {})
        problem(one)
        hp = HyperParameters(one.space)
    return hp.space


def ours(sampler):
    """`(best scores so far, CPU seconds of each proposal, repetitions)` of a study."""

    def run(problem, seed, count):
        space, trials, costs, best = space_of(problem), [], [], []
        for number in range(count):
            start = time.process_time()
            proposal = sampler.suggest(space, trials, number, seed)
            costs.append(time.process_time() - start)
            hp = HyperParameters(space, proposal.values)
            score = problem(hp)
            assert hp.asked == proposal.values, (hp.asked, proposal.values)
            trials.append(Trial.of(proposal, number, state="completed", score=score))
            best.append(min(score, best[-1] if best else math.inf))
        points = {tuple(sorted(trial.values.items())) for trial in trials}
        return best, costs, count - len(points)

    return run


class OptunaParameters(HyperParameters):
    """The same questions, put to an Optuna trial."""

    def __init__(self, trial):
        super().__init__()
        self.trial = trial

    def _ask(self, parameter):
        trial, kind = self.trial, type(parameter).__name__
        log = getattr(parameter, "sampling", "linear") == "log"
        if kind == "Int":
            value = trial.suggest_int(parameter.name, parameter.min_value, parameter.max_value, log=log)
        elif kind == "Float":
            value = trial.suggest_float(parameter.name, parameter.min_value, parameter.max_value, log=log)
        else:
            value = trial.suggest_categorical(parameter.name, list(parameter.values))
        self._space = self._space.extended((parameter,))
        self._values[parameter.name] = value
        return value


def optuna(make):
    def run(problem, seed, count):
        import optuna as peer

        peer.logging.set_verbosity(peer.logging.ERROR)
        study, costs, best, points = peer.create_study(sampler=make(peer, seed)), [], [], set()
        for _ in range(count):
            start = time.process_time()
            trial = study.ask()
            spent = time.process_time() - start
            hp, started = OptunaParameters(trial), time.process_time()
            score = problem(hp)
            costs.append(spent + time.process_time() - started)
            study.tell(trial, score)
            points.add(tuple(sorted(trial.params.items())))
            best.append(min(score, best[-1] if best else math.inf))
        return best, costs, count - len(points)

    return run


def keras_tuner(name):
    def run(problem, seed, count):
        import contextlib
        import io

        with contextlib.redirect_stdout(io.StringIO()):  # it prints a table for each trial
            return study(problem, seed, count)

    def study(problem, seed, count):
        import tempfile

        import keras_tuner as peer

        hps = peer.HyperParameters()
        objective = peer.Objective("score", "min")
        oracle = getattr(peer.oracles, name)(objective=objective, max_trials=count, hyperparameters=hps, seed=100003 * seed + 1)
        problem(hps)
        for kind in ("network", "kernel") if problem is mixed else ():
            hps.values["kind"] = kind
            problem(hps)
        oracle.update_space(hps)
        costs, best, points = [], [], set()
        with tempfile.TemporaryDirectory() as folder:
            oracle._set_project_dir(folder, "x")
            for _ in range(count):
                start = time.process_time()
                trial = oracle.create_trial("tuner0")
                costs.append(time.process_time() - start)
                if trial.status == "STOPPED":
                    break
                score = problem(trial.hyperparameters)
                oracle.update_trial(trial.trial_id, {"score": score})
                trial.status = "COMPLETED"
                oracle.end_trial(trial)
                points.add(tuple(sorted(trial.hyperparameters.values.items())))
                best.append(min(score, best[-1] if best else math.inf))
        return best, costs, len(best) - len(points)

    return run


OURS = {"tuner random": ours(RandomSampler()), "tuner TPE": ours(TPESampler()), "tuner GP": ours(GaussianProcessSampler())}
PEERS = {
    "Optuna TPE": optuna(lambda peer, seed: peer.samplers.TPESampler(seed=seed)),
    "Optuna GP": optuna(lambda peer, seed: peer.samplers.GPSampler(seed=seed, deterministic_objective=True)),
    "KerasTuner Bayesian": keras_tuner("BayesianOptimizationOracle"),
}
NEEDED = {"tuner": "tuner", "Optuna": "optuna", "KerasTuner": "keras_tuner"}


def installed(method):
    import importlib.util

    return importlib.util.find_spec(NEEDED[method.split()[0]]) is not None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--which", choices=("ours", "peers", "all"), default="ours")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--problems", nargs="+", choices=PROBLEMS, default=list(PROBLEMS))
    parser.add_argument("--only", default="", help="a part of the methods' names")
    options = parser.parse_args()
    methods = {**(OURS if options.which != "peers" else {}), **(PEERS if options.which != "ours" else {})}
    count = options.trials
    heads = ("regret @30", f"@{count}", "q25", "q75", "worst", "hits", "CPU ms", "last ms", "again")
    print(f"{'problem':10}{'method':22}" + "".join(f"{head:>{width}}" for head, width in zip(heads, (12, 12, 10, 10, 10, 6, 9, 9, 6))))
    for name in options.problems:
        problem, optimum = PROBLEMS[name]
        for method, run in methods.items():
            if options.only not in method or not installed(method):
                continue
            runs = [run(problem, seed, count) for seed in range(options.seeds)]
            middle = np.median([best[min(29, count - 1)] - optimum for best, _, _ in runs])
            regrets = np.array([best[-1] - optimum for best, _, _ in runs])
            q25, q50, q75 = np.quantile(regrets, [0.25, 0.5, 0.75])
            cost = 1e3 * np.mean([np.mean(costs) for _, costs, _ in runs])
            last = 1e3 * np.median([np.median(costs[-5:]) for _, costs, _ in runs])
            again = sum(repeated for _, _, repeated in runs)
            hits = int((regrets < 0.01).sum())
            print(f"{name:10}{method:22}{middle:12.5f}{q50:12.6f}{q25:10.5f}{q75:10.5f}{regrets.max():10.5f}{hits:6d}{cost:9.1f}{last:9.1f}{again:6d}",
                  flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
