"""`TorchModuleWrapper`: a `torch.nn.Module` as a layer."""

from __future__ import annotations

import copy
from typing import Any, Self

from core.backend import slot
from core.backend.symbolic import KerasTensor
from core.base import tree
from core.layers.layer import Layer
from core.state.variable import Variable


class TorchModuleWrapper(Layer):
    """The outputs of a PyTorch module, whose parameters are this layer's variables: optimizers train them, files keep them.

    Its config cannot be saved, since it would need the module's code; its weights can.

    Args:
        module: a `torch.nn.Module`.
        output_shape: shape of the outputs for symbolic calls; found by two runs of the module where it is None.

    Raises:
        ValueError: another backend than torch is active.

    >>> layer = TorchModuleWrapper(torch.nn.Linear(3, 2))
    >>> layer(torch.ones(4, 3)).shape, len(layer.trainable_variables)
    (torch.Size([4, 2]), 2)
    """

    _untracked = Layer._untracked | {"module"}

    def __init__(self, module: Any, name: str | None = None, output_shape: Any = None, **kwargs: Any):
        super().__init__(name=name, **kwargs)
        if self.backend.name != "torch":
            raise ValueError(
                f"TorchModuleWrapper runs on the torch backend, the active one is {self.backend.name}: core.config.set_backend('torch')."
            )
        torch = self.backend.native
        if not isinstance(module, torch.nn.Module):
            raise TypeError(f"TorchModuleWrapper wraps a torch.nn.Module, got {module!r} of type {type(module).__name__}.")
        self.module = module
        self.output_shape = None if output_shape is None else tuple(output_shape)
        self._held: list[Variable] = []
        self._lazy = any(torch.nn.parameter.is_lazy(p) for p in (*module.parameters(), *module.buffers()))
        if not self._lazy:
            self._hold()
            self.built = True

    def build(self, input_shape: Any) -> None:
        if self._lazy:
            torch = self.backend.native
            with torch.no_grad():  # lazy modules learn their shapes from a run
                self.module(tree.map_shape_structure(lambda s: torch.zeros([2 if d is None else d for d in s]), input_shape))
            self._hold()
            self._lazy = False

    def _hold(self) -> None:
        """Each parameter and buffer of the module as a variable over the same memory."""
        torch = self.backend.native
        for owner in self.module.modules():
            for name, buffer in owner._buffers.items():
                if buffer is not None and not isinstance(
                    buffer, torch.nn.Parameter
                ):  # variables hold parameters, which are written in place
                    owner._buffers[name] = torch.nn.Parameter(buffer, requires_grad=False)
        self._held = [self._variable(name, p) for name, p in (*self.module.named_parameters(), *self.module.named_buffers())]

    def _variable(self, name: str, parameter: Any) -> Variable:
        variable = Variable(parameter.detach(), trainable=parameter.requires_grad and self._trainable, name=name, backend=self.backend)
        variable._value = parameter
        return variable

    def parameters(self, recurse: bool = True) -> Any:
        """The module's parameters."""
        return self.module.parameters(recurse)

    def call(self, inputs: Any, *args: Any, training: bool | None = None, **kwargs: Any) -> Any:
        if training is not None and self.module.training != bool(training):
            self.module.train(bool(training))
        return self.module(inputs, *args, **kwargs)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        if self.output_shape is not None:
            return KerasTensor(self.output_shape, self.compute_dtype)
        torch, backend = self.backend.native, self.backend
        kwargs.pop("training", None)

        def run(size: int) -> Any:
            def zeros(x: Any) -> Any:
                if not isinstance(x, KerasTensor):
                    return x
                return backend.cast(torch.zeros([size if d is None else d for d in x.shape]), x.dtype)

            phase = self.module.training
            with torch.no_grad():
                try:
                    return self.module.eval()(*tree.map_structure(zeros, args), **tree.map_structure(zeros, kwargs))
                finally:
                    self.module.train(phase)

        return tree.map_structure(
            lambda a, b: KerasTensor(tuple(d if d == e else None for d, e in zip(a.shape, b.shape)), backend.dtype(a)), run(2), run(3)
        )

    def __deepcopy__(self, memo: dict) -> TorchModuleWrapper:
        new = memo[id(self)] = type(self).__new__(type(self))
        for key, value in self.__dict__.items():
            new.__dict__[key] = [] if key == "_held" else copy.deepcopy(value, memo)
        if not self._lazy:
            new._hold()  # over the memory of the copied module
            for mine, other in zip(new._held, self._held):
                mine.path = other.path
        return new

    def to_backend(self, backend: Any) -> Self:
        if slot.get(backend) is not self.backend:
            raise ValueError(f"{self.name!r} is a PyTorch module and stays on the torch backend.")
        return self

    def get_config(self) -> dict:
        raise ValueError(
            f"{self.name!r} wraps the PyTorch module {type(self.module).__name__}, whose code no config can hold. Save its weights with "
            "save_weights, or define a layer class that makes the module in __init__."
        )
