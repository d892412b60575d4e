"""What a layer has because of its backend: `parameters()`, `state_dict()` and the like on PyTorch."""

from __future__ import annotations

from typing import Any

from core.backend import slot

# Names that users of one framework look for, and the backend that has them.
_OWNERS = {
    **dict.fromkeys(
        ("buffers", "cpu", "cuda", "eval", "load_state_dict", "named_buffers", "named_parameters", "parameters", "requires_grad_",
         "state_dict", "to", "train", "zero_grad"),
        "torch",
    ),
}  # fmt: skip


def missing_attribute(layer: Any, name: str) -> Any:
    """The attribute that the layer's backend gives it; an AttributeError where there is none."""
    kind = type(layer)
    if name in _OWNERS:
        held_by = layer.__dict__.get("_backend_name")
        if held_by is not None:
            function = slot.get(held_by).functions.get("layer_attribute")
            if function is not None:
                return function(layer, name)
        raise AttributeError(
            f"{kind.__name__!r} object has no attribute {name!r}: that belongs to layers on the {_OWNERS[name]} backend, this one is on "
            f"{held_by}. Move it with .to_backend({_OWNERS[name]!r}), or use `trainable_variables`, `get_weights` and `set_weights`."
        )
    if hasattr(kind, name):  # a property that raised AttributeError: let its own message out
        return object.__getattribute__(layer, name)
    raise AttributeError(f"{kind.__name__!r} object has no attribute {name!r}")
