"""`Input`: where data enters a graph."""

from __future__ import annotations

from typing import Any

from core.backend import slot
from core.backend.symbolic import KerasTensor, Node
from core.base.dtypes import standardize_dtype
from core.base.shapes import standardize_shape
from core.layers.layer import Layer


class InputLayer(Layer):
    """The layer that stands for one input of a model.

    Args:
        shape: shape without the batch axis.
        batch_size: fixed batch size, None for any.
        batch_shape: shape with the batch axis, in place of the two above.
        dtype: dtype of the data; `floatx()` where it is None.
        optional: whether the input may be None.
    """

    def __init__(
        self,
        shape=None,
        batch_size=None,
        dtype=None,
        sparse=None,
        ragged=None,
        batch_shape=None,
        input_tensor=None,
        optional=False,
        name=None,
        **kwargs,
    ):
        input_shape, batch_input_shape = kwargs.pop("input_shape", None), kwargs.pop("batch_input_shape", None)
        shape = shape if shape is not None else input_shape
        batch_shape = batch_shape if batch_shape is not None else batch_input_shape
        if sparse and ragged:
            raise ValueError("An input cannot be sparse and ragged at once.")
        if input_tensor is not None:
            if not isinstance(input_tensor, KerasTensor):
                raise ValueError(f"Input takes a symbolic tensor as `tensor`, got a {type(input_tensor).__name__}.")
            batch_shape, dtype = input_tensor.shape, dtype or input_tensor.dtype
        elif shape is not None and batch_shape is not None:
            raise ValueError(f"Give Input either shape or batch_shape, not both; got shape={shape} and batch_shape={batch_shape}.")
        elif batch_shape is None and shape is None:
            raise ValueError("Input needs the shape of one example, without the batch axis: core.Input((28, 28, 1)).")
        elif batch_shape is None:
            batch_shape = (batch_size, *standardize_shape(shape))
        super().__init__(name=name, **kwargs)
        self._dtype_name = standardize_dtype(dtype)
        self._shape = standardize_shape(batch_shape)
        self.sparse, self.ragged, self.optional = bool(sparse), bool(ragged), bool(optional)
        if self.sparse and slot.active().sparse is None:
            raise ValueError(f"The {slot.backend()} backend has no sparse tensors; jax and tensorflow have. Leave sparse=False.")
        self.built = True
        output = (
            input_tensor
            if input_tensor is not None
            else KerasTensor(self._shape, self._dtype_name, sparse=self.sparse, ragged=self.ragged, name=self.name)
        )
        self._inbound_nodes.append(Node(self, (), {}, output, [output]))

    def call(self) -> None:
        """Inputs are never computed."""

    @property
    def batch_shape(self) -> tuple:
        """The shape of the data, batch axis included."""
        return self._shape

    @property
    def dtype(self) -> str:
        """The dtype of the data."""
        return self._dtype_name

    def get_config(self) -> dict:
        config = {"batch_shape": self._shape, "dtype": self._dtype_name, "sparse": self.sparse, "ragged": self.ragged, "name": self.name}
        return {**config, "optional": True} if self.optional else config


def Input(
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: Any = None,
    optional: bool = False,
) -> KerasTensor:
    """A symbolic tensor at which data enters a model.

    Args:
        shape: shape of one example, without the batch axis; None where a dimension may be any.

    >>> Input((28, 28, 1)).shape
    (None, 28, 28, 1)
    """
    layer = InputLayer(shape, batch_size, dtype, sparse, ragged, batch_shape, tensor, optional, name=name)
    return layer.output
