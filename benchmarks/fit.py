"""Times `fit` against the same maths by hand and against Keras' `fit`: medians of interleaved rounds, and their ratios.

    python benchmarks/fit.py [--backends torch,jax,tensorflow] [--cases mlp,cnn] [--rounds 9]

One process per backend, since Keras has one backend per process; in it the contenders take turns.
"""

import argparse
import importlib
import os
import statistics
import subprocess
import sys
import time


def fit_contender(module, name):
    """`fit` of `core` or of `keras` on a case, one epoch in order, no output."""
    from cases import BATCH, CASES, data

    build, shape, classes = CASES[name]
    x, y = data(shape, classes)
    model = build(module)
    loss = module.losses.SparseCategoricalCrossentropy(from_logits=True) if classes else "mse"
    model.compile(module.optimizers.Adam(1e-3), loss)
    return lambda: model.fit(x, y, batch_size=BATCH, epochs=1, shuffle=False, verbose=0)


def time_backend(backend, cases, rounds, with_keras):
    import core

    core.config.set_backend(backend)
    contenders = {"ours": lambda name: fit_contender(core, name), "by hand": importlib.import_module(f"by_hand_{backend}").contender}
    if with_keras:
        import keras

        contenders["keras"] = lambda name: fit_contender(keras, name)
    for name in cases:
        runs = {label: make(name) for label, make in contenders.items()}
        for run in runs.values():  # compile and warm up
            run(), run()
        seconds = {label: [] for label in runs}
        for _ in range(rounds):
            for label, run in runs.items():
                start = time.perf_counter()
                run()
                seconds[label].append(time.perf_counter() - start)
        report(backend, name, seconds)


def report(backend, name, seconds):
    from cases import STEPS

    step = {label: 1e6 * statistics.median(values) / STEPS for label, values in seconds.items()}
    ratio = {
        label: statistics.median(ours / other for ours, other in zip(seconds["ours"], values))
        for label, values in seconds.items()
        if label != "ours"
    }
    line = f"{backend:11s} {name:12s} {step['ours']:9.0f} {step['by hand']:9.0f} {step.get('keras', float('nan')):9.0f}"
    line += f" {ratio['by hand']:9.2f} {1 / ratio['keras'] if 'keras' in ratio else float('nan'):11.2f}"
    print(line, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backends", default="torch,jax,tensorflow")
    parser.add_argument("--cases", default="mlp,dense30,cnn,lstm,transformer")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--no-keras", action="store_true")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.inside:
        time_backend(args.inside, args.cases.split(","), args.rounds, not args.no_keras)
        return
    print("microseconds a step (median)                ours   by hand     keras ours/hand  keras/ours", flush=True)
    for backend in args.backends.split(","):
        command = [sys.executable, __file__, "--inside", backend, "--cases", args.cases, "--rounds", str(args.rounds)]
        command += ["--no-keras"] if args.no_keras else []
        environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
        subprocess.run(command, check=True, env=environment, stderr=None if "-v" in sys.argv else subprocess.DEVNULL)


if __name__ == "__main__":
    main()
