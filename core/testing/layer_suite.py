"""What every layer must do, on every backend: for ours, and for those that users write.

>>> import core
>>> check_layer(core.layers.Dense, {"units": 3}, (2, 4), "numpy")
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from core import transforms
from core.backend import slot
from core.backend.masks import get_mask, set_mask
from core.backend.protocol import Backend
from core.backend.symbolic import KerasTensor
from core.base import registry, tree
from core.layers.layer import Layer
from core.utils.seeding import seed_scope


def check_layer(
    make: Callable[..., Layer],
    kwargs: dict | None,
    inputs: Any,
    backend: str,
    *,
    call_kwargs: dict | None = None,
    expected_output_shape: Any = None,
    supports_masking: bool | None = None,
    mixed_precision: bool = True,
    gradient: bool = True,
    deterministic: bool = True,
    jit: bool = True,
    symbolic: bool = True,
    config: bool = True,
    atol: float = 1e-5,
    seed: int = 0,
) -> Layer:
    """Raises an `AssertionError` that lists all that is wrong with a layer on a backend; returns a built layer where nothing is.

    Args:
        make: the layer's class, or a function that makes it from `kwargs`.
        kwargs: arguments of `make`.
        inputs: an input, or a list or dict of them; each is an array, or a shape (a tuple of ints) to fill with random floats.
        backend: name of the backend.
        call_kwargs: further arguments of the call, for example `{"training": True}`.
        expected_output_shape: shape of the outputs, checked where given.
        supports_masking: whether a mask of the inputs comes out again; not checked where None.
        mixed_precision: whether the layer must compute in bfloat16 under that policy.
        gradient: whether each trainable weight gets a gradient.
        deterministic: whether two calls give the same outputs.
        jit: whether the compiled call must equal the eager one.
        symbolic: whether shapes follow from symbolic tensors, the batch unknown included.
        config: whether the config can be saved; layers around functions that are not registered say False.
        atol: tolerance between outputs that should be equal.
        seed: of the initial weights and all other draws.
    """
    with slot.use(backend) as used, seed_scope(seed):
        checks = _Checks(make, kwargs or {}, inputs, used, call_kwargs or {}, atol)
        faults = []
        wanted: list[Callable[[], Any]] = [checks.documented, lambda: checks.called(expected_output_shape)]
        if symbolic:
            wanted.append(checks.symbolic_shapes)
        if config:
            wanted += [checks.config_round_trip, checks.store_round_trip] if deterministic else [checks.config_comes_back]
        if deterministic:
            wanted.append(checks.repeats)
        if supports_masking is not None:
            wanted.append(lambda: checks.masks(supports_masking))
        if jit and deterministic:
            wanted.append(checks.compiled)
        if gradient and used.trains:
            wanted.append(checks.gradients)
        if mixed_precision:
            wanted.append(checks.mixed)
        for check in wanted:
            try:
                check()
            except AssertionError as error:
                faults.append(str(error).strip())
            except Exception as error:  # noqa: BLE001 (whatever a backend raises is a finding)
                faults.append(f"{type(error).__name__}: {' '.join([str(error), *getattr(error, '__notes__', ())])[:600]}")
            if faults and checks.outputs is None:  # the first call failed: the rest would say the same
                break
        if faults:
            raise AssertionError(f"{checks.name} on {backend}:\n" + "\n".join(f"  {fault}" for fault in faults))
        return checks.layer


def fill(inputs: Any, seed: int = 0) -> Any:
    """`inputs` with every shape (a tuple of ints) replaced by an array of random floats between -1 and 1."""
    rng = np.random.default_rng(seed)

    def one(x: Any) -> Any:
        if isinstance(x, tuple) and all(isinstance(d, int) for d in x):
            return rng.uniform(-1, 1, x).astype("float32")
        return x

    if isinstance(inputs, list):
        return [one(x) for x in inputs]
    return {k: one(x) for k, x in inputs.items()} if isinstance(inputs, dict) else one(inputs)


class _Checks:
    """One layer on one backend."""

    def __init__(self, make: Callable, kwargs: dict, inputs: Any, backend: Backend, call_kwargs: dict, atol: float):
        self.make, self.kwargs, self.backend, self.call_kwargs, self.atol = make, kwargs, backend, call_kwargs, atol
        self.arrays = fill(inputs)
        self.tensors = tree.map_structure(backend.convert_to_tensor, self.arrays)
        self.name = getattr(make, "__name__", str(make))
        self.layer = make(**kwargs)
        self.outputs: Any = None

    def call(self, layer: Layer | None = None, inputs: Any = None) -> Any:
        return (layer or self.layer)(self.tensors if inputs is None else inputs, **self.call_kwargs)

    def numpy(self, outputs: Any) -> list[np.ndarray]:
        return [np.asarray(self.backend.convert_to_numpy(x)) for x in tree.flatten(outputs)]

    def same(self, got: Any, expected: Any, what: str) -> None:
        got, expected = self.numpy(got), self.numpy(expected)
        assert len(got) == len(expected), f"{what}: {len(got)} outputs, expected {len(expected)}"
        for a, b in zip(got, expected):
            np.testing.assert_allclose(a.astype("float64"), b.astype("float64"), rtol=1e-4, atol=self.atol, err_msg=what)

    def documented(self) -> None:
        assert (type(self.layer).__doc__ or "").strip(), "it has no docstring"

    def called(self, expected_shape: Any) -> None:
        self.outputs = self.call()
        shapes = [tuple(x.shape) for x in tree.flatten(self.outputs)]
        assert self.layer.built, "it is not built after a call"
        if expected_shape is not None:
            expected = [expected_shape] if isinstance(expected_shape, tuple) else expected_shape
            assert shapes == list(expected), f"the outputs have shapes {shapes}, expected {expected}"

    def symbol(self, x: Any) -> KerasTensor:
        return KerasTensor(tuple(x.shape), self.backend.dtype(x))

    def unknown_batch(self, x: Any) -> KerasTensor:
        return KerasTensor((None, *x.shape[1:]), self.backend.dtype(x))

    def symbolic_shapes(self) -> None:
        real = [(tuple(x.shape), self.backend.dtype(x)) for x in tree.flatten(self.outputs)]
        for batch in (True, False):
            layer = self.make(**self.kwargs)
            symbols = tree.map_structure(self.unknown_batch if batch else self.symbol, self.tensors)
            told = tree.flatten(self.call(layer, symbols))
            assert len(told) == len(real), f"{len(told)} symbolic outputs, but {len(real)} real ones"
            for symbol, (shape, dtype) in zip(told, real):
                fits = len(symbol.shape) == len(shape) and all(a == b or (a is None and batch) for a, b in zip(symbol.shape, shape))
                assert fits, f"the symbolic shape is {symbol.shape}, the real one {shape} (batch {'unknown' if batch else 'known'})"
                assert symbol.dtype == dtype, f"the symbolic dtype is {symbol.dtype}, the real one {dtype}"
            told_shapes = self.layer.compute_output_shape(tree.map_structure(lambda x: tuple(x.shape), self.arrays))
            told_shapes = (
                [told_shapes] if isinstance(told_shapes, tuple) and all(isinstance(d, int) for d in told_shapes) else list(told_shapes)
            )
            if not self.call_kwargs:
                assert [tuple(s) for s in told_shapes] == [s for s, _ in real], (
                    f"compute_output_shape says {told_shapes}, the outputs have {real}"
                )

    def config_comes_back(self) -> Layer:
        config = registry.serialize_keras_object(self.layer)
        text = json.dumps(config)
        config_of_new = json.loads(text)
        with registry.custom_object_scope({type(self.layer).__name__: type(self.layer)}):
            new = registry.deserialize_keras_object(config_of_new)
        assert type(new) is type(self.layer), f"its config makes a {type(new).__name__}"
        again = json.loads(json.dumps(registry.serialize_keras_object(new)))
        assert again == json.loads(text), f"the config does not come back: {text} became {json.dumps(again)}"
        return new

    def config_round_trip(self) -> None:
        new = self.config_comes_back()
        self.call(new)
        shapes = [v.shape for v in new.weights]
        assert shapes == [v.shape for v in self.layer.weights], f"from its config it has weights of shapes {shapes}"
        new.set_weights(self.layer.get_weights())
        self.layer.set_weights(self.layer.get_weights())
        first = self.call()
        new.set_weights(self.layer.get_weights()) if not self.call_kwargs else None
        if not self.call_kwargs.get("training"):
            self.same(self.call(new), first, "made from its config, with the same weights")

    def store_round_trip(self) -> None:
        new = self.make(**self.kwargs)
        self.call(new)
        for ours, other in zip(self.layer._flatten_layers(), new._flatten_layers()):
            store: dict[str, np.ndarray] = {}
            ours.save_own_variables(store)
            other.load_own_variables({k: np.array(v) for k, v in store.items()})
        self.same(
            [v.value for v in new.weights], [v.value for v in self.layer.weights], "weights after save_own_variables and load_own_variables"
        )

    def repeats(self) -> None:
        if not self.call_kwargs.get("training"):
            self.same(self.call(), self.call(), "two calls")

    def masks(self, supported: bool) -> None:
        first = tree.flatten(self.tensors)[0]
        shape = tuple(first.shape)[:2]
        mask = self.backend.convert_to_tensor(np.arange(int(np.prod(shape))).reshape(shape) % 3 > 0, "bool")
        flat = tree.flatten(self.tensors)
        for x in flat:
            set_mask(x, mask)
        try:
            outputs = tree.flatten(self.call())
            kept = get_mask(outputs[0])
        finally:
            for x in flat:
                set_mask(x, None)
        if supported:
            assert kept is not None, "the mask of its inputs is lost"
            assert self.backend.dtype(kept) == "bool", f"the mask of its outputs is {self.backend.dtype(kept)}, not bool"
        else:
            assert kept is None or outputs[0] is flat[0], "it hands on a mask"

    def compiled(self) -> None:
        if self.call_kwargs.get("training"):
            return
        call = transforms.jit(lambda x: self.call(inputs=x))
        self.same(call(self.tensors), self.call(), "compiled against eager")

    def gradients(self) -> None:
        variables = self.layer.trainable_variables
        if not variables:
            return
        weights = [
            np.random.default_rng(i).uniform(0.5, 1.5, tuple(x.shape)).astype("float32") for i, x in enumerate(tree.flatten(self.outputs))
        ]

        def loss() -> Any:
            total = 0.0
            for x, w in zip(tree.flatten(self.call()), weights):
                total = total + self.backend.sum(self.backend.cast(x, "float32") * self.backend.convert_to_tensor(w))
            return total

        _, gradients = transforms.value_and_grad(loss, variables)()
        for variable, gradient in zip(variables, gradients):
            assert gradient is not None, f"no gradient reaches {variable.path}"
            values = self.backend.convert_to_numpy(gradient)
            assert values.shape == variable.shape, f"the gradient of {variable.path} has shape {values.shape}"
            assert np.isfinite(values).all(), f"the gradient of {variable.path} is not finite"
            assert np.abs(values).sum() > 0, f"the gradient of {variable.path} is zero everywhere"

    def mixed(self) -> None:
        if not any(np.asarray(x).dtype.kind == "f" for x in tree.flatten(self.arrays)) and not self.layer.weights:
            return
        layer = self.make(**{**self.kwargs, "dtype": "mixed_bfloat16"})
        outputs = tree.flatten(self.call(layer))
        floats = [self.backend.dtype(x) for x in outputs if "int" not in self.backend.dtype(x) and self.backend.dtype(x) != "bool"]
        assert all(d == "bfloat16" for d in floats), f"under mixed_bfloat16 its outputs are {floats}"
        kept = {v.dtype for v in layer.weights if "float" in v.dtype}
        assert kept <= {"float32"}, f"under mixed_bfloat16 its weights are {kept}"


__all__ = ["check_layer", "fill"]
