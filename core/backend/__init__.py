"""Row 1: the backends, found by tensor type or by the active slot."""

from core.backend.slot import active, backend, get, loaded, owner, set_backend, use
from core.backend.symbolic import KerasTensor, is_keras_tensor
from core.base.config import epsilon, floatx, image_data_format, set_epsilon, set_floatx, set_image_data_format
from core.base.dtypes import is_float_dtype, is_int_dtype, result_type, standardize_dtype
from core.base.names import get_uid

__all__ = [
    "KerasTensor", "active", "backend", "clear_session", "epsilon", "floatx", "get", "get_uid", "image_data_format", "is_float_dtype",
    "is_int_dtype", "is_keras_tensor", "loaded", "owner", "result_type", "set_backend", "set_epsilon", "set_floatx",
    "set_image_data_format", "standardize_dtype", "use",
]  # fmt: skip


def clear_session(free_memory: bool = True) -> None:
    """Starts names anew and forgets compiled functions that nothing holds any more."""
    import gc

    from core.base.names import reset_names

    reset_names()
    if free_memory:
        gc.collect()
