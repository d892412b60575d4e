"""`BasicWorkflow`: simulate, train, infer, diagnose, in one object with good defaults."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from bayes.adapters import Adapter
from bayes.adapters import transforms as T
from bayes.adapters.adapter import row_count
from bayes.approximators import ContinuousApproximator
from bayes.approximators.approximator import INFERENCE
from bayes.datasets import DiskDataset, OfflineDataset, OnlineDataset
from bayes.networks.inference_network import InferenceNetwork
from bayes.simulators.seeds import generator_of
from bayes.simulators.sequential_simulator import make_simulator
from bayes.simulators.simulator import Simulator
from bayes.workflows.find import find_network
from bayes.workflows.training_plan import make_callbacks, make_checkpoint, make_optimizer, make_schedule

Keys = Sequence[str] | str | None
VALIDATION_SHARE = 0.1  # of the simulations of `fit_offline`, where no validation data is given
ONLINE_VALIDATION = 1000  # simulations at most, for `fit_online`
RATE, RATE_WITH_SUMMARIES = 1e-2, 1e-3
ONLINE_BATCH = 128
OFFLINE_BATCHES, SMALLEST_BATCH, LARGEST_BATCH = 16, 32, 512  # at least so many batches an epoch, while batches stay within these sizes


class BasicWorkflow:
    """From a simulator to posterior draws and diagnostics.

    When the validation loss has not fallen for a fifth of the epochs, training cools down: from the best weights on, the learning rate
    falls to zero in another tenth, and the best weights of all are kept. A tenth of the simulations is held out for that where no
    `validation_data` is given; `early_stopping=False` trains on all, to the end.
    Where the simulator tells the support of its parameters, draws never leave it: training happens in unbounded space.

    Args:
        simulator: a `Simulator`, or what `make_simulator` takes.
        adapter: from the simulator's names to networks; made from the names below where it is left out.
        inference_network: a network or its name; a spline coupling flow by default.
        summary_network: a network or its name, needed where there are `summary_variables`.
        initial_learning_rate: the highest one of the schedule; by default 1e-2, and 1e-3 where a summary network trains along.
        optimizer: an optimizer, or a class of optimizers, instead of the default.
        checkpoint_filepath: a folder to which the approximator is saved as it trains, under `checkpoint_name`.
        inference_variables: names of the parameters to infer.
        inference_conditions: names of data that go to the inference network as they are.
        summary_variables: names of data that go through the summary network.
        standardize: which roles are standardized by the data: "all", a role, a list, None.
        kwargs: of `ContinuousApproximator`.

    Raises:
        ValueError: neither an adapter nor the names of parameters to infer are given.

    >>> from bayes.networks import CouplingFlow
    >>> from bayes.simulators import TwoMoons
    >>> workflow = BasicWorkflow(
    ...     TwoMoons(), inference_network=CouplingFlow(depth=1), inference_variables="parameters", inference_conditions="observables"
    ... )
    >>> history = workflow.fit_online(epochs=1, num_batches_per_epoch=2, verbose=0)
    >>> workflow.sample(num_samples=10, conditions={"observables": np.zeros((3, 2))}, seed=0)["parameters"].shape
    (3, 10, 2)
    """

    def __init__(
        self,
        simulator: Any = None,
        adapter: Adapter | None = None,
        inference_network: Any = "coupling_flow",
        summary_network: Any = None,
        initial_learning_rate: float | None = None,
        optimizer: Any = None,
        checkpoint_filepath: str | None = None,
        checkpoint_name: str = "model",
        save_weights_only: bool = False,
        save_best_only: bool = False,
        inference_variables: Keys = None,
        inference_conditions: Keys = None,
        summary_variables: Keys = None,
        standardize: Keys = "all",
        **kwargs: Any,
    ):
        self.simulator = simulator if simulator is None or isinstance(simulator, Simulator) else make_simulator(simulator)
        if adapter is None and inference_variables is None:
            raise ValueError(
                "BasicWorkflow needs the names of the parameters to infer, inference_variables=..., or an adapter that makes them."
            )
        if adapter is None:
            adapter = self.default_adapter(inference_variables, inference_conditions, summary_variables)  # type: ignore[arg-type]
        self.approximator = ContinuousApproximator(
            inference_network=find_network(inference_network, "inference"),
            adapter=within_support(adapter, self.simulator),
            summary_network=find_network(summary_network, "summary"),
            standardize=standardize,
            **kwargs,
        )
        if initial_learning_rate is None:
            initial_learning_rate = RATE if summary_network is None else RATE_WITH_SUMMARIES
        self.initial_learning_rate, self.optimizer = float(initial_learning_rate), optimizer
        self.checkpoint = (checkpoint_filepath, checkpoint_name, save_weights_only, save_best_only)
        self.history: Any = None
        self.schedule: Any = None  # of the optimizer, where that is ours

    @staticmethod
    def default_adapter(inference_variables: Any, inference_conditions: Keys = None, summary_variables: Keys = None) -> Adapter:
        """An adapter that makes float32 arrays and joins the named variables by their roles."""
        return ContinuousApproximator.build_adapter(inference_variables, inference_conditions, summary_variables)

    @staticmethod
    def make_simulator(simulators_list: Any, meta_fn: Callable | None = None) -> Simulator:
        """See `bayes.make_simulator`."""
        return make_simulator(simulators_list, meta_fn=meta_fn)

    @staticmethod
    def samples_to_data_frame(samples: Mapping[str, np.ndarray]) -> Any:
        """Draws as a table: a row a draw, indexed by observation and draw; a column an axis of a variable."""
        import pandas as pd

        columns = {}
        for name, values in samples.items():
            flat = np.asarray(values).reshape(*np.shape(values)[:2], -1)
            for axis in range(flat.shape[-1]):
                columns[name if flat.shape[-1] == 1 else f"{name}_{axis}"] = flat[..., axis].ravel()
        rows, count = np.shape(next(iter(samples.values())))[:2]
        index = pd.MultiIndex.from_product([range(rows), range(count)], names=["dataset", "sample"])
        return pd.DataFrame(columns, index=index)

    @property
    def adapter(self) -> Adapter:
        """The approximator's adapter."""
        return self.approximator.adapter

    @property
    def inference_network(self) -> Any:
        """The approximator's inference network."""
        return self.approximator.inference_network

    @property
    def summary_network(self) -> Any:
        """The approximator's summary network."""
        return self.approximator.summary_network

    # ------------------------------------------------------------------------------------------ simulating

    @property
    def _needed_simulator(self) -> Simulator:
        if self.simulator is None:
            raise ValueError("This workflow has no simulator: give it one, or simulations.")
        return self.simulator

    def simulate(self, batch_shape: Any, *, seed: Any = None, **kwargs: Any) -> dict[str, Any]:
        """Simulations by name."""
        return self._needed_simulator.sample(batch_shape, seed=seed, **kwargs)

    def simulate_adapted(self, batch_shape: Any, *, seed: Any = None, **kwargs: Any) -> dict[str, Any]:
        """Simulations as the networks take them."""
        return self.adapter(self.simulate(batch_shape, seed=seed, **kwargs))

    # ------------------------------------------------------------------------------------------ training

    def fit_offline(
        self,
        data: Mapping[str, Any],
        epochs: int | None = None,
        batch_size: int | None = None,
        keep_optimizer: bool = False,
        validation_data: Mapping[str, Any] | int | None = None,
        augmentations: Any = None,
        *,
        early_stopping: bool | int = True,
        validation_split: float | None = None,
        invalid: str = "error",
        seed: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Trains on simulations by name; returns a `History`.

        Args:
            epochs: at most; the learning rate's schedule covers them. By default what the inference network suggests: 50, flow
                matching 200.
            batch_size: simulations a step; by default 512, and fewer where there are fewer than 8,192 simulations.
            keep_optimizer: whether a further fit goes on with the optimizer and its schedule.
            validation_data: simulations by name, or how many are to be drawn.
            augmentations: functions that change batches in training, before the adapter.
            early_stopping: whether training stops without improvement, or after how many epochs of none; see the class.
            validation_split: the share kept for validation where none is given; a tenth with early stopping, else none.
            invalid: "error" or "drop", for simulations that are not finite.
            seed: of the split and the order.
            kwargs: of `core.Model.fit`, such as `verbose` and `callbacks`.
        """
        rng = generator_of(seed)
        if epochs is None:
            epochs = int(getattr(self.inference_network, "offline_epochs", InferenceNetwork.offline_epochs))
        if batch_size is None:
            batch_size = default_batch_size(row_count(data))
        share = (VALIDATION_SHARE if early_stopping else 0.0) if validation_split is None else validation_split
        if validation_data is None and share:
            data, validation_data = _parted(data, share, batch_size, rng)
        dataset = OfflineDataset(data, batch_size, self.adapter, augmentations=augmentations, invalid=invalid, seed=rng)
        return self._fit(dataset, epochs, keep_optimizer, validation_data, early_stopping, invalid, 0.0, rng, kwargs)

    def fit_online(
        self,
        epochs: int = 100,
        num_batches_per_epoch: int = 100,
        batch_size: int = ONLINE_BATCH,
        keep_optimizer: bool = False,
        validation_data: Mapping[str, Any] | int | None = None,
        augmentations: Any = None,
        *,
        early_stopping: bool | int = True,
        invalid: str = "error",
        seed: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Trains on fresh simulations in each batch; see `fit_offline`. With early stopping, up to 1,000 more are drawn for validation."""
        simulator, rng = self._needed_simulator, generator_of(seed)
        if validation_data is None and early_stopping:
            validation_data = min(ONLINE_VALIDATION, num_batches_per_epoch * batch_size)
        dataset = OnlineDataset(
            simulator, batch_size, num_batches_per_epoch, self.adapter, augmentations=augmentations, invalid=invalid, seed=rng
        )
        history = self._fit(dataset, epochs, keep_optimizer, validation_data, early_stopping, invalid, 0.0, rng, kwargs)
        dataset.report_dropped()
        return history

    def fit_disk(
        self,
        root: Any,
        pattern: str = "*.npz",
        batch_size: int = ONLINE_BATCH,
        load_fn: Callable | None = None,
        epochs: int = 100,
        keep_optimizer: bool = False,
        validation_data: Mapping[str, Any] | int | None = None,
        augmentations: Any = None,
        *,
        early_stopping: bool | int = True,
        batched_files: bool = False,
        invalid: str = "error",
        seed: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Trains on simulations in files; see `DiskDataset`. Without validation data there is no early stopping."""
        rng = generator_of(seed)
        dataset = DiskDataset(
            root, pattern=pattern, batch_size=batch_size, load_fn=load_fn, adapter=self.adapter, augmentations=augmentations,
            batched_files=batched_files, invalid=invalid, seed=rng,
        )  # fmt: skip
        return self._fit(dataset, epochs, keep_optimizer, validation_data, early_stopping, invalid, 0.0, rng, kwargs)

    def fit(self, **kwargs: Any) -> Any:
        """`fit_offline` where `data` is given, `fit_disk` where `root` is, else `fit_online`."""
        return (self.fit_offline if "data" in kwargs else self.fit_disk if "root" in kwargs else self.fit_online)(**kwargs)

    def build_optimizer(self, epochs: int, num_batches: int, strategy: str = "offline", weight_decay: float = 0.0) -> Any:
        """The optimizer of a run of that length."""
        if self.optimizer is None:
            self.schedule = make_schedule(self.initial_learning_rate, epochs * num_batches)
            return make_optimizer(self.schedule, weight_decay)
        return self.optimizer(learning_rate=self.initial_learning_rate) if isinstance(self.optimizer, type) else self.optimizer

    def _fit(
        self,
        dataset: Any,
        epochs: int,
        keep_optimizer: bool,
        validation_data: Any,
        early_stopping: bool | int,
        invalid: str,
        weight_decay: float,
        rng: np.random.Generator,
        kwargs: dict[str, Any],
    ) -> Any:
        if isinstance(validation_data, (int, np.integer)):
            validation_data = self.simulate(int(validation_data), seed=rng)
        held_out = None
        if validation_data is not None:
            held_out = OfflineDataset(validation_data, dataset.batch_size, self.adapter, stage="validation", shuffle=False, invalid=invalid)
        if not (keep_optimizer and self.approximator.compiled):
            self.approximator.compile(self.build_optimizer(epochs, len(dataset), "", weight_decay))
        callbacks = make_callbacks(early_stopping, epochs, held_out is not None, kwargs.pop("callbacks", None), self.schedule)
        callbacks += make_checkpoint(*self.checkpoint, held_out is not None)
        self.history = self.approximator.fit(dataset, validation_data=held_out, epochs=epochs, callbacks=callbacks, **kwargs)
        losses = self.history.history["loss"]
        if losses and not np.all(np.isfinite(losses)):
            raise FloatingPointError(
                f"The training loss became {losses[-1]} in epoch {1 + int(np.argmin(np.isfinite(losses)))}: lower initial_learning_rate "
                f"(now {self.initial_learning_rate:g}), or look for extreme values in the simulations."
            )
        return self.history

    # ------------------------------------------------------------------------------------------ inference

    def sample(self, *, num_samples: int, conditions: Mapping[str, Any] | None = None, **kwargs: Any) -> dict[str, np.ndarray]:
        """Posterior draws by name, `(observations, num_samples, dim)`; see `ContinuousApproximator.sample`."""
        return self.approximator.sample(num_samples=num_samples, conditions=conditions, **kwargs)

    def log_prob(self, data: Mapping[str, Any], **kwargs: Any) -> np.ndarray:
        """Log densities of parameters given observations; see `ContinuousApproximator.log_prob`."""
        return self.approximator.log_prob(data, **kwargs)

    def estimate(self, *, conditions: Mapping[str, Any], **kwargs: Any) -> dict[str, dict[str, np.ndarray]]:
        """Posterior means, medians, deviations and quantiles; see `ContinuousApproximator.estimate`."""
        return self.approximator.estimate(conditions=conditions, **kwargs)

    # ------------------------------------------------------------------------------------------ diagnostics

    def compute_default_diagnostics(
        self,
        test_data: Mapping[str, Any] | int,
        num_samples: int = 1000,
        samples: Mapping[str, Any] | None = None,
        variable_keys: Sequence[str] | None = None,
        variable_names: Sequence[str] | None = None,
        as_data_frame: bool = True,
        **kwargs: Any,
    ) -> Any:
        """Recovery, calibration and contraction on test simulations: a table with a row a metric, a column a variable."""
        from bayes.diagnostics import metrics

        chosen: dict[str, Callable[..., Any]] = {
            "NRMSE": metrics.root_mean_squared_error,
            "Log Gamma": metrics.calibration_log_gamma,
            "Calibration Error": metrics.calibration_error,
            "Posterior Contraction": metrics.posterior_contraction,
        }
        return self.compute_custom_diagnostics(
            test_data, chosen, num_samples, samples, variable_keys, variable_names, as_data_frame, **kwargs
        )

    def compute_custom_diagnostics(
        self,
        test_data: Mapping[str, Any] | int,
        metrics: Mapping[str, Callable],
        num_samples: int = 1000,
        samples: Mapping[str, Any] | None = None,
        variable_keys: Sequence[str] | None = None,
        variable_names: Sequence[str] | None = None,
        as_data_frame: bool = True,
        **kwargs: Any,
    ) -> Any:
        """Metrics of `bayes.diagnostics.metrics`, or functions like them, on test simulations."""
        targets, estimates = self._tested(test_data, num_samples, samples, **kwargs)
        results = [fn(estimates, targets, variable_keys=variable_keys, variable_names=variable_names) for fn in metrics.values()]
        if not as_data_frame:
            return results
        import pandas as pd

        return pd.DataFrame([r["values"] for r in results], index=list(metrics), columns=results[0]["variable_names"])

    def plot_default_diagnostics(
        self,
        test_data: Mapping[str, Any] | int,
        num_samples: int = 1000,
        samples: Mapping[str, Any] | None = None,
        variable_keys: Sequence[str] | None = None,
        variable_names: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Figures by name: losses, recovery, calibration_ecdf, coverage, z_score_contraction."""
        from bayes.diagnostics import plots

        chosen = {name: getattr(plots, name) for name in ("recovery", "calibration_ecdf", "coverage", "z_score_contraction")}
        losses = {} if self.history is None else {"losses": plots.loss(self.history)}
        return {
            **losses,
            **self.plot_custom_diagnostics(test_data, chosen, num_samples, samples, variable_keys, variable_names, **kwargs),
        }

    def plot_custom_diagnostics(
        self,
        test_data: Mapping[str, Any] | int,
        plot_fns: Mapping[str, Callable],
        num_samples: int = 1000,
        samples: Mapping[str, Any] | None = None,
        variable_keys: Sequence[str] | None = None,
        variable_names: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Figures of `bayes.diagnostics.plots`, or functions like them, by name."""
        targets, estimates = self._tested(test_data, num_samples, samples, **kwargs)
        return {
            name: fn(estimates=estimates, targets=targets, variable_keys=variable_keys, variable_names=variable_names)
            for name, fn in plot_fns.items()
        }

    compute_diagnostics = compute_default_diagnostics
    plot_diagnostics = plot_default_diagnostics

    def _tested(self, test_data: Any, num_samples: int, samples: Any, **kwargs: Any) -> tuple[dict[str, Any], Mapping[str, Any]]:
        """The true values and posterior draws for test simulations."""
        if isinstance(test_data, (int, np.integer)):
            test_data = self.simulate(int(test_data), seed=kwargs.get("seed"))
        if samples is None:
            samples = self.sample(num_samples=num_samples, conditions=test_data, **kwargs)
        return {name: np.asarray(test_data[name]) for name in samples}, samples


def default_batch_size(rows: int) -> int:
    """The largest power of two that leaves an epoch enough steps.

    >>> default_batch_size(10_000), default_batch_size(2_000), default_batch_size(50)
    (512, 64, 32)
    """
    fitting = max(1, rows // OFFLINE_BATCHES)
    return min(LARGEST_BATCH, max(SMALLEST_BATCH, 1 << (fitting.bit_length() - 1)))


def within_support(adapter: Adapter, simulator: Simulator | None) -> Adapter:
    """The adapter with parameters of a bounded support made unbounded first, unless it already sees to that itself.

    Only parameters that become `inference_variables` are concerned: a probe of names is followed through the adapter.
    """
    supports = {} if simulator is None else {k: s for k, s in simulator.support.items() if s.is_bounded and not adapter.bends(k)}
    if not supports or simulator is None:
        return adapter
    probe = simulator.sample(2, seed=0)
    before = adapter.get_config()
    adapted = Adapter.from_config(before).forward(probe)
    if INFERENCE not in adapted:
        return adapter
    trial = Adapter.from_config(before)
    trial.forward(probe)
    inferred = set(trial.inverse({INFERENCE: adapted[INFERENCE]}, strict=False))
    bounded = {k: T.Constrain(lower=s.lower, upper=s.upper) for k, s in supports.items() if k in inferred}
    return Adapter([T.MapTransform(bounded), *adapter.transforms]) if bounded else adapter


def _parted(data: Mapping[str, Any], share: float, batch_size: int, rng: np.random.Generator) -> tuple[dict[str, Any], dict[str, Any]]:
    """A training part and a validation part of `share` of the rows, drawn at random.

    Validation also gets what would be a short last batch of training, which would have to be compiled by itself.
    """
    rows = row_count(data)
    size = round(share * rows)
    if rows - size > batch_size:
        size += (rows - size) % batch_size
    if not 0 < size < rows:
        raise ValueError(
            f"validation_split={share} of {rows} simulations leaves one part empty; give validation_data or early_stopping=False."
        )
    order = rng.permutation(rows)
    held_out, kept = np.sort(order[:size]), np.sort(order[size:])
    parts = [{k: np.asarray(v)[chosen] if np.ndim(v) else v for k, v in data.items()} for chosen in (kept, held_out)]
    return parts[0], parts[1]
