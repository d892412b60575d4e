"""`SequentialSimulator`: simulators one after the other, each fed by those before; and `make_simulator`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from bayes.priors.prior import Joint, Prior
from bayes.simulators.lambda_simulator import LambdaSimulator
from bayes.simulators.simulator import Simulator
from bayes.simulators.support import as_supports


class SequentialSimulator(Simulator):
    """All that the parts return; each part is given what those before it returned.

    Args:
        simulators: the parts, in order: a prior, then a likelihood, for instance.
        expand_outputs: whether numbers, of shape `(batch,)`, become `(batch, 1)`.
        replace_inputs: whether a part's value replaces an earlier one of the same name.

    >>> prior = LambdaSimulator(lambda rng: {"mu": rng.normal(size=2)})
    >>> likelihood = LambdaSimulator(lambda mu, rng: {"x": rng.normal(mu, 1.0, size=(10, 2))})
    >>> {k: v.shape for k, v in SequentialSimulator([prior, likelihood]).sample(4, seed=0).items()}
    {'mu': (4, 2), 'x': (4, 10, 2)}
    """

    def __init__(self, simulators: Sequence[Simulator], expand_outputs: bool = True, replace_inputs: bool = True):
        if not simulators:
            raise ValueError("SequentialSimulator needs at least one simulator.")
        self.simulators, self.expand_outputs, self.replace_inputs = list(simulators), expand_outputs, replace_inputs
        self.support = {name: box for part in simulators for name, box in part.support.items()}

    def draw(self, batch_shape: tuple[int, ...], rng: np.random.Generator, **kwargs: Any) -> dict[str, Any]:
        """The parts' values; values given by name replace what would be drawn."""
        data = dict(kwargs)
        shared: set[str] = set()
        for part in self.simulators:
            extra = {"_shared": frozenset(shared)} if isinstance(part, LambdaSimulator) else {}
            for name, value in part.draw(batch_shape, rng, **extra, **data).items():
                if name in kwargs or (name in data and not self.replace_inputs):
                    continue
                data[name] = value
                if getattr(part, "shared", False):
                    shared.add(name)
        if self.expand_outputs:
            data = {k: v[..., None] if k not in shared and np.shape(v) == batch_shape else v for k, v in data.items()}
        return data


def make_simulator(
    arg: Simulator | Callable | Mapping[str, Prior] | Sequence,
    *,
    meta_fn: Callable | None = None,
    support: Mapping[str, Any] | None = None,
    is_batched: bool = False,
) -> Simulator:
    """A `Simulator` out of functions.

    Args:
        arg: a function that returns a dict; a dict of priors; a simulator; or a list of those, run in order. A function's parameters are
            filled by name with what those before it returned, and `rng` with the seeded generator.
        meta_fn: a function that returns values shared by a whole batch, such as a number of observations; run first.
        support: boxes `(lower, upper)` of parameters drawn by functions; posterior samples then stay inside.
        is_batched: whether the functions make a whole batch in one call.

    >>> from bayes import priors
    >>> def likelihood(theta, rng):
    ...     return {"x": rng.normal(theta, 0.1)}
    >>> simulator = make_simulator([{"theta": priors.Uniform([-1.0, -1.0], 1.0)}, likelihood])
    >>> {k: v.shape for k, v in simulator.sample(5, seed=0).items()}
    {'theta': (5, 2), 'x': (5, 2)}
    """
    given = [arg] if isinstance(arg, (Simulator, Mapping)) or callable(arg) else arg
    parts = [_part(part, is_batched) for part in given]
    if meta_fn is not None:
        parts.insert(0, meta_fn if isinstance(meta_fn, Simulator) else LambdaSimulator(meta_fn, shared=True))
    simulator = parts[0] if isinstance(arg, Simulator) and meta_fn is None else SequentialSimulator(parts)
    if support:
        simulator.support = {**simulator.support, **as_supports(support)}
    return simulator


def _part(part: Any, is_batched: bool) -> Simulator:
    if isinstance(part, Simulator):
        return part
    if isinstance(part, Mapping):
        return Joint(**part)
    if callable(part):
        return LambdaSimulator(part, is_batched=is_batched)
    raise TypeError(f"A simulator is made of functions, simulators or dicts of priors, got {type(part).__name__}.")
