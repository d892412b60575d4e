"""Core layers as PyTorch modules: what `parameters()`, `state_dict()` and optimizers of PyTorch work on.

Row 1 knows no layers: a layer is here what has `_named_parts`, `_own_ordered` and `weights`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from core.backend.journal import Holder


class LayerModule(nn.Module):
    """A core layer as an `nn.Module` over the same parameters, named by attributes: `"dense.kernel"`, `"blocks.0.bias"`.

    Variables that are not trainable are parameters without gradients. `train()` and `eval()` set the phase of the calls.
    """

    def __init__(self, layer: Any):
        super().__init__()
        _require_built(layer)
        for path, variable in named_weights(layer):
            place: Any = self
            for part in path[:-1]:
                place = place._modules.setdefault(part, nn.Module())
            place.register_parameter(path[-1], variable._value)
        self.__dict__["layer"] = layer

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        if self.layer._call_spec.training:
            kwargs.setdefault("training", self.training)
        return self.layer(*args, **kwargs)

    def _apply(self, fn: Any, recurse: bool = True) -> LayerModule:  # what `to`, `cuda`, `half` and the like are made of
        if fn(torch.zeros((), dtype=torch.float32)).dtype != torch.float32:
            raise TypeError(
                f"{self.layer.name!r} takes its dtypes from its dtype policy: make it with dtype=..., and move it with .to(device)."
            )
        super()._apply(fn, recurse)
        weights = dict(self._places())
        for variable in self.layer.variables:
            held = weights.get(variable)
            if held is None:  # the state of a seed or a metric, which is no parameter
                held = nn.Parameter(fn(variable._value.detach()), requires_grad=False)
            variable._value = held  # mostly the same object; PyTorch makes a new one where the old cannot live on the device
        return self

    def _places(self) -> Iterator[tuple[Any, nn.Parameter]]:
        for path, variable in named_weights(self.layer):
            place: Any = self
            for part in path[:-1]:
                place = place._modules[part]
            yield variable, place._parameters[path[-1]]

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            if "layer" not in self.__dict__ or name.startswith("__"):
                raise
            return getattr(self.__dict__["layer"], name)

    def __reduce__(self) -> tuple:  # a copy holds the copy of the layer, and the parameters of that one
        return LayerModule, (self.layer,), {"training": self.training}

    def __setstate__(self, state: dict) -> None:
        self.train(state["training"])

    def extra_repr(self) -> str:
        return repr(self.__dict__["layer"])


def named_weights(layer: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """`(path, variable)` of all weights, each once: attribute names and list positions, then the variable's name."""
    seen: set[int] = set()

    def walk(layer: Any, path: tuple[str, ...]) -> Iterator:
        names: dict[str, int] = {}
        for variable in layer._own_ordered():
            if id(variable) not in seen:
                seen.add(id(variable))
                name = variable.name.replace(".", "_")
                count = names[name] = names.get(name, -1) + 1
                yield (*path, f"{name}_{count}" if count else name), variable
        for name, value in layer._named_parts():
            for place, part in _layers_in(value, () if name == "_layers" or name.startswith("_") else (name,)):
                if id(part) not in seen:
                    seen.add(id(part))
                    yield from walk(part, (*path, *place))

    return walk(layer, ())


def _layers_in(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if is_layer(value):
        yield path or (value.name.replace(".", "_"),), value
    elif isinstance(value, (list, tuple)):
        for i, part in enumerate(value):
            yield from _layers_in(part, (*path, str(i)))
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _layers_in(part, (*path, str(key).replace(".", "_")))


def is_layer(value: Any) -> bool:
    """Whether `value` is a core layer."""
    return any(base.__module__ == "core.layers.layer" for base in type(value).__mro__)  # Keras' layers have methods of the same names


def _require_built(layer: Any) -> None:
    if layer.backend.name != "torch":
        raise ValueError(
            f"{layer.name!r} is on the {layer.backend.name} backend, so it has no PyTorch parameters: move it with .to_backend('torch')."
        )
    for part in layer._flatten_layers():
        if not part.built and getattr(type(part).build, "__wrapped__", None) is not None:  # a `build` of its own makes variables
            raise ValueError(
                f"{type(part).__name__} {part.name!r} is not built, so it has no parameters yet and an optimizer would miss them: "
                "call the layer on data, or its build(input_shape), before."
            )


_OF_MODULE = frozenset((
    "buffers", "cpu", "cuda", "load_state_dict", "named_buffers", "named_parameters", "parameters", "requires_grad_", "state_dict", "to",
))  # fmt: skip


def layer_attribute(layer: Any, name: str) -> Any:
    """What a core layer on this backend has in addition, for PyTorch's users; AttributeError for other names."""
    if name in _OF_MODULE:
        function = getattr(LayerModule(layer), name)
        return (
            (lambda *args, **kwargs: function(*args, **kwargs) and layer) if name in ("to", "cpu", "cuda", "requires_grad_") else function
        )
    if name == "zero_grad":
        return lambda set_to_none=True: _zero_grad(layer, set_to_none)
    if name in ("train", "eval"):
        raise AttributeError(
            f"{layer.name!r} has no {name}(): core layers are told the phase at each call, as in model(x, training=True). "
            "core.interop.torch.module(model) is an nn.Module with train() and eval()."
        )
    raise AttributeError(name)


def _zero_grad(layer: Any, set_to_none: bool = True) -> None:
    for variable in layer.weights:
        held = variable._value
        if held.grad is not None:
            held.grad = None if set_to_none else torch.zeros_like(held)


def layer_module(layer: Any) -> LayerModule:
    """The layer as an `nn.Module`."""
    return LayerModule(layer)


_plain_setattr = nn.Module.__setattr__


def _setattr(self: nn.Module, name: str, value: Any) -> None:
    """A core layer or variable that becomes an attribute of an `nn.Module` registers its parameters there.

    PyTorch looks for its own classes only and would train nothing of it, without a word.
    """
    if isinstance(value, Holder):
        if isinstance(value._value, nn.Parameter):
            self.register_parameter(f"{name}_value", value._value)
        self.__dict__[name] = value
    elif is_layer(value):
        module = LayerModule(value)  # raises where there is nothing to register yet
        self.__dict__.pop(name, None)
        self._modules[name] = module
        self.__dict__[name] = value  # reading the attribute gives the layer itself
    else:
        if name in self.__dict__ and is_layer(self.__dict__[name]):
            del self.__dict__[name]
            self._modules.pop(name, None)
        _plain_setattr(self, name, value)


if nn.Module.__setattr__.__name__ != "_setattr":
    nn.Module.__setattr__ = _setattr  # type: ignore[method-assign]
