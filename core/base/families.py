"""What `get`, `serialize` and `deserialize` of a family of objects share (initializers, losses, metrics and so on)."""

from __future__ import annotations

import inspect
from typing import Any

from core.base import registry
from core.base.errors import ConfigError, unknown_name
from core.base.names import to_snake_case


class Family:
    """The members of one family by name, and the ways to ask for one.

    Attributes:
        kind: the word for a member in messages, for example `"loss"`.
        module: Keras' name of the public module, for configs that give none.
        members: name -> class or function. A class goes by its own name and its snake_case one, a function by its own.
    """

    def __init__(self, kind: str, module: str, members: list[Any], aliases: dict[str, Any] | None = None):
        self.kind, self.module = kind, module
        self.members: dict[str, Any] = {}
        for member in members:
            self.members[to_snake_case(member.__name__)] = self.members[member.__name__] = member
        self.members.update(aliases or {})

    def get(self, identifier: Any) -> Any:
        """None as None, a member from its name, config or class; any other callable as it is."""
        if identifier is None:
            return None
        if isinstance(identifier, str):
            return self._made(self.named(identifier))
        if isinstance(identifier, dict):
            return self.deserialize(identifier)
        if callable(identifier) or hasattr(identifier, "get_config"):
            return self._made(identifier)
        raise ConfigError(
            f"A {self.kind} is given by its name, its config, its class, an instance or a function; got {identifier!r} "
            f"of type {type(identifier).__name__}."
        )

    def named(self, name: str) -> Any:
        """The class or function of that name; the caller's custom objects come first."""
        found = registry.get_registered_object(name, module_objects=self.members)
        if found is None:
            raise unknown_name(self.kind, name, self.members)
        return found

    def deserialize(self, config: Any, custom_objects: dict | None = None) -> Any:
        """The member that a name or a config describes."""
        if custom_objects:
            with registry.custom_object_scope(custom_objects):
                return self.deserialize(config)
        if isinstance(config, str):
            return self._made(self.named(config))
        if isinstance(config, dict) and "class_name" in config:
            if config["class_name"] == "function" and config.get("config") in self.members:
                return self.members[config["config"]]
            if config.get("module") is None and config.get("registered_name") is None:
                config = {"config": {}, **config, "module": self.module}
        return registry.deserialize_keras_object(config)

    def serialize(self, member: Any) -> Any:
        """A JSON value that `deserialize` makes the same member from."""
        return registry.serialize_keras_object(member)

    @staticmethod
    def _made(found: Any) -> Any:
        return found() if inspect.isclass(found) else found
