"""`JaxLayer`: a pair of JAX functions as a layer."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from core.backend.symbolic import KerasTensor
from core.base import registry, tree
from core.graph.context import CONTEXT
from core.layers.layer import Layer
from core.state.seed import SeedGenerator
from core.state.variable import Variable

_CALL = ("params", "state", "rng", "inputs", "training")
_INIT = ("rng", "inputs", "training")


class JaxLayer(Layer):
    """The outputs of a stateless JAX function, whose parameters are this layer's variables.

    Args:
        call_fn: takes `params` and `inputs`, and of `state`, `rng`, `training` those that it names, in the order `(params, state, rng,
            inputs, training)`. Returns the outputs, or `(outputs, new state)` where it takes `state`.
        init_fn: takes `rng` and `inputs`, and `training` where it names it; returns `params`, or `(params, state)`. Not needed where
            `params` are given.
        params, state: initial values, as pytrees.
        seed: of the `rng`s.

    Raises:
        ValueError: another backend than jax is active, or the functions' parameters have other names.

    >>> layer = JaxLayer(lambda params, inputs: inputs @ params["w"], params={"w": np.ones((3, 2), "float32")})
    >>> layer(np.ones((1, 3), "float32")).shape
    (1, 2)
    """

    def __init__(
        self,
        call_fn: Callable,
        init_fn: Callable | None = None,
        params: Any = None,
        state: Any = None,
        seed: int | None = None,
        native_serialization_platforms: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if self.backend.name != "jax":
            raise ValueError(
                f"{type(self).__name__} runs on the jax backend, and the active one is {self.backend.name}: core.config.set_backend('jax')."
            )
        if init_fn is None and params is None and state is None:
            raise ValueError(f"{type(self).__name__} needs init_fn, or params and state to start from.")
        self.call_fn, self.init_fn = call_fn, init_fn
        self._call_names = _parameters("call_fn", call_fn, _CALL, ("inputs",))
        self._init_names = None if init_fn is None else _parameters("init_fn", init_fn, _INIT, ("rng", "inputs"))
        self.seed_generator = SeedGenerator(seed)
        self._params: list[Variable] = []
        self._state: list[Variable] = []
        self._params_spec = self._state_spec = None
        if params is not None or state is not None:
            self._hold(params, state)

    def _hold(self, params: Any, state: Any) -> None:
        if params is not None:
            self._params, self._params_spec = self._variables(params, "params", True)
        if state is not None:
            self._state, self._state_spec = self._variables(state, "state", False)

    def _variables(self, values: Any, name: str, trainable: bool) -> tuple[list[Variable], Any]:
        leaves, spec = tree.flatten_with_spec(values)
        made = [
            Variable(leaf, trainable=trainable and self._trainable, name=f"{name}_{i}", backend=self.backend)
            if hasattr(leaf, "shape")
            else leaf
            for i, leaf in enumerate(leaves)
        ]
        return made, spec

    def build(self, input_shape: Any) -> None:
        if self._params_spec is None and self._state_spec is None:
            inputs = tree.map_shape_structure(
                lambda s: self.backend.ones([1 if d is None else d for d in s], self.compute_dtype), input_shape
            )
            given = {"rng": self.seed_generator.next(), "inputs": inputs, "training": True}
            make: Any = self.init_fn  # there, where neither params nor state are
            made = make(**{name: given[name] for name in self._init_names or ()})
            self._hold(*(made if "state" in self._call_names else (made, None)))

    def call(self, inputs: Any, training: bool = False) -> Any:
        given = {"inputs": inputs, "training": bool(training)}
        if "params" in self._call_names:
            given["params"] = self._values(self._params, self._params_spec)
        if "state" in self._call_names:
            given["state"] = self._values(self._state, self._state_spec)
        if "rng" in self._call_names:
            given["rng"] = self.seed_generator.next()
        outputs = self.call_fn(*(given[name] for name in self._call_names))
        if "state" in self._call_names:
            outputs, new = outputs
            for variable, value in zip(self._state, tree.flatten(new), strict=True):
                if isinstance(variable, Variable):
                    variable.assign(value)
        return outputs

    @staticmethod
    def _values(held: list, spec: Any) -> Any:
        return None if spec is None else tree.unflatten(spec, [v.value if isinstance(v, Variable) else v for v in held])

    def compute_output_spec(self, inputs: Any, training: bool = False) -> Any:
        jax, backend = self.backend.native, self.backend
        before, CONTEXT.abstract = CONTEXT.abstract, True

        def run(size: int) -> Any:
            def spec(x: Any) -> Any:
                return jax.ShapeDtypeStruct([size if d is None else d for d in x.shape], backend.allowed(x.dtype))

            return jax.eval_shape(lambda given: backend.pure(self.call)(given, training)[0], tree.map_structure(spec, inputs))

        try:
            small, large = run(2), run(3)
        finally:
            CONTEXT.abstract = before
        return tree.map_structure(
            lambda a, b: KerasTensor(tuple(d if d == e else None for d, e in zip(a.shape, b.shape)), str(a.dtype)), small, large
        )

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "call_fn": registry.serialize_keras_object(self.call_fn),
            "init_fn": registry.serialize_keras_object(self.init_fn),
        }

    @classmethod
    def from_config(cls, config: dict) -> JaxLayer:
        return cls(
            **{key: registry.deserialize_keras_object(value) if key in ("call_fn", "init_fn") else value for key, value in config.items()}
        )


def _parameters(what: str, fn: Callable, known: tuple[str, ...], needed: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(inspect.signature(fn).parameters)
    if [n for n in known if n in names] != list(names) or not set(needed) <= set(names):
        raise ValueError(f"{what} takes parameters named among {known}, in this order and with {needed}; got {names}.")
    return names
