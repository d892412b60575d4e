"""A search that tests start in a process of its own, to kill it: `python killable.py STORAGE LOG SAMPLER TRIALS`. It loads no framework."""

import os
import sys
import time

import tuner


def objective(trial):
    for step in (1, 2, 3):
        time.sleep(0.004)
        trial.report(step=step, value=trial.values["x"] ** 2 + 1 / step)
    with open(os.environ["KILLABLE_LOG"], "a") as log:
        log.write(f"{trial.number} {trial.attempt}\n")
    return trial.values["x"] ** 2


def study(storage, sampler, trials):
    space = [tuner.Float("x", min_value=-1.0, max_value=1.0), tuner.Choice("k", values=("a", "b"))]
    chosen = tuner.HyperbandSampler(max_resource=9, factor=3) if sampler == "hyperband" else sampler
    return tuner.Study(space, chosen, storage=storage, seed=0, max_trials=trials, max_losses=50)


if __name__ == "__main__":
    os.environ["KILLABLE_LOG"] = sys.argv[2]
    print("ready", flush=True)
    study(sys.argv[1], sys.argv[3], int(sys.argv[4])).optimize(objective)
