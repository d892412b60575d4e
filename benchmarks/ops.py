"""What a public op costs over the backend's own function, for every op that has samples, and what Keras' op of the name costs.

    python benchmarks/ops.py [torch|numpy|jax|tensorflow]

One thread, the op's first sample, the least of seven rounds. Keras, where it is installed, runs on the same backend in the same process.
"""

import importlib.util
import math
import os
import statistics
import sys
import timeit

import core
from core.backend import slot
from core.ops.registry import REGISTRY
from core.testing import op_suite

BACKEND = sys.argv[1] if len(sys.argv) > 1 else "torch"
os.environ["KERAS_BACKEND"] = BACKEND  # read when keras is imported
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def microseconds(run, number=100, repeat=7):
    run()
    return 1e6 * min(timeit.repeat(run, number=number, repeat=repeat)) / number


def keras_function(name):
    """Keras' op of that name, or None."""
    if importlib.util.find_spec("keras") is None:
        return None
    import keras

    return getattr(keras.ops, name, None) or getattr(keras.random, name, None)


def costs(name, backend):
    """`(ours, the backend's function, Keras or NaN)` in microseconds on the op's first sample, or None where there is no such function."""
    spec, found = REGISTRY[name], op_suite.samples(name)
    if not found or name not in backend.functions or spec.reference.__module__.endswith(("control", "random")):
        return None
    call = op_suite.Call(spec, found[0], backend)
    args, kwargs = call.arguments(call.tensors())
    native, theirs = spec.implementation(backend), keras_function(name)
    try:
        native(*args, **kwargs)
    except Exception:  # noqa: BLE001 (a sample whose arguments the op converts first: no comparison)
        return None
    with slot.use(backend):
        ours = [microseconds(lambda f=f: f(*args, **kwargs), 20) for f in (spec.public, native)]
    try:
        return (*ours, microseconds(lambda: theirs(*args, **kwargs), 20))
    except Exception:  # noqa: BLE001 (Keras has no such op, or refuses the sample)
        return (*ours, math.nan)


def main():
    backend = slot.get(BACKEND)
    core.config.set_backend(BACKEND)
    if BACKEND == "torch":
        import torch

        torch.set_num_threads(1)
    rows = {name: times for name in op_suite.op_names() if (times := costs(name, backend)) is not None}
    extra = {name: ours - native for name, (ours, native, _) in rows.items()}
    print(f"{'op':32s}{'ours':>8s}{'native':>8s}{'over':>8s}{'Keras':>8s}   microseconds, {BACKEND}; the 25 dearest")
    for name in sorted(extra, key=extra.get, reverse=True)[:25]:
        ours, native, theirs = rows[name]
        print(f"{name:32s}{ours:8.1f}{native:8.1f}{extra[name]:8.1f}{theirs:8.1f}")
    print(f"{len(rows)} ops, median overhead {statistics.median(extra.values()):.2f} us", end="")
    beside = [(ours - native, theirs - native) for ours, native, theirs in rows.values() if not math.isnan(theirs)]
    if beside:
        mine, keras = (statistics.median(column) for column in zip(*beside))
        print(f"; of the {len(beside)} that Keras has and runs: ours {mine:.2f} us, Keras {keras:.2f} us", end="")
    print()


if __name__ == "__main__":
    main()
