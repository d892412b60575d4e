"""Low-rank adaptation (LoRA): a frozen weight plus a trainable product of two thin matrices. Hu et al., 2021."""

from __future__ import annotations

from typing import Any

from core import ops
from core.layers.layer import Layer
from core.state.variable import Variable


class LowRankLayer(Layer):
    """A layer one of whose weights can be given a low-rank update.

    The weight seen by `call` is then `W + (alpha / rank) * A @ B`, where only `A` and `B` train. Files hold the sum, so
    that they load into a layer without the update as well.

    Attributes:
        adapted: name of the weight, for example `"kernel"`.
    """

    adapted = "kernel"

    def __init__(self, *, lora_rank: int | None = None, lora_alpha: float | None = None, **kwargs):
        if lora_rank is not None and lora_rank < 1:
            raise ValueError(f"lora_rank must be a positive integer, got {lora_rank}.")
        super().__init__(**kwargs)
        self.lora_rank: Any = lora_rank
        self.lora_alpha: Any = lora_alpha if lora_alpha is not None else lora_rank
        self.lora_enabled = False

    def _adaptable(self) -> Any:
        """The adapted weight: the variable itself, or the sum with its update."""
        base = self.__dict__.get(f"_{self.adapted}")
        if base is None:
            raise AttributeError(
                f"{type(self).__name__} {self.name!r} has no {self.adapted} before it is built: build it, or call it on data."
            )
        if not self.lora_enabled:
            return base
        a, b = self._lora_factors()
        return ops.add(base, (self.lora_alpha / self.lora_rank) * ops.matmul(a, b))

    def _lora_factors(self) -> tuple[Variable, Variable]:
        return getattr(self, f"lora_{self.adapted}_a"), getattr(self, f"lora_{self.adapted}_b")

    def enable_lora(
        self, rank: int, a_initializer: Any = "he_uniform", b_initializer: Any = "zeros", lora_alpha: float | None = None
    ) -> None:
        """Freezes the weight and adds the trainable factors of its update, which is zero at first.

        Args:
            rank: inner dimension of the product.
            a_initializer, b_initializer: initializers of the two factors.
            lora_alpha: the update counts `lora_alpha / rank`; `rank` where it is None.
        """
        if rank < 1:
            raise ValueError(f"rank must be a positive integer, got {rank}.")
        if not self.built:
            raise ValueError(f"{type(self).__name__} {self.name!r} is not built, so it has no {self.adapted} to adapt: build it first.")
        if self.lora_enabled:
            raise ValueError(
                f"{type(self).__name__} {self.name!r} has LoRA already, of rank {self.lora_rank}; it can be enabled only once."
            )
        self._add_factors(rank, a_initializer, b_initializer, lora_alpha)

    def _add_factors(
        self, rank: int, a_initializer: Any = "he_uniform", b_initializer: Any = "zeros", lora_alpha: float | None = None
    ) -> None:
        base = self.__dict__[f"_{self.adapted}"]
        name = f"lora_{self.adapted}"
        setattr(self, f"{name}_a", self.add_weight((*base.shape[:-1], rank), a_initializer, name=f"{name}_a"))
        setattr(self, f"{name}_b", self.add_weight((rank, base.shape[-1]), b_initializer, name=f"{name}_b"))
        base.trainable = False
        self.lora_rank, self.lora_alpha, self.lora_enabled = rank, rank if lora_alpha is None else lora_alpha, True

    @property
    def lora_factors(self) -> dict[str, Variable]:
        """The factors of the update by their names; empty without one."""
        if not self.lora_enabled:
            return {}
        return dict(zip((f"lora_{self.adapted}_a", f"lora_{self.adapted}_b"), self._lora_factors()))

    def merge_lora(self) -> None:
        """Adds the update to the weight and sets the update to zero: outputs stay as they are."""
        if self.lora_enabled:
            self.__dict__[f"_{self.adapted}"].assign(self._adaptable())
            b = self._lora_factors()[1]
            b.assign(ops.zeros(b.shape, b.dtype))

    def _stored(self) -> list[Variable]:
        """The variables in files: all but the factors."""
        factors = {id(v) for v in self._lora_factors()} if self.lora_enabled else set()
        return [v for v in self._own_ordered() if id(v) not in factors]

    def save_own_variables(self, store: Any) -> None:
        base = self.__dict__.get(f"_{self.adapted}")
        for i, variable in enumerate(self._stored()):
            value = self._adaptable() if variable is base else variable
            store[str(i)] = ops.convert_to_numpy(value)

    def load_own_variables(self, store: Any) -> None:
        own = self._stored()
        if len(store.keys()) != len(own):
            built = "" if self.built else " It is not built: build the model, or call it on data, first."
            raise ValueError(f"{type(self).__name__} {self.name!r} has {len(own)} variables, the file {len(store.keys())}.{built}")
        for i, variable in enumerate(own):
            variable.assign(store[str(i)])
        if self.lora_enabled:  # the file's weight has the update in it
            b = self._lora_factors()[1]
            b.assign(ops.zeros(b.shape, b.dtype))

    @property
    def variable_serialization_spec(self) -> dict:
        """Quantization mode -> names of the variables in files, in their order. None stands for no quantization."""
        return {None: [self.adapted, *(["bias"] if self.__dict__.get("bias") is not None or hasattr(self, "bias_initializer") else [])]}

    def _lora_config(self) -> dict:
        return {"lora_rank": self.lora_rank, "lora_alpha": self.lora_alpha} if self.lora_rank else {}
