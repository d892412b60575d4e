"""Which layers see a window only: the `layer_types` of newer configs."""

from __future__ import annotations

from typing import Any

from core.saving import ConfigError
from hub.families.reader import ConfigReader

FULL, SLIDING = "full_attention", "sliding_attention"


def read_layer_types(reader: ConfigReader, size: int | None, otherwise: tuple[bool, ...]) -> dict[str, Any]:
    """The fields `sliding_window_size` and `window_layers`; `otherwise` where the config lists no layers."""
    types = reader.read("layer_types", None)
    if types is None:
        windows = otherwise
    else:
        if not isinstance(types, list) or len(types) != len(otherwise) or set(types) - {FULL, SLIDING}:
            raise ConfigError(f"The config says layer_types={types!r}; expected {len(otherwise)} of {FULL!r} and {SLIDING!r}.")
        windows = tuple(kind == SLIDING for kind in types)
    return {"sliding_window_size": size if any(windows) else None, "window_layers": windows}


def write_layer_types(config: Any) -> dict[str, Any]:
    """The inverse of `read_layer_types`."""
    types = [SLIDING if config.has_window(i) else FULL for i in range(config.num_layers)]
    return {"layer_types": types, "sliding_window": config.sliding_window_size}
