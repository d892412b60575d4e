"""`FlowMatching`: a density as the end of a flow along a learned velocity field."""

from __future__ import annotations

import warnings
from typing import Any

from bayes.distributions import Distribution
from bayes.networks.inference_network import InferenceNetwork
from bayes.networks.subnet import make_subnet
from bayes.networks.time_mlp import TimeMLP
from bayes.ode import TABLEAUS, solve_adaptive, solve_fixed
from core import layers, ops, random
from core.saving import register_keras_serializable

SUBNETS: dict[str, type[layers.Layer]] = {"time_mlp": TimeMLP}
SUBNET_DEFAULTS: dict[str, Any] = {
    "widths": (128, 128, 128), "activation": "silu", "fourier_scale": 1.0, "time_embedding_dim": 16, "dropout": 0.0, "norm": None,
}  # fmt: skip
INTEGRATE_DEFAULTS: dict[str, Any] = {"method": "tsit5", "rtol": 1e-3, "atol": 1e-3, "max_steps": 1000}
FIXED_DEFAULTS: dict[str, Any] = {"steps": 100}
HELD_OUT_SEEDS = (1, 2)  # of the noise and of the times
ADAPTIVE = {"rtol", "atol", "max_steps", "first_step"}


@register_keras_serializable("bayes")
class FlowMatching(InferenceNetwork):
    """A rectified flow: samples are `y(1)` of `dy/dt = v(y, t, c)` from base draws `y(0)`.

    `v` is trained to `E |v(y_t, t, c) - (y_1 - y_0)|^2` with `y_t = (1 - t) y_0 + t y_1`, `y_0` from the base and `y_1` from the data.
    The density integrates the divergence of `v`, whose trace is exact, along the way back. Lipman et al., 2023 (arXiv 2210.02747);
    Liu et al., 2023 (arXiv 2209.03003); for posteriors, Wildberger et al., 2023 (arXiv 2305.17161).

    Args:
        subnet: the network in front of the last, linear layer: `"time_mlp"`, or a layer (or its class) called as
            `subnet(x, t=t, conditions=conditions, training=training)`.
        base_distribution: `"normal"`, `"student"`, or a `bayes.distributions.Distribution`.
        integrate_kwargs: `method` (`"tsit5"`, `"rk45"`: adaptive; `"euler"`: fixed steps) and its arguments: `rtol` and `atol` (both
            1e-3, for each step of each row) and `max_steps` (1000), or `steps` (100), with which every method takes fixed steps.
        subnet_kwargs: arguments of the subnet.
        time_power_law_alpha: times are drawn as `u^(1 + alpha)` with u uniform.
        seed: of the training's draws.

    Samples of rows whose integration did not arrive in `max_steps` are NaN, and a warning says how many there are.

    >>> flow = FlowMatching()
    >>> flow.build((None, 2), (None, 3))
    >>> flow.sample(5, conditions=np.ones((1, 3), "float32"), seed=1).shape
    (5, 2)
    """

    offline_epochs = 200  # each simulation meets one time and one noise vector an epoch

    def __init__(
        self,
        subnet: str | type | layers.Layer = "time_mlp",
        base_distribution: str | Distribution = "normal",
        integrate_kwargs: dict[str, Any] | None = None,
        subnet_kwargs: dict[str, Any] | None = None,
        time_power_law_alpha: float = 0.0,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(base_distribution, **kwargs)
        if not time_power_law_alpha > -1.0:
            raise ValueError(f"FlowMatching needs time_power_law_alpha > -1, got {time_power_law_alpha!r}.")
        self.subnet, self.time_power_law_alpha, self.seed = subnet, float(time_power_law_alpha), seed
        self.integrate_kwargs, self.subnet_kwargs = dict(integrate_kwargs or {}), dict(subnet_kwargs or {})
        _integration(self.integrate_kwargs)
        self.network = make_subnet(subnet, SUBNETS, SUBNET_DEFAULTS, self.subnet_kwargs)
        self.seed_generator = random.SeedGenerator(seed)
        self.head: Any = None  # made by build

    def build(self, xz_shape, conditions_shape=None):
        self._note_sizes(xz_shape, conditions_shape)
        conditions_shape = (None, self.condition_dim) if self.condition_dim else None
        self.network.build((None, self.dim), (None, 1), conditions_shape)
        width = self.network.compute_output_shape((None, self.dim), (None, 1), conditions_shape)[-1]
        self.head = layers.Dense(self.dim, kernel_initializer="zeros")
        self.head.build((None, width))

    def velocity(self, x: Any, time: Any, conditions: Any = None, training: bool = False) -> Any:
        """The velocity (batch, dim) at `x` (batch, dim) and `time` (batch, 1)."""
        return self.head(self.network(x, t=time, conditions=conditions, training=training))

    def loss(self, x: Any, conditions: Any = None, training: bool = False) -> Any:
        rows = x.shape[0]
        # Held-out data meet the same noise in every epoch, so that their losses compare the networks and not the draws.
        noise_seed, time_seed = (self.seed_generator, self.seed_generator) if training else HELD_OUT_SEEDS
        y0 = self.base_distribution.sample((rows,), seed=noise_seed)
        # One draw for the batch, the others equally spaced from it: the times cover the interval evenly, each being uniform.
        u = random.uniform((1, 1), seed=time_seed)
        u = (u + ops.reshape(ops.arange(rows, dtype=x.dtype), (-1, 1)) / rows) % 1.0
        t = ops.power(u, 1.0 + self.time_power_law_alpha)
        v = self.velocity((1.0 - t) * y0 + t * x, t, conditions, training)
        return ops.mean(ops.square(v - (x - y0)), -1)

    def transport(self, z: Any, conditions: Any = None, **options: Any) -> Any:
        return self._integrated(lambda t, y: self.velocity(y, t, conditions), z, 0.0, 1.0, options)

    def log_density(self, x: Any, conditions: Any = None, **options: Any) -> Any:
        def field(t, state):
            v, divergence = self._velocity_and_divergence(state[:, :-1], t, conditions)
            return ops.concatenate([v, ops.expand_dims(divergence, -1)], -1)

        state = ops.concatenate([x, ops.zeros_like(x[:, :1])], -1)
        state = self._integrated(field, state, 1.0, 0.0, options)
        # The integral of the divergence from 1 down to 0 is minus that from 0 up to 1.
        return self.base_distribution.log_prob(state[:, :-1]) + state[:, -1]

    def _velocity_and_divergence(self, x: Any, t: Any, conditions: Any) -> tuple[Any, Any]:
        """`v` (batch, dim) and its exact divergence (batch,): the derivatives along all axes in one pass over dim copies of the batch."""
        rows, dim = x.shape
        tangent = ops.repeat(ops.eye(dim, dtype=x.dtype), rows, 0)  # (dim rows, dim): along the first axis, then the second, ...
        copies = [None if part is None else ops.tile(part, (dim, 1)) for part in (x, t, conditions)]
        v, slope = ops.jvp(lambda y: self.velocity(y, copies[1], copies[2]), (copies[0],), (tangent,))
        divergence = ops.sum(ops.reshape(ops.sum(slope * tangent, -1), (dim, rows)), 0)
        return v[:rows], divergence

    def _integrated(self, field: Any, y: Any, start: float, stop: float, options: dict[str, Any]) -> Any:
        method, arguments = _integration(_overridden(self.integrate_kwargs, options))
        if "steps" in arguments:
            return solve_fixed(field, y, start, stop, method=method, **arguments)
        return solve_adaptive(field, y, start, stop, method=method, **arguments)[0]

    def _run(self, what: str, *arguments: Any, **options: Any) -> Any:
        result = super()._run(what, *arguments, **options)
        lost = ops.isnan(result)
        lost = ops.sum(ops.cast(lost if what == "log_density" else ops.any(lost, -1), "int32"))
        if not self.backend.tracing() and int(lost):
            warnings.warn(
                f"{int(lost)} rows did not arrive within the step limit of the integration and are NaN. Raise max_steps, or rtol and atol, "
                "in integrate_kwargs; a network that was not trained to the end can have such velocities.",
                stacklevel=3,
            )
        return result

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "subnet": self.subnet,
            "integrate_kwargs": self.integrate_kwargs,
            "subnet_kwargs": self.subnet_kwargs,
            "time_power_law_alpha": self.time_power_law_alpha,
            "seed": self.seed,
        }


def _overridden(own: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """A network's own choices under those of one call, which may ask for the other kind of solver."""
    fixed, adaptive = "steps" in options or options.get("method") == "euler", bool(ADAPTIVE & set(options))
    kept = {key: value for key, value in own.items() if not (fixed and key in ADAPTIVE or adaptive and key == "steps")}
    return {**kept, **options}


def _integration(given: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The method and the solver's arguments; an error names what no solver takes."""
    given = dict(given)
    method = given.pop("method", INTEGRATE_DEFAULTS["method"])
    if method != "euler" and method not in TABLEAUS:
        raise ValueError(f"FlowMatching integrates by 'euler' or one of {sorted(TABLEAUS)}, got {method!r}.")
    fixed = method == "euler" or "steps" in given
    defaults = FIXED_DEFAULTS if fixed else {key: value for key, value in INTEGRATE_DEFAULTS.items() if key != "method"}
    unknown = set(given) - ({"steps"} if fixed else ADAPTIVE)
    if unknown:
        raise ValueError(f"integrate_kwargs for {method!r} takes 'method' and {sorted(defaults)}, got {sorted(unknown)}.")
    return method, {**defaults, **given}
