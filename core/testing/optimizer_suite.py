"""What every optimizer must do, on every backend: for ours, and for those that users write.

>>> from core.optimizers import SGD
>>> check_optimizer(lambda: SGD(0.1), "numpy")
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from core.backend import slot
from core.optimizers import LossScaleOptimizer, MultiOptimizer, Optimizer, deserialize, serialize
from core.state.variable import Variable

SHAPES = {"kernel": (4, 3), "bias": (3,)}


def variables(seed: int = 0) -> list[Variable]:
    """Fresh variables of the active backend, the same for the same seed."""
    rng = np.random.default_rng(seed)
    return [Variable(rng.normal(size=shape).astype("float32"), name=name) for name, shape in SHAPES.items()]


def gradients(step: int) -> list[np.ndarray]:
    """Fixed gradients of one step."""
    rng = np.random.default_rng(1000 + step)
    return [rng.normal(size=shape).astype("float32") for shape in SHAPES.values()]


def run(optimizer: Optimizer, trained: list[Variable], steps: range, jit: bool = False) -> list[np.ndarray]:
    """The values of `trained` and of the optimizer's state after updates with the fixed gradients."""
    backend = slot.active()
    optimizer.build(trained)

    def update(grads: list) -> Any:
        optimizer.apply(grads, trained)
        return grads[0]

    call = backend.jit(update) if jit else update
    for step in steps:
        call([backend.convert_to_tensor(g) for g in gradients(step)])
    return [v.numpy().copy() for v in (*trained, *optimizer.variables)]


def _same(got: list, expected: list, what: str, atol: float = 2e-6) -> None:
    if len(got) != len(expected):
        raise AssertionError(f"{what}: {len(got)} arrays, expected {len(expected)}.")
    for i, (a, b) in enumerate(zip(got, expected)):
        np.testing.assert_allclose(np.asarray(a, "float64"), np.asarray(b, "float64"), rtol=1e-5, atol=atol, err_msg=f"{what}, array {i}")


def check_quadratic(make: Callable[[], Optimizer], steps: int = 300) -> None:
    """A few hundred steps bring `sum((v - target)**2)` down to less than half."""
    trained = variables()
    targets = [v.numpy() + np.where(np.arange(v.size).reshape(v.shape) % 2, 0.05, -0.05).astype("float32") for v in trained]

    def loss() -> float:
        return float(sum(((v.numpy() - t) ** 2).sum() for v, t in zip(trained, targets)))

    optimizer, first, least = make(), loss(), np.inf
    for _ in range(steps):
        scale = float(optimizer.scale_loss(1.0))
        optimizer.apply([2 * scale * (v.numpy() - t) for v, t in zip(trained, targets)], trained)
        least = min(least, loss())
        if least < first / 2:
            return
    raise AssertionError(f"After {steps} steps the loss is {least}, from {first}.")


def check_config(make: Callable[[], Optimizer]) -> None:
    """The optimizer made from a config has that config, and makes the same updates."""
    first = make()
    second = deserialize(serialize(first))
    if second.get_config() != first.get_config():
        raise AssertionError(f"The config does not come back: {first.get_config()} became {second.get_config()}.")
    _same(run(second, variables(), range(3)), run(first, variables(), range(3)), "After a round trip of the config")


def check_state(make: Callable[[], Optimizer]) -> None:
    """Saving after two steps and going on elsewhere is going on here."""
    first, trained = make(), variables()
    run(first, trained, range(2))
    store: dict[str, np.ndarray] = {}
    first.save_own_variables(store)
    store = {key: value.copy() for key, value in store.items()}
    second, others = make(), variables()
    for new, old in zip(others, trained):
        new.assign(old.numpy().copy())
    second.build(others)
    second.load_own_variables(store)
    _same(run(second, others, range(2, 5)), run(first, trained, range(2, 5)), "After loading its state")


def check_stateless(make: Callable[[], Optimizer]) -> None:
    """`stateless_apply` returns what `apply` writes, and writes nothing."""
    backend, first, trained = slot.active(), make(), variables()
    run(first, trained, range(1))
    before = [v.numpy().copy() for v in (*trained, *first.variables)]
    grads = [backend.convert_to_tensor(g) for g in gradients(1)]
    new, state = first.stateless_apply([backend.copy(v.value) for v in first.variables], grads, [backend.copy(v.value) for v in trained])
    _same([v.numpy() for v in (*trained, *first.variables)], before, "stateless_apply changed its object", atol=0)
    _same([backend.convert_to_numpy(x) for x in (*new, *state)], run(first, trained, range(1, 2)), "stateless_apply")


def check_general_path(make: Callable[[], Optimizer]) -> None:
    """The fused update of the backend gives what the formula gives."""
    formula = make()
    formula.fused = None
    _same(run(make(), variables(), range(5)), run(formula, variables(), range(5)), "The fused update against the formula")


def check_optimizer(make: Callable[[], Optimizer], backend: str) -> None:
    """Raises an AssertionError that says what is wrong with an optimizer (a class or a function that makes one) on a backend."""
    with slot.use(backend) as used:
        check_quadratic(make)
        check_config(make)
        check_state(make)
        check_stateless(make)
        if make().fused and not isinstance(make(), (MultiOptimizer, LossScaleOptimizer)):
            check_general_path(make)
        if used.trains:
            _same(run(make(), variables(), range(5), jit=True), run(make(), variables(), range(5)), "Compiled against eager")
