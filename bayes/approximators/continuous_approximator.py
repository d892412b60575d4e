"""`ContinuousApproximator`: the density of parameters given data, learned from simulations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import core
from bayes.adapters import Adapter
from bayes.approximators.approximator import CONDITIONS, INFERENCE, SUMMARY, Approximator
from core import ops

SUMMARIES: dict[str, Any] = {"mean": np.mean, "median": np.median, "std": np.std}
QUANTILES = (0.025, 0.25, 0.5, 0.75, 0.975)


@core.saving.register_keras_serializable("bayes")
class ContinuousApproximator(Approximator):
    """A conditional density `q(inference_variables | conditions)` by an inference network, in the units of the simulator.

    Densities hold every volume change: of the network, of the standardization, of the adapter.

    Args:
        inference_network: the density; see `bayes.networks`.
        adapter: from the simulator's names to `inference_variables`, `inference_conditions`, `summary_variables`.
        summary_network: from `summary_variables` to vectors; see `bayes.networks`.
        standardize: which of the three are standardized by the data; "all", a name, a list, None.

    Radev et al. 2020 (arXiv:2003.06281).

    >>> from bayes.networks import CouplingFlow
    >>> from bayes.simulators import TwoMoons
    >>> adapter = Adapter().rename("parameters", "inference_variables").rename("observables", "inference_conditions")
    >>> approximator = ContinuousApproximator(inference_network=CouplingFlow(depth=1), adapter=adapter)
    >>> history = approximator.fit(data=TwoMoons().sample(64, seed=0), epochs=1, verbose=0)
    >>> approximator.sample(num_samples=10, conditions={"observables": np.zeros((1, 2))}, seed=0)["parameters"].shape
    (1, 10, 2)
    """

    def __init__(
        self,
        *,
        inference_network: Any,
        adapter: Adapter | None = None,
        summary_network: Any = None,
        standardize: str | Sequence[str] | None = "all",
        **kwargs: Any,
    ):
        super().__init__(adapter=adapter, summary_network=summary_network, standardize=standardize, **kwargs)
        self.inference_network = inference_network

    @staticmethod
    def build_adapter(
        inference_variables: str | Sequence[str],
        inference_conditions: str | Sequence[str] | None = None,
        summary_variables: str | Sequence[str] | None = None,
        sample_weight: str | None = None,
        summary_mask: str | None = None,
    ) -> Adapter:
        """An adapter to float32 that joins the named variables by their roles and drops all others."""
        adapter = Adapter().to_array().convert_dtype("float64", "float32")
        roles = {INFERENCE: inference_variables, CONDITIONS: inference_conditions, SUMMARY: summary_variables}
        kept = []
        for role, given in roles.items():
            keys = [given] if isinstance(given, str) else list(given or ())
            if keys:
                adapter.concatenate(keys, into=role)
                kept.append(role)
        for role, key in (("sample_weight", sample_weight), ("summary_mask", summary_mask)):
            if key is not None:
                adapter.rename(key, role)
                kept.append(role)
        return adapter.keep(kept)

    def build_networks(self, shapes: Mapping[str, tuple]) -> None:
        if INFERENCE not in shapes:
            raise ValueError(f"The adapter makes no {INFERENCE!r}; it makes {sorted(shapes)}. Name the parameters to infer.")
        if not self.inference_network.built:
            self.inference_network.build(shapes[INFERENCE], self.condition_shape(shapes))

    def loss_of(self, batch: Mapping[str, Any], stage: str) -> Any:
        conditions = self.conditions_of(batch, training=stage == "training")
        x = self.standardized(INFERENCE, batch[INFERENCE])
        return self.inference_network.compute_metrics(x, conditions, sample_weight=batch.get("sample_weight"), stage=stage)["loss"]

    # ------------------------------------------------------------------------------------------ inference

    def sample(
        self,
        *,
        num_samples: int,
        conditions: Mapping[str, Any] | None = None,
        split: bool = False,
        batch_size: int | None = None,
        seed: Any = None,
        return_summaries: bool = False,
        **kwargs: Any,
    ) -> dict[str, np.ndarray]:
        """Posterior draws by name, of shape `(observations, num_samples, dim)`; `(num_samples, dim)` without conditions.

        Args:
            num_samples: how many for each observation.
            conditions: observations by the simulator's names, with a batch axis.
            split: whether a variable of several axes comes as one entry an axis, `name_0`, `name_1`...
            batch_size: how many observations are worked on at a time; all by default.
            seed: an integer gives the same draws again.
            return_summaries: whether the summaries come, too, under `"_summaries"`.
            kwargs: of the inference network, such as the solver's options of flow matching.

        Raises:
            ValueError: not trained yet, observations of a wrong shape or with NaN in them.
        """
        if not isinstance(num_samples, (int, np.integer)) or num_samples < 1:
            raise ValueError(f"num_samples must be a positive integer, got {num_samples!r}.")
        adapted = self.adapted_conditions(conditions)
        with core.backend.use(self.backend):
            if not adapted:
                draws = self._draws({}, (int(num_samples),), seed, kwargs)
            else:
                rows = len(next(iter(adapted.values())))
                size = rows if batch_size is None else int(batch_size)
                generator = core.random.SeedGenerator(seed) if seed is not None and size < rows and not hasattr(seed, "next") else seed
                parts = [
                    self._draws(
                        {k: v[i : i + size] for k, v in adapted.items()}, (min(size, rows - i), int(num_samples)), generator, kwargs
                    )
                    for i in range(0, rows, size)
                ]
                draws = parts[0] if len(parts) == 1 else np.concatenate(parts)
        samples = self.adapter.inverse({INFERENCE: draws}, strict=False)
        if split:
            samples = _split(samples)
        if return_summaries and self.summary_network is not None:
            samples["_summaries"] = self.summarize(conditions)  # type: ignore[arg-type]
        return samples

    def _draws(self, adapted: Mapping[str, Any], shape: tuple[int, ...], seed: Any, options: Mapping[str, Any]) -> np.ndarray:
        """Draws in the adapter's units."""
        conditions = self.conditions_of(self.tensors(adapted)) if adapted else None
        if conditions is not None:
            conditions = ops.expand_dims(conditions, 1)  # one row serves all draws of its observation
        draws = self.inference_network.sample(shape, conditions=conditions, seed=seed, **options)
        if INFERENCE in self.standardizers:
            draws = self.standardizers[INFERENCE].inverse(draws)
        return ops.convert_to_numpy(draws)

    def log_prob(self, data: Mapping[str, Any], **kwargs: Any) -> np.ndarray:
        """The log density of parameters given observations, both by the simulator's names; shape `(batch,)`.

        Parameters of shape `(batch, samples, dim)`, as `sample` returns them, give `(batch, samples)`. Outside the support it is -inf.
        """
        names = self.variable_names
        missing = [name for name in names if name not in data]
        if missing:
            raise ValueError(f"log_prob needs values of {names}; {missing} are missing.")
        many = {name: np.asarray(data[name]) for name in names}
        depth = {len(self._event_shapes[name]) for name in names}
        extra = {value.ndim - 1 - len(self._event_shapes[name]) for name, value in many.items()}
        if extra == {1} and depth:
            rows, count = next(iter(many.values())).shape[:2]
            flat = {name: value.reshape(rows * count, *value.shape[2:]) for name, value in many.items()}
            rest = {k: np.repeat(np.asarray(v), count, axis=0) if np.ndim(v) else v for k, v in data.items() if k not in names}
            return self.log_prob({**flat, **rest}, **kwargs).reshape(rows, count)
        adapted, log_dets = self.adapter.forward(data, log_det_jac=True, strict=False, stage="density")
        self.adapted_conditions({k: v for k, v in data.items() if k not in names} or None)  # checks them
        x = np.asarray(adapted[INFERENCE], "float64")
        log_det = np.asarray(log_dets.get(INFERENCE, np.zeros(len(x))), "float64")
        outside = ~np.isfinite(x).all(axis=-1)
        with core.backend.use(self.backend):
            conditions = self.conditions_of(self.tensors({k: v for k, v in adapted.items() if k in (CONDITIONS, SUMMARY, "summary_mask")}))
            z = self.standardized(INFERENCE, ops.convert_to_tensor(np.where(outside[:, None], 0.0, x).astype("float32")))
            density = np.asarray(ops.convert_to_numpy(self.inference_network.log_prob(z, conditions=conditions, **kwargs)), "float64")
            if INFERENCE in self.standardizers:
                density = density + float(ops.convert_to_numpy(self.standardizers[INFERENCE].log_det()))
        return np.where(outside, -np.inf, density + np.where(outside, 0.0, log_det))

    def estimate(
        self,
        *,
        conditions: Mapping[str, Any],
        num_samples: int = 1000,
        quantiles: Sequence[float] = QUANTILES,
        seed: Any = None,
        **kwargs: Any,
    ) -> dict[str, dict[str, np.ndarray]]:
        """Posterior means, medians, standard deviations `(observations, dim)` and quantiles `(observations, quantiles, dim)` by name."""
        samples = self.sample(num_samples=num_samples, conditions=conditions, seed=seed, **kwargs)
        return {
            name: {
                **{label: fn(draws, axis=1) for label, fn in SUMMARIES.items()},
                "quantiles": np.moveaxis(np.quantile(draws, quantiles, axis=1), 0, 1),
            }
            for name, draws in samples.items()
        }

    @property
    def _event_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of one draw of each inferred variable, by the simulator's names."""
        size = (self.data_shapes or {})[INFERENCE][-1]
        return {k: np.shape(v)[1:] for k, v in self.adapter.inverse({INFERENCE: np.zeros((1, size))}, strict=False).items()}

    @property
    def variable_names(self) -> list[str]:
        """The simulator's names of what is inferred."""
        if not self.built:
            raise ValueError(f"{type(self).__name__} has not been trained: fit it before it is asked for anything.")
        return list(self._event_shapes)

    def get_config(self) -> dict:
        return {**super().get_config(), "inference_network": core.saving.serialize_keras_object(self.inference_network)}


def _split(samples: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    parts = {}
    for name, values in samples.items():
        count = values.shape[-1]
        parts.update({name: values} if count == 1 else {f"{name}_{i}": values[..., i : i + 1] for i in range(count)})
    return parts
