"""What a public op costs over the backend's own function, for every op that has samples; and the common ones beside Keras on PyTorch.

    python benchmarks/ops.py [torch|numpy|jax|tensorflow]
"""

import os
import statistics
import sys
import timeit

os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

import core
from core.backend import slot
from core.ops.registry import REGISTRY
from core.testing import op_suite

COMMON = {
    "add": ((32, 64), (32, 64)), "multiply": ((32, 64), 2.0), "matmul": ((32, 64), (64, 16)), "exp": ((32, 64),), "relu": ((32, 64),),
    "softmax": ((32, 64),), "mean": ((32, 64),), "max": ((32, 64), -1), "reshape": ((32, 64), [-1, 8]), "transpose": ((32, 64), [1, 0]),
    "expand_dims": ((32, 64), 1), "layer_normalization": ((32, 64),),
}  # fmt: skip


def microseconds(run, number=100, repeat=7):
    run()
    return 1e6 * min(timeit.repeat(run, number=number, repeat=repeat)) / number


def overhead(name, backend):
    """`(ours, the backend function)` in microseconds on the op's first sample, or None where it has no function of that name."""
    spec, found = REGISTRY[name], op_suite.samples(name)
    if not found or name not in backend.functions or spec.reference.__module__.endswith(("control", "random")):
        return None
    call = op_suite.Call(spec, found[0], backend)
    args, kwargs = call.arguments(call.tensors())
    try:
        spec.implementation(backend)(*args, **kwargs)
    except Exception:  # noqa: BLE001 (a sample whose arguments the op converts first: no comparison)
        return None
    with slot.use(backend):
        return tuple(microseconds(lambda f=f: f(*args, **kwargs), 20) for f in (spec.public, spec.implementation(backend)))


def beside_keras():
    import keras
    import torch

    rng = np.random.default_rng(0)
    print(f"\n{'op':22s}{'ours':>8s}{'Keras':>8s}   microseconds, PyTorch, CPU")
    for name, arguments in COMMON.items():
        args = [torch.from_numpy(rng.normal(size=a).astype("float32")) if isinstance(a, tuple) else a for a in arguments]
        ours, theirs = (microseconds(lambda f=f, args=args: f(*args)) for f in (getattr(core.ops, name), getattr(keras.ops, name)))
        print(f"{name:22s}{ours:8.1f}{theirs:8.1f}")


def main(backend_name="torch"):
    backend = slot.get(backend_name)
    core.config.set_backend(backend_name)
    if backend_name == "torch":
        import torch

        torch.set_num_threads(1)
    rows = {name: times for name in op_suite.op_names() if (times := overhead(name, backend)) is not None}
    extra = {name: ours - native for name, (ours, native) in rows.items()}
    print(f"{'op':32s}{'ours':>8s}{'native':>8s}{'over':>8s}   microseconds, {backend_name}; the 25 dearest")
    for name in sorted(extra, key=extra.get, reverse=True)[:25]:
        print(f"{name:32s}{rows[name][0]:8.1f}{rows[name][1]:8.1f}{extra[name]:8.1f}")
    print(f"{len(rows)} ops, median overhead {statistics.median(extra.values()):.2f} us")
    if backend_name == "torch":
        beside_keras()


if __name__ == "__main__":
    main(*sys.argv[1:])
