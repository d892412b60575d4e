"""`TFSMLayer`: an endpoint of a TensorFlow SavedModel as a layer."""

from __future__ import annotations

from typing import Any

from core.base.errors import UnsafeArtifactError
from core.layers.layer import Layer
from core.state.variable import Variable


class TFSMLayer(Layer):
    """The outputs of a SavedModel's endpoint. For inference, and for training where a training endpoint is there.

    A model that holds one cannot be loaded from a file: the file would name a path on this machine, and SavedModels run any code.

    Args:
        filepath: folder of the SavedModel.
        call_endpoint, call_training_endpoint: name of an attribute or a signature to call outside of and in training.
        trainable: whether its variables may be trained.

    Raises:
        ValueError: another backend than tensorflow is active, or the endpoint is not there.
    """

    _untracked = Layer._untracked | {"_saved"}

    def __init__(
        self,
        filepath: Any,
        call_endpoint: str = "serve",
        call_training_endpoint: str | None = None,
        trainable: bool = True,
        name=None,
        dtype=None,
    ):
        super().__init__(trainable=trainable, name=name, dtype=dtype)
        if self.backend.name != "tensorflow":
            raise ValueError(
                f"TFSMLayer runs on the tensorflow backend, the active one is {self.backend.name}: core.config.set_backend('tensorflow')."
            )
        self.filepath, self.call_endpoint, self.call_training_endpoint = str(filepath), call_endpoint, call_training_endpoint
        self._saved = self.backend.native.saved_model.load(self.filepath)
        self._endpoint = self._find(call_endpoint)
        self._training_endpoint = None if call_training_endpoint is None else self._find(call_training_endpoint)
        found = {
            id(v): v
            for e in (self._endpoint, self._training_endpoint)
            for v in getattr(e, "variables", ()) or getattr(self._saved, "variables", ())
        }
        self._held = [self._variable(v) for v in found.values()]
        self.built = True

    def _find(self, name: str) -> Any:
        if name in getattr(self._saved, "signatures", {}):
            return self._saved.signatures[name]
        if hasattr(self._saved, name):
            return getattr(self._saved, name)
        raise ValueError(f"The SavedModel at {self.filepath} has no endpoint {name!r}; it has {sorted(self._saved.signatures)}.")

    def _variable(self, native: Any) -> Variable:
        name = native.name.partition(":")[0].replace("/", "_")
        variable = Variable(native.numpy(), trainable=native.trainable and self._trainable, name=name, backend=self.backend)
        variable._value = native
        return variable

    def call(self, inputs: Any, training: bool = False, **kwargs: Any) -> Any:
        endpoint = self._training_endpoint if training and self._training_endpoint is not None else self._endpoint
        if hasattr(endpoint, "structured_input_signature"):  # a signature takes its inputs by name
            names = list(endpoint.structured_input_signature[1])
            if names and not isinstance(inputs, dict):
                return endpoint(**{names[0]: inputs}, **kwargs)
            if names:
                return endpoint(**inputs, **kwargs)
        return endpoint(inputs, **kwargs)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "filepath": self.filepath,
            "call_endpoint": self.call_endpoint,
            "call_training_endpoint": self.call_training_endpoint,
        }

    @classmethod
    def from_config(cls, config: dict) -> Layer:
        raise UnsafeArtifactError(
            f"A config asks to load the SavedModel at {config.get('filepath')!r}. Files do not decide what is loaded here: make "
            "TFSMLayer(filepath) yourself, and put it into the model."
        )
