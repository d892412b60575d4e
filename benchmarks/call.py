"""Times an eager call of a built model, predict on one batch, and the import; Python calls are counted.

    python benchmarks/call.py
"""

import os
import statistics
import subprocess
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def median_time(run, repeat=30, number=20):
    run()
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        for _ in range(number):
            run()
        times.append((time.perf_counter() - start) / number)
    return 1e6 * statistics.median(times)


def python_calls(run):
    """How many Python functions one run calls."""
    count = 0

    def profile(frame, event, argument):
        nonlocal count
        count += event == "call"

    run()
    sys.setprofile(profile)
    try:
        run()
    finally:
        sys.setprofile(None)
    return count - 1


def import_seconds():
    code = (
        "import time; t = time.perf_counter(); import core; print(time.perf_counter() - t); import sys; "
        "print([m for m in ('jax','torch','tensorflow') if m in sys.modules])"
    )
    found = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split("\n") for _ in range(7)]
    return statistics.median(float(lines[0]) for lines in found), found[0][1]


def eager_torch():
    import torch
    from cases import dense30
    from torch.nn import functional as F

    import core

    core.config.set_backend("torch")
    model = dense30(core)
    x = torch.randn(32, 32)
    weights = [(layer.kernel.value.t().contiguous(), layer.bias.value) for layer in model.layers]

    def raw():
        h = x
        for w, b in weights[:-1]:
            h = F.relu(F.linear(h, w, b))
        return F.linear(h, *weights[-1])

    with torch.no_grad():
        ours, by_hand = [], []
        for _ in range(5):
            ours.append(median_time(lambda: model(x), 10))
            by_hand.append(median_time(raw, 10))
        ratio = statistics.median(a / b for a, b in zip(ours, by_hand))
        print(
            f"eager call, 30 Dense(32), torch: ours {statistics.median(ours):.0f} us, raw functions {statistics.median(by_hand):.0f} us, "
            f"ratio {ratio:.2f}"
        )
        dense = core.layers.Dense(8)
        dense(x)
        print(f"Python calls in a built Dense(8)(x): {python_calls(lambda: dense(x))}")
        print(
            f"predict_on_batch: {median_time(lambda: model.predict_on_batch(x), 10):.0f} us; predict: "
            f"{median_time(lambda: model.predict(x, verbose=0), 10, 5):.0f} us"
        )


def main():
    seconds, frameworks = import_seconds()
    print(f"import core: {seconds:.3f} s, frameworks loaded by it: {frameworks}")
    eager_torch()


if __name__ == "__main__":
    main()
