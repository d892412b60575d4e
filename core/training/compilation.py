"""What `compile` keeps: the optimizer, the loss and the metrics, how steps are run, and their configs."""

from __future__ import annotations

import inspect
from typing import Any

from core import optimizers
from core.backend import slot
from core.layers.layer import Layer
from core.metrics import Mean
from core.optimizers import LossScaleOptimizer
from core.training.compile_loss import CompileLoss
from core.training.compile_metrics import CompileMetrics

_Base: Any = object  # for type checkers, a mixin has all that the rest of the trainer has


class Compilation(_Base):
    """`compile`, and what can be read off a compiled model."""

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int | str = "auto",
        jit_compile: bool | str | None = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Says how the model is trained.

        Args:
            optimizer: name or object.
            loss: name, object or function `(y_true, y_pred)`; a list or dict for several outputs.
            loss_weights: how the outputs' losses are weighted.
            metrics, weighted_metrics: names, objects or functions; the second ones see the sample weights.
            run_eagerly: whether the step runs as plain Python, to debug it.
            steps_per_execution: how many steps run in one call; "auto" leaves it to the backend.
            jit_compile: True for XLA under TensorFlow and `torch.compile` under PyTorch; False for neither; "auto" for what pays.
            auto_scale_loss: whether a mixed_float16 model scales its loss.
        """
        with slot.use(self.backend):
            optimizer = optimizers.get(optimizer)
            if (
                auto_scale_loss
                and self.dtype_policy.name == "mixed_float16"
                and optimizer
                and not isinstance(optimizer, LossScaleOptimizer)
            ):
                optimizer = LossScaleOptimizer(optimizer, name="loss_scale_optimizer")
            _check_steps_per_execution(steps_per_execution)
            names = (
                getattr(self, "output_names", None)
                if hasattr(self, "_output_tensors") or getattr(self, "_graph", None) is not None
                else None
            )
            self.optimizer = optimizer
            self._compile_loss = CompileLoss(loss, loss_weights, names) if loss is not None else None
            self._compile_metrics = CompileMetrics(metrics, weighted_metrics, names)
            self._loss_tracker = Mean(name="loss")
        self._run_eagerly = bool(run_eagerly)
        self._jit_compile = jit_compile
        self._steps_per_execution = steps_per_execution
        self._compile_arguments = {
            "optimizer": optimizer, "loss": loss, "loss_weights": loss_weights, "metrics": metrics, "weighted_metrics": weighted_metrics,
            "run_eagerly": run_eagerly, "steps_per_execution": steps_per_execution, "jit_compile": jit_compile,
        }  # fmt: skip
        self._functions: dict = {}
        self.__dict__["_checked"] = set()  # signatures of the batches known to fit
        self.stop_training = False
        self.compiled = True

    @property
    def jit_compile(self) -> bool:
        """Whether the step is compiled."""
        return not self._run_eagerly and self._jit_compile is not False

    @property
    def run_eagerly(self) -> bool:
        """Whether the step runs as plain Python."""
        return self._run_eagerly

    @run_eagerly.setter
    def run_eagerly(self, value: bool) -> None:
        self._run_eagerly = bool(value)
        self._functions = {}

    @property
    def steps_per_execution(self) -> int:
        """How many steps run in one call of the compiled function."""
        return 1 if isinstance(self._steps_per_execution, str) else self._steps_per_execution

    @property
    def loss(self) -> Any:
        """The loss as given to `compile`."""
        return self._compile_arguments["loss"] if self._compile_arguments else None

    @property
    def metrics(self) -> list:
        """The loss tracker, the compiled metrics, and those that layers hold."""
        held = Layer.metrics.fget(self)  # type: ignore[attr-defined]
        return list({id(m): m for m in (*self._compiled_metrics(), *held)}.values())

    def _compiled_metrics(self) -> list:
        own = [] if self._loss_tracker is None or not self._tracks_loss() else [self._loss_tracker]
        compiled = [] if self._compile_metrics is None else self._compile_metrics.metrics
        return [*own, *([] if self._compile_loss is None else self._compile_loss.trackers), *compiled]

    def _tracks_loss(self) -> bool:
        """Whether the steps report a loss: one is compiled, or made by `compute_loss`, `add_loss` or penalties in the step written here."""
        return self._compile_loss is not None or not self._overrides("train_step")

    @property
    def metrics_names(self) -> list[str]:
        """The names of what `evaluate` returns, in its order."""
        names, known = self._result_order(), {id(m) for m in self._compiled_metrics()}
        return [*names, *(m.name for m in self.metrics if id(m) not in known)]

    def reset_metrics(self) -> None:
        """Starts all metrics anew."""
        for metric in self.metrics:
            metric.reset_state()

    def get_compile_config(self) -> dict | None:
        """The arguments of `compile` as a config, or None."""
        from core.base.registry import serialize_keras_object

        if not self.compiled or self._compile_arguments is None:
            return None
        given = dict(self._compile_arguments)
        if given["steps_per_execution"] == "auto":
            given["steps_per_execution"] = 1
        if given["jit_compile"] in ("auto", None):
            given["jit_compile"] = False
        return {key: serialize_keras_object(value) for key, value in given.items()}

    def get_execution(self) -> dict | None:
        """How steps are run, as `compile` was told; `get_compile_config` writes what Keras can read, which has no "auto"."""
        if not self.compiled:
            return None
        jit_compile = self._jit_compile if isinstance(self._jit_compile, bool) else "auto"
        return {"steps_per_execution": self._steps_per_execution, "jit_compile": jit_compile}

    def set_execution(self, steps_per_execution: int | str, jit_compile: bool | str) -> None:
        """Changes how steps of a compiled model are run: the arguments of `compile`, "auto" to leave them open."""
        if not self.compiled:
            raise ValueError(f"{self.name} is not compiled: give compile the arguments instead.")
        _check_steps_per_execution(steps_per_execution)
        if not isinstance(jit_compile, bool) and jit_compile != "auto":
            raise ValueError(f"jit_compile must be True, False or 'auto', got {jit_compile!r}.")
        self._steps_per_execution, self._jit_compile = steps_per_execution, jit_compile
        self._compile_arguments.update(steps_per_execution=steps_per_execution, jit_compile=jit_compile)
        self._functions = {}

    def compile_from_config(self, config: dict) -> None:
        """Compiles from `get_compile_config`'s result, and builds the optimizer."""
        from core.base.registry import deserialize_keras_object

        known = tuple(inspect.signature(Compilation.compile).parameters)[1:]
        arguments = {k: deserialize_keras_object(v) for k, v in config.items() if k in known}
        if arguments.get("steps_per_execution") == 1:
            arguments["steps_per_execution"] = "auto"
        if arguments.get("jit_compile") is False or arguments.get("jit_compile") is True:
            arguments["jit_compile"] = "auto"
        self.compile(**arguments)
        if self.optimizer is not None and self.built:
            with slot.use(self.backend):
                self.optimizer.build(self.trainable_variables)


def _check_steps_per_execution(steps: Any) -> None:
    if steps != "auto" and (isinstance(steps, bool) or not isinstance(steps, int) or steps < 1):
        raise ValueError(f"steps_per_execution must be a positive integer or 'auto', got {steps!r}.")
