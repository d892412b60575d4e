"""`Trainer`: compile, fit, evaluate, predict. One step, written once, under `jit` and `value_and_grad`; one loop for the three phases."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from core import callbacks as callbacks_module
from core import ops
from core.backend import slot
from core.base import config, tree
from core.layers import layer as layer_module
from core.layers.rnn import RNN
from core.state.module import Version
from core.training import data as data_module
from core.training.compilation import Compilation
from core.training.data import unpack_x_y_sample_weight
from core.training.preparation import Preparation
from core.training.stateless import StatelessForms
from core.training.steps import is_stateless, stateful

LONG_RUN = 500  # steps, done and planned, from which on packing them pays for compiling a second function
SMALL_MODEL = 500_000  # trainable values up to which a step is taken to be bound by overhead


if TYPE_CHECKING:  # a trainer is always part of a model, which is a layer
    _Base = layer_module.Layer
else:
    _Base = object


class Trainer(Compilation, Preparation, StatelessForms, _Base):
    """What `Model` adds to `Layer`: everything that needs an optimizer, a loss, metrics and data."""

    # What training keeps beside the model's own state
    _of_training = frozenset(
        {"_loss_tracker", "_compile_arguments", "_compile_loss", "_compile_metrics", "_functions", "_cache", "_checked"}
    )

    def __init__(self) -> None:
        if "_loss_tracker" in self.__dict__:
            return
        self.__dict__.update(
            optimizer=None,
            compiled=False,
            stop_training=False,
            _compile_arguments=None,
            _compile_loss=None,
            _compile_metrics=None,
            _loss_tracker=None,
            _run_eagerly=False,
            _jit_compile=None,
            _steps_per_execution="auto",
            _functions={},
            _cache={},
        )

    def __getstate__(self) -> dict:
        """What a copy takes over: all but compiled functions, which hold this model's variables."""
        state = {**self.__dict__, "_functions": {}, "_cache": {}}
        for key in ("_fit_source", "_optimizer_for"):
            state.pop(key, None)
        return state

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        if self.optimizer is not None and self.optimizer.built:
            self.__dict__["_optimizer_for"] = self._structure_key()

    # -------------------------------------------------------------------------------------------- the step, and what users override

    def train_step(self, batch: Any) -> dict:
        """One step of training: forward, loss, gradients, update, metrics. The same on every backend."""
        x, y, sample_weight = unpack_x_y_sample_weight(batch)
        self._update(x, y, sample_weight)
        return self.get_metrics_result()

    def _update(self, x: Any, y: Any, sample_weight: Any) -> None:
        variables = self._trainable_now()

        def loss_fn() -> tuple:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x, y, y_pred, sample_weight)
            return self.optimizer.scale_loss(loss), (loss, y_pred)

        backend = self.backend  # asked directly: core.value_and_grad would check the variables anew at each step
        (_, (loss, y_pred)), gradients = backend.value_and_grad(loss_fn, variables, has_aux=True)()
        with backend.no_grad():
            self._loss_tracker.update_state(ops.stop_gradient(loss), sample_weight=_batch_size(x))
            self.optimizer.apply(gradients, variables)
            self._update_metrics(x, y, y_pred, sample_weight)

    def test_step(self, batch: Any) -> dict:
        """One step of evaluation."""
        x, y, sample_weight = unpack_x_y_sample_weight(batch)
        y_pred = self(x, training=False)
        loss = self.compute_loss(x, y, y_pred, sample_weight, training=False)
        self._loss_tracker.update_state(loss, sample_weight=_batch_size(x))
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def predict_step(self, batch: Any) -> Any:
        """The outputs for one batch."""
        x, _, _ = unpack_x_y_sample_weight(batch)
        return self(x, training=False)

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True) -> Any:
        """The compiled loss plus the penalties of the weights and the losses that layers added; a scalar."""
        total = None
        if self._compile_loss is not None:
            total = self._compile_loss(y, y_pred, sample_weight)
        if self._has_penalties() or layer_module._with_losses:
            for loss in self.losses:
                loss = ops.sum(ops.cast(loss, config.floatx())) if len(loss.shape) else ops.cast(loss, config.floatx())
                total = loss if total is None else total + loss
        if total is None:
            if not self._overrides("compute_loss") and self._compile_loss is None and training:
                raise ValueError(
                    f"Model {self.name!r} has nothing to minimize: give compile() a loss, call self.add_loss in a layer, or override "
                    "compute_loss."
                )
            return ops.zeros(())
        return total

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict:
        """Updates the compiled metrics with one batch and returns all results by name."""
        self._update_compiled_metrics(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def _update_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> None:
        """The update alone; results are read when somebody looks."""
        if self._overrides("compute_metrics"):
            self.__dict__["_last_logs"] = self.compute_metrics(x, y, y_pred, sample_weight)
        else:
            self._update_compiled_metrics(y, y_pred, sample_weight)

    def _update_compiled_metrics(self, y: Any, y_pred: Any, sample_weight: Any) -> None:
        if self._compile_metrics is not None and (self._compile_metrics.labels or not self._compile_metrics.built):
            self._compile_metrics.update_state(y, y_pred, sample_weight)

    def get_metrics_result(self) -> dict:
        """The current value of every metric by name."""
        results: dict[str, Any] = {}
        compiled = set()
        if self._compile_metrics is not None and self._compile_metrics.built:
            compiled = {id(m) for m in self._compile_metrics.metrics}
        for metric in self.metrics:
            if id(metric) in compiled:
                continue
            value = metric.result()
            results.update(value) if isinstance(value, dict) else results.__setitem__(metric.name, value)
        if compiled:
            results.update(self._compile_metrics.result())
        return results

    # -------------------------------------------------------------------------------------------- caches that follow the structure

    def _cached(self, key: str, compute: Callable[[], Any]) -> Any:
        """A value that depends only on the model's structure, computed again after any change of it."""
        entry = self._cache.get(key)
        if entry is None or entry[0] != Version.count:
            entry = self._cache[key] = (Version.count, compute())
        return entry[1]

    def _trainable_now(self) -> list:
        return self._cached("trainable", lambda: self.trainable_variables)

    def _has_penalties(self) -> bool:
        return self._cached("penalties", lambda: any(v.regularizer is not None for v in self.trainable_variables))

    # -------------------------------------------------------------------------------------------- the functions that the loop calls

    def make_train_function(self, force: bool = False) -> Callable:
        """The function from a batch to logs that `fit` calls, compiled unless `run_eagerly`."""
        return self._function("train", force)

    def make_test_function(self, force: bool = False) -> Callable:
        """The function from a batch to logs that `evaluate` calls."""
        return self._function("test", force)

    def make_predict_function(self, force: bool = False) -> Callable:
        """The function from a batch to outputs that `predict` calls."""
        return self._function("predict", force)

    def _function(self, phase: str, force: bool = False) -> Callable:
        made = self._functions.get(phase)
        key = self._structure_key()
        if made is not None and not force and made[0] == key:
            return made[1]
        many, key_phase, phase = phase.endswith("_many"), phase, phase.removesuffix("_many")
        step = {"train": self.train_step, "test": self.test_step, "predict": self.predict_step}[phase]
        if phase == "train" and not self._overrides("train_step"):
            step = self._quiet_train_step
        if is_stateless(step):
            step = stateful(self, step, phase)
        if phase != "train":
            step = self._without_gradients(step)
        if not self._run_eagerly:
            asked = self._jit_compile
            recurrent = any(isinstance(layer, RNN) for layer in self._flatten_layers())  # one long loop, which XLA makes no faster
            if asked in (None, "auto"):
                options: dict[str, Any] = {"xla": "auto" if phase == "train" and self._is_overhead_bound() and not recurrent else None}
            else:
                options = {"compile": bool(asked), "xla": bool(asked)}
            step = self.backend.over_batches(step, **options) if many else self.backend.jit(step, **options)
        elif many:
            step = slot.get("numpy").over_batches(step)  # a plain loop
        self._functions[key_phase] = (key, step)
        return step

    def _pack_size(self, phase: str, source: Any, hooks: bool, limit: int | None) -> int:
        """How many steps run in one call. Left open: several where nobody looks between and compiling twice pays off."""
        if not isinstance(self._steps_per_execution, str):  # "auto"
            return self._steps_per_execution if limit is None or phase == "train" else 1
        if phase != "train" or hooks or self._run_eagerly or limit is not None or not self._is_overhead_bound():
            return 1
        pack = self.backend.pack_size()
        planned = self.__dict__.get("_steps_done", 0) + (source.num_batches or 0) * self.__dict__.get("_planned_epochs", 1)
        return pack if (source.num_batches or 0) >= 2 * pack and planned >= LONG_RUN else 1

    def _is_overhead_bound(self) -> bool:
        """Whether a step is many small operations, so that starting them costs more than they do.

        Then compiling them into one kernel, and several steps into one call, pays. Convolutions and attention (kernels of more than two
        axes) are faster by the frameworks' own threaded kernels on a processor.
        """
        variables = self._trainable_now()
        return all(v.ndim <= 2 for v in variables) and sum(v.size for v in variables) <= SMALL_MODEL

    def _overrides(self, name: str) -> bool:
        """Whether a subclass has its own method of that name."""
        return getattr(type(self), name) is not getattr(Trainer, name)

    def _structure_key(self) -> tuple:
        return tuple(id(v) for v in self._trainable_now())

    def _quiet_train_step(self, batch: Any) -> dict | None:
        """`train_step` without reading the metrics: nobody looks at most of them."""
        x, y, sample_weight = unpack_x_y_sample_weight(batch)
        self.__dict__.pop("_last_logs", None)
        self._update(x, y, sample_weight)
        return self.__dict__.pop("_last_logs", None)

    def _without_gradients(self, step: Callable) -> Callable:
        no_grad = self.backend.no_grad

        def run(batch: Any) -> Any:
            with no_grad():
                return step(batch)

        return run

    # -------------------------------------------------------------------------------------------- fit, evaluate, predict

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: dict | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | list = 1,
    ) -> Any:
        """Trains the model; returns a `History` whose `history` maps each metric to its values by epoch.

        Args:
            x: arrays (NumPy, pandas, tensors of any framework), structures of them, `tf.data.Dataset`, torch `DataLoader`,
                `core.utils.PyDataset`, or a generator of batches.
            y, sample_weight: with arrays only; datasets yield `(x, y)` or `(x, y, sample_weight)`.
            batch_size: 32 where it is None.
            validation_split: last part of the arrays that is kept for validation.
            class_weight: class index -> weight.
        """
        self._require_compiled("fit")
        if not isinstance(epochs, (int, np.integer)) or epochs < 0:
            raise ValueError(f"fit needs a number of epochs, 0 or more, got {epochs!r}.")
        limits = config.current()
        epochs = min(epochs, limits.max_epochs + initial_epoch) if limits.max_epochs else epochs
        if limits.max_steps_per_epoch:
            steps_per_epoch = min(steps_per_epoch or limits.max_steps_per_epoch, limits.max_steps_per_epoch)
        if validation_split:
            (x, y, sample_weight), validation_data = data_module.split_arrays(x, y, sample_weight, validation_split)
        with slot.use(self.backend):
            source = data_module.adapter(
                x, y, sample_weight, batch_size=batch_size, shuffle=shuffle, class_weight=class_weight, steps=steps_per_epoch, repeat=True,
                backend=self.backend, native=self._run_eagerly,
            )
            self._build_for(source)
            self._check_targets(y)
            _is_due(0, validation_freq)
            held_out = self._validation_source(validation_data, validation_batch_size or batch_size, validation_steps)
            if not isinstance(callbacks, callbacks_module.CallbackList):
                callbacks = callbacks_module.CallbackList(
                    callbacks,
                    add_history=True,
                    add_progbar=verbose != 0,
                    model=self,
                    verbose=verbose,
                    epochs=epochs,
                    steps=source.num_batches,
                )
            if held_out is not None:
                self._build_for(held_out)
            function = self.make_train_function()
            self.stop_training = False
            self.__dict__["_planned_epochs"] = epochs - initial_epoch
            self.__dict__["_epochs_done"] = 0
            self.__dict__["_fit_source"] = source  # a backup keeps its shuffle seed
            callbacks.on_train_begin()
            initial_epoch = self.__dict__.pop("_initial_epoch", initial_epoch)
            first_batch = self.__dict__.pop("_initial_batch", 0)
            logs: dict = {}
            try:
                for epoch in range(initial_epoch, epochs):
                    self.reset_metrics()
                    source.on_epoch_begin()
                    callbacks.on_epoch_begin(epoch)
                    epoch_logs = self._run_epoch("train", source, function, callbacks, epoch, steps_per_epoch, first_batch)
                    first_batch = 0
                    if not epoch_logs:
                        warnings.warn(
                            f"The data ran out after {self._epochs_done} of {epochs - initial_epoch} epochs; training stops.", stacklevel=2
                        )
                        break
                    logs = epoch_logs
                    self.__dict__["_epochs_done"] += 1
                    if held_out is not None and _is_due(epoch, validation_freq):
                        self.reset_metrics()
                        val_logs = self._run_epoch("test", held_out, self.make_test_function(), callbacks, epoch, validation_steps)
                        logs.update({f"val_{k}": v for k, v in val_logs.items()})
                    source.on_epoch_end()
                    callbacks.on_epoch_end(epoch, logs)
                    if self.stop_training:
                        break
            finally:
                if self.optimizer is not None and getattr(self.optimizer, "use_ema", False) and epochs > 0:
                    self.optimizer.finalize_variable_values(self.trainable_variables)
            callbacks.on_train_end(logs)
        return self.__dict__.get("history")

    def evaluate(
        self, x=None, y=None, batch_size=None, verbose="auto", sample_weight=None, steps=None, callbacks=None, return_dict=False
    ):
        """The loss and the metrics on data: a number, a list in the order of `metrics_names`, or a dict with `return_dict`."""
        self._require_compiled("evaluate")
        with slot.use(self.backend):
            source = data_module.adapter(x, y, sample_weight, batch_size=batch_size, steps=steps, backend=self.backend)
            self._build_for(source)
            if not isinstance(callbacks, callbacks_module.CallbackList):
                callbacks = callbacks_module.CallbackList(
                    callbacks, add_progbar=verbose != 0, model=self, verbose=verbose, epochs=1, steps=source.num_batches
                )
            self.reset_metrics()
            logs = self._run_epoch("test", source, self.make_test_function(), callbacks, 0, steps)
        return logs if return_dict else self._flat_results(logs)

    def predict(self, x, batch_size=None, verbose="auto", steps=None, callbacks=None):
        """The outputs for all of `x`, as NumPy arrays."""
        with slot.use(self.backend):
            source = data_module.adapter(x, batch_size=batch_size, steps=steps, backend=self.backend)
            if not isinstance(callbacks, callbacks_module.CallbackList):
                callbacks = callbacks_module.CallbackList(
                    callbacks, add_progbar=verbose != 0, model=self, verbose=verbose, epochs=1, steps=source.num_batches
                )
            function = self.make_predict_function()
            callbacks.on_predict_begin()
            outputs: list[list] = []
            spec = None
            for step, batch in enumerate(itertools.islice(source.batches(0), steps)):
                callbacks.on_predict_batch_begin(step)
                result = function(batch)
                leaves, spec = tree.flatten_with_spec(result)
                outputs.append([self.backend.convert_to_numpy(leaf) for leaf in leaves])
                callbacks.on_predict_batch_end(step, {"outputs": result} if callbacks.needs_batches else None)
            callbacks.on_predict_end()
        if spec is None:
            raise ValueError("predict got no data: the source yielded no batch.")
        return tree.unflatten(spec, [_joined(parts) for parts in zip(*outputs)])

    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, return_dict=False):
        """One step of training on one batch; returns the loss and metrics of that batch alone."""
        self._require_compiled("train_on_batch")
        with slot.use(self.backend):
            batch = self._one_batch(x, y, sample_weight, class_weight)
            self._build_on(batch)
            self.reset_metrics()
            logs = self.make_train_function()(batch)
            logs = self._host(logs if logs is not None else self.get_metrics_result())
        return logs if return_dict else self._flat_results(logs)

    def test_on_batch(self, x, y=None, sample_weight=None, return_dict=False):
        """The loss and metrics of one batch alone."""
        self._require_compiled("test_on_batch")
        with slot.use(self.backend):
            batch = self._one_batch(x, y, sample_weight, None)
            self._build_on(batch)
            self.reset_metrics()
            logs = self._host(self.make_test_function()(batch))
        return logs if return_dict else self._flat_results(logs)

    def predict_on_batch(self, x):
        """The outputs for one batch, as NumPy arrays."""
        with slot.use(self.backend):
            batch = self._one_batch(x, None, None, None)
            outputs = self.make_predict_function()(batch)
            return tree.map_structure(self.backend.convert_to_numpy, outputs)

    def _one_batch(self, x: Any, y: Any, sample_weight: Any, class_weight: Any) -> tuple:
        size = next((len(leaf) for leaf in tree.flatten(x) if hasattr(leaf, "__len__")), 1)
        source = data_module.adapter(x, y, sample_weight, batch_size=max(size, 1), class_weight=class_weight, backend=self.backend)
        return next(iter(source.batches(0)))

    # -------------------------------------------------------------------------------------------- the loop

    def _run_epoch(
        self, phase: str, source: Any, function: Callable, callbacks: Any, epoch: int, limit: int | None, first: int = 0
    ) -> dict:
        """One pass over the data; returns the logs as floats. `train` and `test` differ in their hooks only."""
        begin, end = (
            (callbacks.on_train_batch_begin, callbacks.on_train_batch_end)
            if phase == "train"
            else (callbacks.on_test_batch_begin, callbacks.on_test_batch_end)
        )
        if phase == "test":
            callbacks.on_test_begin()
        hooks, bar = callbacks.needs_batches, callbacks.progress if phase == "train" or callbacks.standalone else None
        logs, count, pack = None, 0, self._pack_size(phase, source, hooks, limit)
        many = self._function(f"{phase}_many") if pack > 1 else function
        batches = source.stacked(epoch, pack, first) if pack > 1 else ((1, batch) for batch in source.batches(epoch, first))
        for size, batch in batches:
            if hooks:
                begin(first + count)
            logs = (function if size == 1 else many)(batch)
            count += size
            if hooks:
                end(first + count - 1, self._host(logs if logs is not None else self.get_metrics_result()))
            elif bar is not None:
                bar.advance(count, lambda logs=logs: self._host(logs if logs is not None else self.get_metrics_result()))
            if (self.stop_training and phase == "train") or (limit is not None and count + first >= limit):
                break
        if count == 0 and phase == "train" and self.__dict__["_epochs_done"]:
            return {}
        if count == 0:
            raise ValueError("The data source yielded no batch: the dataset is empty, or the generator was used up before.")
        if phase == "train":
            self.__dict__["_steps_done"] = self.__dict__.get("_steps_done", 0) + count
        result = self._host(logs if logs is not None else self.get_metrics_result())
        if phase == "test":
            callbacks.on_test_end(result)
        return result

    def _host(self, logs: Any) -> dict:
        """Logs as Python floats, sorted by name."""
        if not isinstance(logs, dict):
            raise ValueError(f"A train_step or test_step must return a dict of metric name to value, got {type(logs).__name__}.")
        result = {}
        for key in sorted(logs):
            value = logs[key]
            owner = slot.owner(value)
            value = owner.convert_to_numpy(value) if owner is not None else np.asarray(getattr(value, "value", value))
            result[key] = float(value) if np.ndim(value) == 0 else value
        return result

    def _flat_results(self, logs: dict) -> Any:
        names = [name for name in self._result_order() if name in logs]
        values = [logs[name] for name in (*names, *(k for k in logs if k not in names))]
        return values[0] if len(values) == 1 else values

    def _result_order(self) -> list[str]:
        order = [m.name for m in self.metrics if m is self._loss_tracker]
        order += [m.name for m in (self._compile_loss.trackers if self._compile_loss else [])]
        order += [label for label, _ in (self._compile_metrics.labels if self._compile_metrics else [])]
        return order

    def _require_compiled(self, what: str) -> None:
        if not self.compiled:
            raise ValueError(f"Model {self.name!r} must be compiled before {what}: call model.compile(optimizer=..., loss=...).")
        if self.backend.trains is False and what in ("fit", "train_on_batch"):
            raise ValueError(
                f"Model {self.name!r} is on the {self.backend.name} backend, which has no gradients. Move it with model.to_backend('jax'), "
                "'torch' or 'tensorflow'."
            )

    def compile_report(self) -> dict[str, dict]:
        """For each function of the loop: whether it is compiled, how often it was traced, and the seconds that took."""
        report = {}
        for phase, (_, function) in self._functions.items():
            report[phase] = {
                "compiled": hasattr(function, "traces"),
                "traces": getattr(function, "traces", 0),
                "trace_seconds": round(getattr(function, "trace_seconds", 0.0), 3),
                "reason": None
                if hasattr(function, "traces")
                else ("run_eagerly" if self._run_eagerly else f"{self.backend.name} runs eagerly"),
            }
        return report

    def to_backend(self, backend: Any) -> Any:
        """Moves the model to another backend: weights, seeds, optimizer slots and metrics; returns the model."""
        backend = slot.get(backend)
        layer_module.Layer.to_backend(self, backend)
        if self.optimizer is not None:
            self.optimizer.to_backend(backend)
        for metric in self.metrics:
            metric.to_backend(backend)
        self._functions = {}
        self._cache: dict = {}
        Version.count += 1
        self.__dict__.pop("_optimizer_for", None) if self.optimizer is None else self.__dict__.__setitem__(
            "_optimizer_for", self._structure_key()
        )
        return self


def _batch_size(x: Any) -> Any:
    """The number of examples in a batch."""
    for leaf in tree.flatten(x):
        if hasattr(leaf, "shape") and len(leaf.shape):
            size = leaf.shape[0]
            return size if size is not None else ops.shape(leaf)[0]
    return None


def _is_due(epoch: int, frequency: int | list) -> bool:
    if isinstance(frequency, (list, tuple, set)):
        return epoch + 1 in frequency
    if not isinstance(frequency, int) or frequency < 1:
        raise ValueError(f"validation_freq must be a positive integer or a list of epochs, got {frequency!r}.")
    return (epoch + 1) % frequency == 0


def _joined(parts: Any) -> Any:
    parts = list(parts)
    return np.concatenate(parts, axis=0) if np.ndim(parts[0]) else np.stack(parts)

