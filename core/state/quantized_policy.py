"""Dtype policies of quantized layers: how weights are stored, and the policy of the layer that they were made from."""

from __future__ import annotations

from typing import Any

from core.base.errors import unknown_name
from core.state.dtype_policy import DTypePolicy

MODES = ("int8", "float8", "int4", "gptq", "awq")


class QuantizedDTypePolicy(DTypePolicy):
    """Weights stored as `mode` says, computation and other variables as in the policy `source_name`.

    Args:
        mode: `"int8"`, `"int4"` or `"float8"`; the subclasses take further modes.
        source_name: the name of a float policy, for example `"mixed_bfloat16"`; the global policy's where it is None.

    Raises:
        ValueError: an unknown mode, or one that does not go with the source: int8 overflows float16's range.

    >>> policy = QuantizedDTypePolicy("int8", "mixed_bfloat16")
    >>> policy.name, policy.quantization_mode, policy.compute_dtype, policy.variable_dtype
    ('int8_from_mixed_bfloat16', 'int8', 'bfloat16', 'float32')
    """

    _public_module = "keras.dtype_policies"  # where Keras' files say that it stands
    _mode: str
    _source: DTypePolicy

    def __init__(self, mode: str, source_name: str | None = None):
        quantization = self._parsed(mode)
        source = DTypePolicy(source_name)
        if quantization == "int8" and source.compute_dtype == "float16":
            raise ValueError(f"int8 products leave the range of float16 (source_name={source.name!r}): use 'bfloat16' or 'float32'.")
        for name, value in (("_mode", mode), ("_source", source), ("_quantization", quantization)):
            object.__setattr__(self, name, value)

    def _parsed(self, mode: Any) -> str:
        """The quantization that a mode names, after a check of its numbers."""
        if mode not in MODES:
            raise unknown_name("quantization mode", mode, MODES)
        return mode

    def _numbers(self, mode: Any, form: str) -> list[int]:
        """The integers of a mode such as `"gptq/4/128"`, which stands in the form `"gptq/<weight_bits>/<group_size>"`."""
        parts = mode.split("/") if isinstance(mode, str) else []
        wanted = form.split("/")
        if len(parts) != len(wanted) or parts[0] != wanted[0] or not all(part.lstrip("-").isdigit() for part in parts[1:]):
            raise ValueError(f"{type(self).__name__} expected a mode of the form {form!r}, got {mode!r}.")
        *_, size = numbers = [int(part) for part in parts[1:]]
        if size != -1 and size < 1:
            raise ValueError(f"{type(self).__name__} expected a positive {wanted[-1].strip('<>')}, or -1 for whole tensors, got {mode!r}.")
        return numbers

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"{self._mode}_from_{self._source.name}"

    @property
    def quantization_mode(self) -> str | None:
        return self._quantization  # type: ignore[attr-defined]

    @property
    def compute_dtype(self) -> str:
        return self._source.compute_dtype

    @property
    def variable_dtype(self) -> str:
        return self._source.variable_dtype

    def get_config(self) -> dict:
        return {"mode": self._mode, "source_name": self._source.name}

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.get_config() == other.get_config()  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash((type(self), self.name))

    def __repr__(self) -> str:
        return f'<{type(self).__name__} "{self.name}">'


class QuantizedFloat8DTypePolicy(QuantizedDTypePolicy):
    """Products in float8, scaled by the largest values of the last `amax_history_length` steps (Micikevicius et al., arXiv:2209.05433).

    >>> QuantizedFloat8DTypePolicy("float8", amax_history_length=16).amax_history_length
    16
    """

    def __init__(self, mode: str, source_name: str | None = None, amax_history_length: int = 1024):
        super().__init__(mode, source_name)
        if isinstance(amax_history_length, bool) or not isinstance(amax_history_length, int) or amax_history_length < 1:
            raise ValueError(f"amax_history_length must be a positive integer, got {amax_history_length!r}.")
        object.__setattr__(self, "_amax_history_length", amax_history_length)

    @property
    def amax_history_length(self) -> int:
        """The number of steps whose largest values are kept."""
        return self._amax_history_length  # type: ignore[attr-defined]

    def get_config(self) -> dict:
        return {**super().get_config(), "amax_history_length": self.amax_history_length}


class Int4DTypePolicy(QuantizedDTypePolicy):
    """Weights of four bits, scaled in blocks: `"int4/<block_size>"`, where -1 is one scale for each column.

    >>> Int4DTypePolicy("int4/128").block_size
    128
    """

    block_size: int

    def _parsed(self, mode: Any) -> str:
        (block_size,) = self._numbers(mode, "int4/<block_size>")
        object.__setattr__(self, "block_size", block_size)
        return "int4"


class GPTQDTypePolicy(QuantizedDTypePolicy):
    """Weights rounded one column after the other (Frantar et al. 2023, arXiv:2210.17323): `"gptq/<weight_bits>/<group_size>"`.

    >>> policy = GPTQDTypePolicy("gptq/4/128")
    >>> policy.weight_bits, policy.group_size
    (4, 128)
    """

    weight_bits: int
    group_size: int
    _bits: tuple[int, ...] = (2, 3, 4, 8)
    _method = "gptq"

    def _parsed(self, mode: Any) -> str:
        weight_bits, group_size = self._numbers(mode, f"{self._method}/<weight_bits>/<group_size>")
        if weight_bits not in self._bits:
            raise ValueError(f"{type(self).__name__} expected {' or '.join(map(str, self._bits))} weight bits, got {mode!r}.")
        object.__setattr__(self, "weight_bits", weight_bits)
        object.__setattr__(self, "group_size", group_size)
        return self._method

    @property
    def mode(self) -> str:
        """The method's name."""
        return self._method


class AWQDTypePolicy(GPTQDTypePolicy):
    """Weights of four bits, scaled by what the activations make of them (Lin et al. 2024, arXiv:2306.00978): `"awq/4/<group_size>"`.

    >>> AWQDTypePolicy("awq/4/64", "bfloat16").name
    'awq/4/64_from_bfloat16'
    """

    _bits = (4,)
    _method = "awq"


# Quantization -> class, for names such as "gptq/4/128_from_float32".
_CLASSES: dict[str, type[QuantizedDTypePolicy]] = {
    "int8": QuantizedDTypePolicy, "int4": QuantizedDTypePolicy, "float8": QuantizedFloat8DTypePolicy,
    "int4/": Int4DTypePolicy, "gptq/": GPTQDTypePolicy, "awq/": AWQDTypePolicy,
}  # fmt: skip
CLASSES = {cls.__name__: cls for cls in _CLASSES.values()}


def from_name(name: str) -> QuantizedDTypePolicy | None:
    """The policy of a name such as `"int8_from_float32"`; None where the name is of no quantized policy.

    >>> from_name("int4/32_from_float32")
    <Int4DTypePolicy "int4/32_from_float32">
    """
    mode, found, source = name.partition("_from_")
    head, slash, _ = mode.partition("/")
    cls = _CLASSES.get(head + slash)
    return cls(mode, source) if found and cls is not None else None
