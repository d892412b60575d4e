"""`Task`: a backbone with a head, trained and used on raw strings."""

from __future__ import annotations

import os
import pathlib
import warnings
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

import core
from core.saving import ConfigError
from hub.models.raw_data import batches, is_raw, split
from hub.preprocessing.preprocessor import Preprocessor

FILE = "task.json"

Self = TypeVar("Self", bound="Task")


class Task(core.Model):
    """Base of all tasks: a `backbone`, a head, and a `preprocessor`.

    `fit`, `evaluate` and `predict` take raw strings and apply the preprocessor, batch by batch; with `preprocessor=None` they take the
    arrays that a preprocessor makes. A task is compiled when it is made, for its usual loss; `compile` changes that.

    Attributes:
        backbone: the network below.
        preprocessor: what makes its inputs, or None.
    """

    kind: ClassVar[str] = ""  # of the head, as families name it
    preprocessor_kind: ClassVar[str] = ""
    options: ClassVar[tuple[str, ...]] = ()  # constructor arguments besides backbone and preprocessor
    unused: ClassVar[tuple[str, ...]] = ()  # parts of names of weights that some files of the backbone have, and the task does not need
    prefix: ClassVar[str] = ""  # how the names of a family begin

    backbone: Any
    head: Any = None

    def __init__(self, *args: Any, compile: bool = True, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.__dict__.setdefault("_preprocessor", None)
        if compile and self.kind == "":
            self.compile()  # tasks of this package compile once their layers are there

    def _setup(self, backbone: Any, preprocessor: Any) -> None:
        """Takes the parts, and checks them."""
        from hub.models.backbone import Backbone

        if not isinstance(backbone, Backbone):
            raise ConfigError(f"{type(self).__name__} needs a backbone, and was given {type(backbone).__name__}.")
        self.backbone = backbone
        self.preprocessor = preprocessor

    @property
    def preprocessor(self) -> Any:
        """What makes the backbone's inputs of strings; None where `fit` and `predict` take arrays."""
        return self.__dict__.get("_preprocessor")

    @preprocessor.setter
    def preprocessor(self, value: Any) -> None:
        if value is not None and not callable(value):
            raise ConfigError(f"A preprocessor is called with strings; {type(value).__name__} cannot be.")
        self.__dict__["_preprocessor"] = value

    def head_rows(self) -> list:
        """The head's weights with their names in files."""
        return [] if self.head is None else self.backbone.family.head_table(self.kind, self.head)

    def states(self, inputs: Any, training: bool | None = None) -> Any:
        """The backbone's states (batch, time, features)."""
        outputs = self.backbone(inputs, training=training)
        return outputs["sequence_output"] if isinstance(outputs, dict) else outputs

    # -------------------------------------------------------------------------------------------- training on strings

    def compile(  # type: ignore[override]
        self, optimizer: Any = "auto", loss: Any = "auto", *, metrics: Any = None, weighted_metrics: Any = None, **kwargs: Any
    ) -> None:
        """As `core.Model.compile`; `"auto"` stands for what suits the task.

        Args:
            optimizer: `"auto"` for Adam with a small learning rate.
            loss: `"auto"` for the task's own.
            metrics, weighted_metrics: `"auto"` for the task's own, and what is left out is that as well while `loss` is `"auto"`.
        """
        own = self.defaults()
        if isinstance(loss, str) and loss == "auto":
            if metrics is None and weighted_metrics is None:
                metrics = weighted_metrics = "auto"
            loss = own["loss"]
        if isinstance(optimizer, str) and optimizer == "auto":
            optimizer = core.optimizers.Adam(own["learning_rate"])
        if isinstance(metrics, str) and metrics == "auto":
            metrics = own.get("metrics")
        if isinstance(weighted_metrics, str) and weighted_metrics == "auto":
            weighted_metrics = own.get("weighted_metrics")
        super().compile(optimizer, loss, metrics=metrics, weighted_metrics=weighted_metrics, **kwargs)

    def defaults(self) -> dict[str, Any]:
        """`learning_rate`, `loss`, `metrics` and `weighted_metrics` of "auto"."""
        return {"learning_rate": 5e-5, "loss": None}

    def preprocess_samples(self, x: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """What a step sees of raw data: the preprocessor's result, or the data as they are."""
        if self.preprocessor is not None:
            return self.preprocessor(x, y=y, sample_weight=sample_weight)
        return core.utils.pack_x_y_sample_weight(x, y, sample_weight)

    def _batches_of(self, x: Any, y: Any, sample_weight: Any, batch_size: int | None, shuffle: bool = False) -> tuple[Any, Any, Any]:
        """Batches of arrays in place of raw data."""
        if self.preprocessor is None or not is_raw(x):
            return x, y, sample_weight
        return batches(self.preprocess_samples, x, y, sample_weight, batch_size or 32, shuffle), None, None

    def fit(  # type: ignore[override]
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        **kwargs: Any,
    ) -> Any:
        """As `core.Model.fit`, on raw strings.

        Args:
            x: strings (a list, an array, a tuple of lists for pairs, a dict of lists), or a dataset that yields batches of them.
            y: labels, where the task does not make them of `x`.
        """
        raw = self.preprocessor is not None and is_raw(x)
        if raw and validation_split:
            (x, y, sample_weight), validation_data = split(x, y, sample_weight, validation_split)
            validation_split = 0.0
        if isinstance(validation_data, (tuple, list)):
            parts = [*validation_data, None, None][:3]
            prepared = self._batches_of(parts[0], parts[1], parts[2], kwargs.get("validation_batch_size") or batch_size)
            validation_data = prepared[0] if prepared[0] is not parts[0] else validation_data
        elif validation_data is not None:
            validation_data = self._batches_of(validation_data, None, None, kwargs.get("validation_batch_size") or batch_size)[0]
        x, y, sample_weight = self._batches_of(x, y, sample_weight, batch_size, shuffle)
        return super().fit(
            x, y, batch_size=None if raw else batch_size, epochs=epochs, verbose=verbose, callbacks=callbacks,
            validation_split=validation_split, validation_data=validation_data, shuffle=shuffle and not raw, class_weight=class_weight,
            sample_weight=sample_weight, **kwargs,
        )  # fmt: skip

    def evaluate(  # type: ignore[override]
        self, x: Any = None, y: Any = None, batch_size: int | None = None, verbose: Any = "auto", sample_weight: Any = None, **kwargs: Any
    ) -> Any:
        """As `core.Model.evaluate`, on raw strings."""
        raw = self.preprocessor is not None and is_raw(x)
        x, y, sample_weight = self._batches_of(x, y, sample_weight, batch_size)
        return super().evaluate(x, y, batch_size=None if raw else batch_size, verbose=verbose, sample_weight=sample_weight, **kwargs)

    def predict(self, x: Any, batch_size: int | None = None, verbose: Any = "auto", **kwargs: Any) -> Any:  # type: ignore[override]
        """As `core.Model.predict`, on raw strings."""
        raw = self.preprocessor is not None and is_raw(x)
        x = self._batches_of(x, None, None, batch_size)[0]
        return super().predict(x, batch_size=None if raw else batch_size, verbose=verbose, **kwargs)

    def _arrays_of(self, x: Any, y: Any, sample_weight: Any) -> tuple[Any, Any, Any]:
        if self.preprocessor is None or not is_raw(x):
            return x, y, sample_weight
        return core.utils.unpack_x_y_sample_weight(self.preprocess_samples(x, y, sample_weight))

    def train_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, **kwargs: Any) -> Any:  # type: ignore[override]
        """As `core.Model.train_on_batch`, on raw strings."""
        x, y, sample_weight = self._arrays_of(x, y, sample_weight)
        return super().train_on_batch(x, y, sample_weight=sample_weight, **kwargs)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, **kwargs: Any) -> Any:  # type: ignore[override]
        """As `core.Model.test_on_batch`, on raw strings."""
        x, y, sample_weight = self._arrays_of(x, y, sample_weight)
        return super().test_on_batch(x, y, sample_weight=sample_weight, **kwargs)

    def predict_on_batch(self, x: Any) -> Any:
        """As `core.Model.predict_on_batch`, on raw strings."""
        return super().predict_on_batch(self._arrays_of(x, None, None)[0])

    # -------------------------------------------------------------------------------------------- presets

    @classmethod
    def from_preset(cls: type[Self], preset: str | os.PathLike, load_weights: bool = True, **kwargs: Any) -> Self:
        """The task of a preset: backbone, head and preprocessor.

        The head is read from the files where they have one; otherwise it starts anew, and a warning says so.

        Args:
            preset: a folder as transformers writes it, `"hf://organisation/name"`, or the name of a built-in preset.
            load_weights: whether weights are loaded; else they are drawn.
            **kwargs: the task's own arguments (`num_classes`, `preprocessor`, `dropout` ...), and `dtype`.

        Raises:
            ConfigError: the preset is of another family than this class, or has no such head.
            WeightMismatchError: tensors that are missing, not expected or of another shape; all are listed.
        """
        from hub import families
        from hub import preset as presets
        from hub.checkpoint import load_into, read_config
        from hub.models import names
        from hub.models.backbone import Backbone

        folder = presets.resolve(preset, weights=load_weights)
        config = read_config(folder)
        family = families.of(config)
        made = names.task_for(cls, family.name)
        if made.kind in names.WITH_HEADS:
            family.head(made.kind)  # refuses a kind that the family lacks, before anything is loaded
        dtype = kwargs.pop("dtype", None)
        with warnings.catch_warnings():
            for part in made.unused:  # what the task does not use, nobody misses
                warnings.filterwarnings("ignore", message=f"The file has no [^:]*{part}")
            backbone = Backbone.from_preset(folder, load_weights, dtype=dtype)
        if "preprocessor" not in kwargs:
            kwargs["preprocessor"] = names.preprocessor_for(made).from_preset(folder) if _has_tokenizer(folder) else None
        options = {**made.options_of(folder, config), **_stored(folder, made), **kwargs}
        task = made(backbone, **options)
        rows = task.head_rows()
        if load_weights and rows:
            with warnings.catch_warnings():  # what the file lacks of the backbone has been said above
                warnings.filterwarnings("ignore", message="The file has no ")
                absent = load_into(backbone, folder, rows)
            if absent:
                warnings.warn(
                    f"The preset {str(preset)!r} has no head for {made.__name__}: {', '.join(absent)} start anew, so fit the task before "
                    "you trust its outputs.",
                    stacklevel=2,
                )
        return task

    @classmethod
    def options_of(cls, folder: pathlib.Path, config: Mapping[str, Any]) -> dict[str, Any]:
        """The task's arguments that follow from a preset's files."""
        return {}

    def save_to_preset(self, preset_dir: str | os.PathLike) -> None:
        """Writes backbone, head, preprocessor and options into a folder, for `from_preset`. transformers reads the weights as well."""
        self._save(preset_dir, strict=False)
        if isinstance(self.preprocessor, Preprocessor):
            self.preprocessor.save_to_preset(preset_dir)
        self._write_options(pathlib.Path(preset_dir))

    def export_to_transformers(self, path: str | os.PathLike) -> None:
        """Writes a folder that transformers loads, head and tokenizer included, with equal logits.

        Raises:
            ConfigError: the model has a property that the family's config there cannot say.
        """
        self._save(path, strict=True)
        if isinstance(self.preprocessor, Preprocessor):
            self.preprocessor.export_to_transformers(path)

    def _save(self, folder: str | os.PathLike, strict: bool) -> None:
        from hub.checkpoint import save_backbone
        from hub.models import names

        architecture = self.backbone.family.head(self.kind).architecture if self.kind in names.WITH_HEADS else None
        save_backbone(
            self.backbone, folder, strict=strict, head=self.head_rows(), architecture=architecture, extra=self.config_extra()
        )

    def config_extra(self) -> dict[str, Any]:
        """Keys that the task adds to `config.json`."""
        return {}

    def _write_options(self, folder: pathlib.Path) -> None:
        from hub.checkpoint import write_json

        write_json(folder / FILE, {"class_name": type(self).__name__, "config": self.task_config()})

    def task_config(self) -> dict[str, Any]:
        """The options as plain data."""
        return {key: plain(getattr(self, key)) for key in self.options}

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name, "trainable": self.trainable, **self.task_config(),
            "backbone": core.saving.serialize_keras_object(self.backbone), "preprocessor": None,
        }  # fmt: skip

    @classmethod
    def from_config(cls: type[Self], config: dict, custom_objects: dict | None = None) -> Self:
        config = dict(config)
        if isinstance(config.get("backbone"), dict):
            config["backbone"] = core.saving.deserialize_keras_object(config["backbone"], custom_objects=custom_objects)
        return cls(**config)

    def has_task_weights(self) -> bool:
        """Whether the task has weights besides the backbone's."""
        return self.head is not None

    def save_task_weights(self, filepath: str | os.PathLike) -> None:
        """Writes the head's weights to a `.weights.h5` file."""
        self._require_head()
        _HeadOnly(self.head).save_weights(filepath)

    def load_task_weights(self, filepath: str | os.PathLike) -> None:
        """Reads what `save_task_weights` wrote."""
        self._require_head()
        _HeadOnly(self.head).load_weights(filepath)

    def _require_head(self) -> None:
        if self.head is None:
            raise ConfigError(f"{type(self).__name__} has no weights besides its backbone's; save the backbone.")


class _HeadOnly(core.Model):
    """A head as a model, so that its weights are saved alone."""

    def __init__(self, head: Any):
        super().__init__()
        self.head = head
        self.built = True


def plain(value: Any) -> Any:
    """A value that JSON can say: names in place of functions."""
    return core.activations.serialize(value) if callable(value) else value


def _has_tokenizer(folder: pathlib.Path) -> bool:
    from hub.tokenizers import loading

    return loading.has_tokenizer(folder)


def _stored(folder: pathlib.Path, cls: type[Task]) -> dict[str, Any]:
    """The options that `save_to_preset` wrote for a task of this kind."""
    from hub.checkpoint import has, read_json
    from hub.models import names

    stored = read_json(folder, FILE) if has(folder, FILE) else {}
    if not isinstance(stored, dict) or not isinstance(stored.get("config"), dict) or names.kind_of(stored.get("class_name")) != cls.kind:
        return {}
    return {key: value for key, value in stored["config"].items() if key in cls.options}
