"""`EinsumDense`: a dense layer whose product is any einsum."""

from __future__ import annotations

from typing import Any, NamedTuple

from core import activations, constraints, initializers, ops, regularizers
from core.base.shapes import Shape
from core.layers.input_spec import InputSpec
from core.layers.lora import LowRankLayer


class EinsumDense(LowRankLayer):
    """`activation(einsum(equation, inputs, kernel) + bias)`.

    Args:
        equation: for example `"abc,cd->abd"` or `"...x,xy->...y"`; inputs come first, the kernel second.
        output_shape: sizes of the outputs' axes without the batch axis (and without those of the ellipsis); None where they are
            those of the inputs.
        activation: name or function; None for none.
        bias_axes: letters of the outputs along which there is a bias; None for no bias.
        kernel_initializer, bias_initializer: initial values.
        kernel_regularizer, bias_regularizer, activity_regularizer: penalties.
        kernel_constraint, bias_constraint: projections after each update.
        lora_rank, lora_alpha: where given, the kernel gets a low-rank update; see `enable_lora`.

    Raises:
        ValueError: an equation that is not of this form, or inputs and output_shape that disagree with it.

    >>> EinsumDense("abc,cd->abd", output_shape=(None, 8), bias_axes="d")(np.ones((2, 5, 3), "float32")).shape
    (2, 5, 8)
    """

    def __init__(
        self,
        equation: str,
        output_shape: Any,
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        gptq_unpacked_column_size: int | None = None,
        quantization_config: Any = None,
        **kwargs,
    ):
        _parts(equation)  # raises where it is not of the form
        super().__init__(lora_rank=lora_rank, lora_alpha=lora_alpha, **kwargs)
        self.equation = equation
        self.partial_output_shape = (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)
        self.bias_axes = bias_axes
        self.activation = activations.get(activation)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.gptq_unpacked_column_size = gptq_unpacked_column_size
        self.quantization_config = quantization_config

    def build(self, input_shape):
        shapes = analyze(self.equation, self.bias_axes, input_shape, self.partial_output_shape)
        self._kernel = self.add_weight(
            shapes.kernel, self.kernel_initializer, regularizer=self.kernel_regularizer, constraint=self.kernel_constraint, name="kernel"
        )
        self.bias = None
        if shapes.bias is not None:
            self.bias = self.add_weight(
                shapes.bias, self.bias_initializer, regularizer=self.bias_regularizer, constraint=self.bias_constraint, name="bias"
            )
        self._contracted = projection_axes(self.equation)
        self.input_spec = InputSpec(ndim=len(input_shape))
        if self.lora_rank:
            self._add_factors(self.lora_rank, lora_alpha=self.lora_alpha)

    @property
    def kernel(self):
        """The kernel, its low-rank update included."""
        return self._adaptable() if self.lora_enabled or not self.built else self._kernel

    def call(self, inputs):
        kernel = self.kernel if self.lora_enabled else self._kernel
        if self._contracted:
            x = ops.projection(inputs, kernel, self.bias, self._contracted)
        else:
            x = ops.einsum(self.equation, inputs, kernel)
            if self.bias is not None:
                x = ops.add(x, self.bias)
        return x if self.activation is activations.linear else self.activation(x)

    def compute_output_shape(self, input_shape):
        return analyze(self.equation, self.bias_axes, input_shape, self.partial_output_shape).outputs

    def get_config(self):
        return {
            **super().get_config(),
            "output_shape": self.partial_output_shape,
            "equation": self.equation,
            "activation": activations.serialize(self.activation),
            "bias_axes": self.bias_axes,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "quantization_config": self.quantization_config,
            **self._lora_config(),
        }


def projection_axes(equation: str) -> int:
    """How many trailing axes of the inputs are contracted with the leading ones of the kernel, where the equation is just that; else 0.

    >>> projection_axes("abc,cde->abde"), projection_axes("abcd,cde->abe"), projection_axes("ab,cb->ac")
    (1, 2, 0)
    """
    source, kernel, target = _parts(equation)
    for axes in range(1, min(len(kernel), len(source.replace("...", ""))) + 1):
        if source[-axes:] == kernel[:axes] and target == source[:-axes] + kernel[axes:]:
            return axes
    return 0


class Shapes(NamedTuple):
    """The shapes in one einsum layer; `bias` is None where there is none."""

    kernel: Shape
    bias: Shape | None
    outputs: Shape


def analyze(equation: str, bias_axes: str | None, input_shape: Shape, output_shape: Shape) -> Shapes:
    """The shapes that an equation means for inputs of a shape, with `output_shape` the outputs' sizes without the batch axis.

    >>> analyze("...x,xy->...y", "y", (None, 5, 3), (8,))
    Shapes(kernel=(3, 8), bias=(8,), outputs=(None, 5, 8))
    """
    source, kernel, target = _parts(equation)
    many = len(input_shape) - len(source.replace("...", ""))  # axes that the ellipsis stands for
    if many < 0 or (many and "..." not in source):
        raise ValueError(f"EinsumDense with equation {equation!r} expected inputs of {len(source)} axes, got shape {tuple(input_shape)}.")
    # Letters that no equation holds name the axes of the ellipsis.
    source, target = (term.replace("...", "".join(map(chr, range(0x100, 0x100 + many)))) for term in (source, target))
    sizes = dict(zip(source, input_shape))
    # An ellipsis in front stands for the batch axis as well; in all other cases the first axis is the batch.
    given = [axis for axis in target if ord(axis) < 0x100] if target and ord(target[0]) >= 0x100 and many else list(target[1:])
    if len(given) != len(output_shape):
        given = list(target[len(target) - len(output_shape) :])
    for axis, size in zip(given, output_shape):
        if axis in sizes and size is not None and sizes[axis] not in (None, size):
            raise ValueError(f"EinsumDense with equation {equation!r}: axis {axis!r} is {sizes[axis]} in inputs "
                             f"{tuple(input_shape)}, but {size} in output_shape {tuple(output_shape)}.")  # fmt: skip
        if size is not None or axis not in sizes:
            sizes[axis] = size
    unknown = [axis for axis in kernel if sizes.get(axis) is None]
    if unknown:
        raise ValueError(f"EinsumDense with equation {equation!r} cannot tell the size of the kernel's axes {unknown} from inputs "
                         f"{tuple(input_shape)} and output_shape {tuple(output_shape)}: give them full shapes.")  # fmt: skip
    outputs = tuple(sizes.get(axis) for axis in target)
    return Shapes(tuple(sizes[axis] for axis in kernel), _bias_shape(equation, bias_axes, target, outputs), outputs)


def _parts(equation: str) -> tuple[str, str, str]:
    terms = equation.replace(" ", "").replace("->", ",").split(",")
    if len(terms) != 3 or "->" not in equation or not all(term.replace("...", "").isalpha() for term in terms):
        raise ValueError(f"EinsumDense needs an equation such as 'abc,cd->abd' or '...x,xy->...y', got {equation!r}.")
    source, kernel, target = terms
    if "..." in kernel or ("..." in source) != ("..." in target):
        raise ValueError(f"In EinsumDense an ellipsis stands in both inputs and outputs, never in the kernel; got {equation!r}.")
    strange = sorted(set(kernel) - set(source) - set(target)) + sorted(set(target.replace(".", "")) - set(source) - set(kernel))
    if strange:
        raise ValueError(f"The axes {strange} of equation {equation!r} must occur in one more term.")
    return source, kernel, target


def _bias_shape(equation: str, bias_axes: str | None, target: str, outputs: Shape) -> Shape | None:
    if not bias_axes:
        return None
    strange = sorted(set(bias_axes) - set(target))
    if strange:
        raise ValueError(f"bias_axes {bias_axes!r} has {strange}, which are not among the output axes of equation {equation!r}.")
    first = min(target.index(axis) for axis in bias_axes)
    return tuple(size if axis in bias_axes else 1 for axis, size in zip(target[first:], outputs[first:]))
