"""`Sampler`: how the next token follows from the logits, and the loop that writes one token after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import core
from core import ops


@core.saving.register_keras_serializable(package="hub")
class Sampler:
    """The base of all samplers. A sampler of your own overrides `get_next_token`, or `compute_probabilities`, or both.

    A call `sampler(next=..., prompt=..., index=...)` returns `prompt` with its slots from `index` on filled. `next(prompt, cache, index)`
    returns `(logits, hidden_states, cache)`: the logits (batch, vocabulary) of the token that stands at `index`, given those before it.

    Args:
        temperature: logits are divided by it; below 1 likely tokens become likelier, above 1 the choice evens out.

    >>> def next(prompt, cache, index):
    ...     return np.eye(5)[prompt[:, index - 1] + 1], None, cache  # the successor is certain
    >>> GreedySampler()(next=next, prompt=np.array([[1, 0, 0]]), index=1)
    array([[1, 2, 3]])
    """

    keeps_hidden_states = False  # whether `__call__` needs the hidden states of the prompt
    streams = True  # whether a token that is written stays, so that it can be shown at once
    ranked = 1  # how many sequences it returns for one prompt

    def __init__(self, temperature: float = 1.0):
        if not temperature > 0:
            raise ValueError(f"temperature must be positive, got {temperature!r}; for the likeliest token use the greedy sampler.")
        self.temperature = temperature

    def compute_probabilities(self, logits: Any) -> Any:
        """Probabilities (batch, vocabulary) in float32: the softmax of the logits over the temperature."""
        return ops.softmax(ops.cast(logits, "float32") / self.temperature)

    def get_next_token(self, probabilities: Any) -> Any:
        """Token ids (batch,), one for each row of `probabilities`."""
        raise TypeError(f"{type(self).__name__} has no `get_next_token(probabilities)`; a sampler must define it.")

    def next_token(self, logits: Any) -> Any:
        """Token ids (batch,), one for each row of logits."""
        return self.get_next_token(self.compute_probabilities(logits))

    def run_loop(
        self, cond: Callable, body: Callable, model: Any = None, loop_vars: Any = None, maximum_iterations: int | None = None
    ) -> Any:
        """The loop variables after the loop; `model` is accepted for the sake of callers that pass it."""
        if not core.backend.active().tracing():
            return ops.while_loop(cond, body, loop_vars, maximum_iterations=maximum_iterations)
        # A cache that the loop carries with an axis of size 1 is not what attention reads of it: XLA would copy it at each step.
        last = ops.while_loop(
            lambda *values: cond(*like(loop_vars, values)),
            lambda *values: without_unit_axes(body(*like(loop_vars, values))),
            without_unit_axes(loop_vars),
            maximum_iterations=maximum_iterations,
        )
        return like(loop_vars, last)

    def __call__(
        self,
        next: Callable,
        prompt: Any,
        cache: Any = None,
        index: int = 0,
        mask: Any = None,
        stop_token_ids: Any = None,
        hidden_states: Any = None,
        model: Any = None,
    ) -> Any:
        """`prompt` (batch, length) with its slots from `index` on filled, until its end or until each row holds a stop token.

        Args:
            next: gives `(logits, hidden_states, cache)` for `(prompt, cache, index)`.
            cache: any structure of tensors whose first axis is the batch; handed from call to call.
            index: the first slot to fill.
            mask: booleans like `prompt`; tokens where it is True stay.
            stop_token_ids: a row ends after one of them; what follows stays as it was.
            hidden_states: of the tokens before `index`; only the contrastive sampler reads them.
        """
        prompt = ops.convert_to_tensor(prompt)
        state = self.start(next, prompt, cache, index, mask=mask, hidden_states=hidden_states)
        stops = stop_token_ids if stop_token_ids is None or hasattr(stop_token_ids, "shape") else list(stop_token_ids)
        state = self.advance(next, state, prompt.shape[1], stop_token_ids=stops, mask=mask)
        return self.finish(state)

    def start(
        self, next: Callable, tokens: Any, cache: Any, index: Any, *, mask: Any = None, hidden_states: Any = None, limits: Any = None
    ) -> dict[str, Any]:
        """The state of the loop before its first round. `limits` (batch,) are the slots at which rows end, the last one by default."""
        batch, length = tokens.shape
        index = ops.cast(ops.convert_to_tensor(index), "int32")
        limits = ops.full((batch,), length, "int32") if limits is None else ops.cast(limits, "int32")
        return {"tokens": tokens, "cache": cache, "index": index, "limits": limits, "done": limits <= index}

    def advance(self, next: Callable, state: dict[str, Any], until: Any, *, stop_token_ids: Any = None, mask: Any = None) -> dict[str, Any]:
        """The state once the slots before `until` are written, or all rows are done."""

        def body(tokens: Any, cache: Any, index: Any, done: Any) -> tuple:
            logits, _, cache = next(tokens, cache, index)
            token = ops.cast(self.next_token(logits), tokens.dtype)
            old = column(tokens, index)
            kept = done if mask is None else ops.logical_or(done, column(mask, index))
            token = ops.where(kept, old, token)
            done = ops.logical_or(done, limits <= index + 1)
            if count_of(stop_token_ids):
                done = ops.logical_or(done, ops.logical_and(is_among(token, stop_token_ids), ops.logical_not(kept)))
            return put_column(tokens, index, token), cache, index + 1, done

        limits = state["limits"]
        names = ("tokens", "cache", "index", "done")
        last = self.run_loop(going_on(until), body, loop_vars=tuple(state[name] for name in names))
        return {**state, **dict(zip(names, last))}

    def finish(self, state: dict[str, Any]) -> Any:
        """What a call returns: the tokens (batch, length) of a state."""
        return state["tokens"]

    def sequences(self, state: dict[str, Any]) -> Any:
        """All sequences (batch, n, length) of a state, best first; n is `ranked`."""
        return state["tokens"][:, None]

    def get_config(self) -> dict[str, Any]:
        """What `from_config` makes an equal sampler of."""
        return {"temperature": self.temperature}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Sampler:
        """A sampler like the one that gave `config`."""
        return cls(**config)


class SeededSampler(Sampler):
    """A sampler that draws. Equal seeds give equal draws on one backend; each call goes on where the last one ended.

    Args:
        seed: an integer; None draws one from NumPy's global generator.
        temperature: see `Sampler`.
    """

    def __init__(self, seed: int | None = None, temperature: float = 1.0):
        super().__init__(temperature)
        self.seed = seed
        self._generators: dict[str, Any] = {}

    @property
    def seed_generator(self) -> Any:
        """The state of the draws on the active backend."""
        where = core.backend.backend()
        if where not in self._generators:
            self._generators[where] = core.random.SeedGenerator(self.seed)
        return self._generators[where]

    def draw(self, probabilities: Any) -> Any:
        """Column numbers (batch,), drawn with `probabilities` (batch, n); they need not add up to one."""
        floor = 1e-38  # the logarithm of a zero would be -inf, and a difference of two of them NaN
        logits = ops.where(probabilities > 0, ops.log(ops.maximum(probabilities, floor)), -1e9)
        return core.random.categorical(logits, 1, seed=self.seed_generator)[:, 0]

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed, **super().get_config()}


def going_on(until: Any) -> Callable:
    """The condition of the loops: slots are left, and some row is not done. Takes the loop variables, `index` third and `done` last."""

    def cond(*values: Any) -> Any:
        index, done = values[2], values[-1]
        return ops.logical_and(index < until, ops.logical_not(ops.all(done)))

    return cond


def is_among(tokens: Any, ids: Any) -> Any:
    """Whether each token is one of `ids`; False everywhere where there are none."""
    if count_of(ids) == 0:
        return ops.zeros(tokens.shape, "bool")
    return ops.any(tokens[..., None] == ops.cast(ops.convert_to_tensor(ids), tokens.dtype), axis=-1)


def count_of(ids: Any) -> int:
    """How many ids a list, a set, a tensor or None holds."""
    return 0 if ids is None else ids.shape[0] if hasattr(ids, "shape") else len(ids)


def column(values: Any, index: Any) -> Any:
    """`values[..., index]`, the index being a tensor."""
    lead = values.shape[:-1]
    return ops.reshape(ops.slice(values, (*[0] * len(lead), index), (*lead, 1)), lead)


def put_column(values: Any, index: Any, new: Any) -> Any:
    """`values` with `new` as its `[..., index]`."""
    return ops.slice_update(values, (*[0] * (len(values.shape) - 1), index), new[..., None])


def take_rows(structure: Any, rows: Any) -> Any:
    """Every tensor of a structure with the rows `rows` of its first axis."""
    return core.tree.map_structure(lambda x: x if x is None else ops.take(x, rows, axis=0), structure)


def repeat_rows(structure: Any, times: int) -> Any:
    """Every tensor of a structure with each row of its first axis `times` times."""
    return core.tree.map_structure(lambda x: x if x is None else ops.repeat(x, times, axis=0), structure)


def without_unit_axes(structure: Any) -> Any:
    """Every tensor of a structure without its axes of size 1; others than tensors of known shapes stay."""
    return core.tree.map_structure(lambda x: ops.reshape(x, [n for n in x.shape if n != 1]) if _has_unit_axes(x) else x, structure)


def like(example: Any, structure: Any) -> Any:
    """Every tensor of a structure with the axes of size 1 that `without_unit_axes` took from its fellow in `example`."""
    return core.tree.map_structure(lambda x, old: ops.reshape(x, old.shape) if _has_unit_axes(old) else x, structure, example)


def _has_unit_axes(x: Any) -> bool:
    sizes = tuple(getattr(x, "shape", ()))
    return 1 in sizes and None not in sizes
