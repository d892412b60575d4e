"""From objects to configs and back, by tables only: what is not in a table is not made.

A config names a class by `module` and `class_name`. Keras' public modules stand for our facades of the same name
(`keras.layers` is `core.layers`), whose `__all__` is the allow-list; everything else must have been registered by the
program itself with `register_keras_serializable`, or be in the caller's `custom_objects`. Nothing is imported by a name that
comes out of a file, and there is no encoding for code.
"""

from __future__ import annotations

import importlib
import inspect
import threading
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from core.base import dtypes
from core.base.errors import ConfigError, UnsafeArtifactError

# Keras' public module -> our facade, and the class that its members must derive from (by name, looked up in the facade).
FACADES: dict[str, tuple[str, str | None]] = {
    "keras": ("core", None),
    "keras.layers": ("core.layers", "Layer"),
    "keras.models": ("core.models", None),
    "keras.losses": ("core.losses", "Loss"),
    "keras.metrics": ("core.metrics", "Metric"),
    "keras.optimizers": ("core.optimizers", "Optimizer"),
    "keras.optimizers.schedules": ("core.optimizers.schedules", "LearningRateSchedule"),
    "keras.initializers": ("core.initializers", "Initializer"),
    "keras.regularizers": ("core.regularizers", "Regularizer"),
    "keras.constraints": ("core.constraints", "Constraint"),
    "keras.activations": ("core.activations", None),
    "keras.dtype_policies": ("core.dtype_policies", None),
    "keras.random": ("core.random", None),
}
_KERAS_CLASSES = ("Sequential", "Model", "Functional", "DTypePolicy", "FloatDTypePolicy", "Variable")  # under "keras" itself

_BY_NAME: dict[str, Any] = {}  # registered name -> object
_NAMES: dict[Any, str] = {}  # object -> registered name
_local = threading.local()
FINDERS: list[Callable[[str, str], Any]] = []  # further closed tables: (module, class_name) -> class or None


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable:
    """Decorator that lets a class or function be saved and loaded, as `"package>name"`.

    >>> @register_keras_serializable(package="my_lab")
    ... def doubled(x):
    ...     return 2 * x
    >>> get_registered_name(doubled)
    'my_lab>doubled'
    """

    def register(target: Any) -> Any:
        if inspect.isclass(target) and not hasattr(target, "get_config"):
            raise ValueError(f"{target.__name__} cannot be registered: a serializable class needs a get_config method.")
        key = f"{package}>{name or target.__name__}"
        _BY_NAME[key] = target
        _NAMES[target] = key
        return target

    return register


def get_registered_name(obj: Any) -> str:
    """The registered name of a class or function, else its own name."""
    return _NAMES.get(obj, obj.__name__)


def get_registered_object(name: str, custom_objects: dict | None = None, module_objects: dict | None = None) -> Any:
    """The class or function registered under a name, or None."""
    for table in (_scoped(), custom_objects or {}, _BY_NAME, module_objects or {}):
        if name in table:
            return table[name]
    return None


def _scoped() -> dict[str, Any]:
    return _local.__dict__.setdefault("custom_objects", {})


def get_custom_objects() -> dict[str, Any]:
    """The registered objects, by name; what is put in here can be loaded."""
    return _BY_NAME


class CustomObjectScope:
    """Makes classes and functions known by name inside a `with` block of this thread.

    >>> with CustomObjectScope({"doubled": doubled}):
    ...     find_function("doubled")
    """

    def __init__(self, custom_objects: dict[str, Any]):
        if not isinstance(custom_objects, dict):
            raise TypeError(f"custom_objects must be a dict of name to class or function, got {type(custom_objects).__name__}.")
        self.custom_objects = custom_objects

    def __enter__(self) -> CustomObjectScope:
        self._before = _scoped()
        _local.custom_objects = {**self._before, **self.custom_objects}
        return self

    def __exit__(self, *error: Any) -> None:
        _local.custom_objects = self._before


custom_object_scope = CustomObjectScope


# ------------------------------------------------------------------------------------------------ objects to configs


def serialize_keras_object(obj: Any) -> Any:
    """A JSON value that `deserialize_keras_object` makes the same object from."""
    if obj is None or isinstance(obj, (str, bool)):
        return obj
    if isinstance(obj, (int, float)) and not isinstance(obj, np.generic):
        return obj
    if isinstance(obj, bytes):
        return {"class_name": "__bytes__", "config": {"value": obj.decode()}}
    if isinstance(obj, (list, tuple)):  # tuples are written as lists, as Keras writes layer configs
        return [serialize_keras_object(x) for x in obj]
    if isinstance(obj, dict):
        return {str(k): serialize_keras_object(v) for k, v in obj.items()}
    if isinstance(obj, np.generic) or (isinstance(obj, np.ndarray) and obj.ndim == 0):
        return obj.item()
    if isinstance(obj, np.ndarray):
        return {"class_name": "__numpy__", "config": {"value": obj.tolist(), "dtype": obj.dtype.name}}
    if isinstance(obj, slice):
        return {"class_name": "__slice__", "config": {"start": obj.start, "stop": obj.stop, "step": obj.step}}
    if obj is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(obj, (types.FunctionType, types.BuiltinFunctionType, types.MethodType)) or (callable(obj) and hasattr(obj, "op")):
        return _serialize_function(obj)
    if inspect.isclass(obj):
        return {"module": facade_of(obj), "class_name": obj.__name__, "config": None, "registered_name": _NAMES.get(obj)}
    if hasattr(obj, "get_config"):
        return _serialize_instance(obj)
    if hasattr(obj, "shape") and hasattr(obj, "dtype"):
        array = np.asarray(obj)
        return {"class_name": "__tensor__", "config": {"value": array.tolist(), "dtype": dtypes.standardize_dtype(array.dtype)}}
    try:
        return dtypes.standardize_dtype(obj)
    except ValueError:
        raise ConfigError(
            f"An object of type {type(obj).__name__} cannot be written to a config: give its class a get_config method and register it "
            "with core.saving.register_keras_serializable."
        ) from None


def _serialize_function(function: Any) -> Any:
    name = getattr(function, "__name__", "")
    if name == "<lambda>":
        raise ConfigError("A lambda cannot be written to a config, since there is no encoding for code: define a function and register it.")
    if facade_of(function):
        return name
    return {"module": "builtins", "class_name": "function", "config": get_registered_name(function), "registered_name": "function"}


def _serialize_instance(obj: Any) -> dict:
    cls = type(obj)
    facade = facade_of(cls)
    entry = {
        "module": facade,
        "class_name": cls.__name__,
        "config": _plain(obj.get_config()),
        "registered_name": None if facade else get_registered_name(cls),
    }
    if hasattr(obj, "get_build_config"):
        build_config = obj.get_build_config()
        if build_config is not None:
            entry["build_config"] = _plain(build_config)
    if hasattr(obj, "get_compile_config"):
        compile_config = obj.get_compile_config()
        if compile_config is not None:
            entry["compile_config"] = _plain(compile_config)
    return entry


def _plain(config: Any) -> Any:
    """A config's values as JSON ones."""
    if isinstance(config, dict):
        return {k: _plain(v) for k, v in config.items()}
    return serialize_keras_object(config) if not isinstance(config, (list, tuple)) else [_plain(v) for v in config]


def facade_of(target: Any) -> str | None:
    """Keras' public module that a class or function of ours stands in, or None for a user's."""
    module = getattr(target, "__module__", "") or ""
    if not module.startswith("core."):
        return None
    public = getattr(target, "_public_module", None)
    if public:
        return public
    parts = module.split(".")
    for depth in (3, 2):
        name = "keras." + ".".join(parts[1:depth])
        if len(parts) >= depth and name in FACADES and target.__name__ in getattr(importlib.import_module(FACADES[name][0]), "__all__", ()):
            return name
    return None


# ------------------------------------------------------------------------------------------------ configs to objects


def deserialize_keras_object(config: Any, custom_objects: dict | None = None, safe_mode: bool = True, **kwargs: Any) -> Any:
    """The object that a config from `serialize_keras_object` (or Keras' own) describes.

    Raises:
        UnsafeArtifactError: the config names something that is not in a table, or carries code.
        ConfigError: the config is not well formed.
    """
    if custom_objects:
        with custom_object_scope(custom_objects):
            return deserialize_keras_object(config, None, safe_mode, **kwargs)
    if config is None or isinstance(config, (str, bool, int, float)):
        return config
    if isinstance(config, (list, tuple)):
        return type(config)(deserialize_keras_object(x) for x in config)
    if not isinstance(config, dict):
        raise ConfigError(f"A config is made of JSON values, got {type(config).__name__}.")
    if "class_name" not in config or "config" not in config:
        return {k: deserialize_keras_object(v) for k, v in config.items()}
    class_name, inner, module = config["class_name"], config["config"], config.get("module")
    if not isinstance(class_name, str):
        raise ConfigError(f"class_name must be a string, got {class_name!r}.")
    if class_name in SPECIAL:
        try:
            return SPECIAL[class_name](inner)
        except (TypeError, KeyError, AttributeError) as error:
            raise ConfigError(f"A {class_name} value is not well formed: {str(inner)[:200]}.") from error
    if class_name == "__lambda__":
        raise UnsafeArtifactError(
            "The config carries the code of a lambda, which is never run. Define the function, register it, and save again."
        )
    if class_name == "function":
        return find_function(inner, config.get("registered_name"), module)
    cls = find_class(module, class_name, config.get("registered_name"))
    return _instantiate(cls, inner, config)


def _instantiate(cls: type, inner: Any, config: dict) -> Any:
    if not isinstance(inner, dict):
        raise ConfigError(f"The config of {cls.__name__} must be a dict, got {type(inner).__name__}.")
    try:
        instance = cls.from_config(dict(inner)) if hasattr(cls, "from_config") else cls(**inner)
    except (TypeError, KeyError, AttributeError, IndexError, OverflowError) as error:  # what wrong JSON types lead to
        raise ConfigError(f"{cls.__name__} cannot be made from its config {str(inner)[:1000]}: {type(error).__name__}: {error}") from error
    if config.get("build_config") and hasattr(instance, "build_from_config") and not getattr(instance, "built", True):
        instance.build_from_config(config["build_config"])
    if config.get("compile_config") and hasattr(instance, "compile_from_config"):
        instance.compile_from_config(config["compile_config"])
    return instance


SPECIAL: dict[str, Callable[[Any], Any]] = {
    "__tuple__": lambda inner: tuple(deserialize_keras_object(x) for x in inner["value"]),
    "__bytes__": lambda inner: inner["value"].encode(),
    "__numpy__": lambda inner: np.array(inner["value"], dtypes.numpy_dtype(dtypes.standardize_dtype(inner["dtype"]))),
    "__slice__": lambda inner: slice(*(deserialize_keras_object(inner[k]) for k in ("start", "stop", "step"))),
    "__ellipsis__": lambda inner: Ellipsis,
}  # rooms that know tensors add theirs


def find_function(name: Any, registered_name: Any = None, module: str | None = None) -> Callable:
    """A function by its registered name, or one of our activations, losses and metrics by its own."""
    keys = [key for key in (name, registered_name) if isinstance(key, str) and key != "function"]
    for key in (*keys, *(key.rpartition(">")[2] for key in keys)):
        found = get_registered_object(key)
        if found is not None:
            if inspect.isclass(found) or not callable(found):
                raise UnsafeArtifactError(f"{key!r} is registered as a {type(found).__name__}, but the config asks for a function.")
            return found
    for facade in ("core.activations", "core.losses", "core.metrics"):
        public = importlib.import_module(facade)
        found = getattr(public, name, None) if isinstance(name, str) and name in public.__all__ else None
        if callable(found) and not inspect.isclass(found) and name not in ("get", "serialize", "deserialize"):
            return found
    raise UnsafeArtifactError(_unknown("function", name, module))


def find_class(module: Any, class_name: str, registered_name: Any = None) -> type:
    """A class by the tables: our own by module and class name; the program's by registered name, then by class name."""
    found = _builtin(module, class_name)
    if found is not None and registered_name not in (None, class_name):
        raise UnsafeArtifactError(
            f"The config says that the built-in class {module}.{class_name} is registered as {registered_name!r}; one of the names is "
            "false."
        )
    if found is None and isinstance(registered_name, str):
        found = get_registered_object(registered_name)
    if found is None:
        found = get_registered_object(class_name)
    if found is None and module is None and registered_name is None:
        found = next((f for f in (_builtin(name, class_name) for name in FACADES) if f is not None), None)
    if found is None:
        raise UnsafeArtifactError(_unknown("class", class_name, module, registered_name))
    if not inspect.isclass(found):
        raise UnsafeArtifactError(f"{class_name!r} is a {type(found).__name__}, but the config asks for a class.")
    return found


def _builtin(module: Any, class_name: str) -> type | None:
    if not isinstance(module, str):
        return None
    for finder in FINDERS:
        found = finder(module, class_name)
        if found is not None:
            return found
    if module.startswith("keras.src.models"):
        module = "keras"
    elif module.startswith("keras.src.backend.") and ".optimizers" in module:  # Keras writes where its backend keeps them
        module = "keras.optimizers"
    if module not in FACADES:
        return None
    facade, base = FACADES[module]
    public = importlib.import_module(facade)
    if module == "keras" and class_name not in _KERAS_CLASSES:
        return None
    if class_name not in public.__all__ and class_name != "Functional":
        return None
    found = getattr(public, class_name, None)
    if not inspect.isclass(found) or (base is not None and not issubclass(found, getattr(public, base))):
        return None
    return found


def _unknown(kind: str, name: Any, module: Any, registered_name: Any = None) -> str:
    where = f" of module {module!r}" if module and module != "builtins" else ""
    package, found, own = str(name if registered_name in (None, "function") else registered_name).rpartition(">")
    arguments = f"package={package!r}, name={own!r}" if found else ""
    return (
        f"The {kind} {name!r}{where} is not known, and nothing is imported by a name from a file. If it is yours, import its definition "
        "first and "
        f"register it with @core.saving.register_keras_serializable({arguments}), or pass "
        f"custom_objects={{{(own or name)!r}: {own or name}}}."
    )
