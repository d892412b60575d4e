"""Optimizers against Keras (one subprocess), against NumPy in float64, and against their own promises on four backends."""

import copy
import json
import os
import subprocess
import sys
import warnings

import numpy as np
import pytest

from core import ops, optimizers
from core.backend import slot
from core.optimizers import schedules
from core.state.variable import Variable
from core.testing.optimizer_suite import check_optimizer

BACKENDS = ("numpy", "torch", "jax", "tensorflow")
SHAPES = {"dense/kernel": (4, 3), "dense/bias": (3,), "embedding/embeddings": (5, 3), "conv/kernel": (2, 3, 4)}
STEPS = 5

# (class, arguments); each is run for five steps with the same gradients here and in Keras.
CASES = {
    "sgd": ("SGD", {}),
    "sgd_momentum": ("SGD", {"momentum": 0.9}),
    "sgd_nesterov": ("SGD", {"momentum": 0.8, "nesterov": True, "weight_decay": 0.1}),
    "adam": ("Adam", {}),
    "adam_amsgrad": ("Adam", {"amsgrad": True, "learning_rate": 0.05}),
    "adam_epsilon": ("Adam", {"epsilon": 0.1, "learning_rate": 0.05, "beta_1": 0.5, "beta_2": 0.8}),
    "adam_decay": ("Adam", {"weight_decay": 0.2, "learning_rate": 0.1}),
    "adam_clipnorm": ("Adam", {"clipnorm": 0.5, "learning_rate": 0.1, "epsilon": 0.1}),
    "adam_loss_scale": ("Adam", {"loss_scale_factor": 16.0, "epsilon": 0.1}),
    "adamw": ("AdamW", {"learning_rate": 0.1}),
    "adamax": ("Adamax", {"learning_rate": 0.1}),
    "adagrad": ("Adagrad", {"learning_rate": 0.1}),
    "adadelta": ("Adadelta", {"learning_rate": 1.0}),
    "adafactor": ("Adafactor", {"learning_rate": 0.1}),
    "adafactor_clipped": ("Adafactor", {"learning_rate": 0.9, "clip_threshold": 0.5, "weight_decay": 0.01}),
    "adafactor_absolute": ("Adafactor", {"learning_rate": 0.3, "relative_step": False, "epsilon_2": 0.1, "beta_2_decay": -0.6}),
    "rmsprop": ("RMSprop", {"learning_rate": 0.1}),
    "rmsprop_momentum": ("RMSprop", {"learning_rate": 0.1, "momentum": 0.5}),
    "rmsprop_centered": ("RMSprop", {"learning_rate": 0.1, "centered": True, "epsilon": 0.01}),
    "rmsprop_both": ("RMSprop", {"learning_rate": 0.1, "momentum": 0.5, "centered": True, "epsilon": 0.01}),
    "nadam": ("Nadam", {"learning_rate": 0.1}),
    "ftrl": ("Ftrl", {"learning_rate": 0.1}),
    "ftrl_all": ("Ftrl", {"learning_rate": 0.1, "learning_rate_power": -0.3, "l1_regularization_strength": 0.1,
                          "l2_regularization_strength": 0.2,
                          "l2_shrinkage_regularization_strength": 0.3, "beta": 0.4, "initial_accumulator_value": 0.2}),
    "lion": ("Lion", {"learning_rate": 0.1, "weight_decay": 0.1}),
    "lamb": ("Lamb", {"learning_rate": 0.1}),
    "muon": ("Muon", {"learning_rate": 0.1}),
    "muon_plain": ("Muon", {"learning_rate": 0.1, "nesterov": False, "exclude_embeddings": False, "adam_lr_ratio": 0.5,
            "weight_decay": None,
                            "adam_weight_decay": 0.1}),
    "muon_excluded": ("Muon", {"learning_rate": 0.1, "exclude_layers": ["dense"], "ns_steps": 3}),
    "schedule_free": ("ScheduleFreeAdamW", {"learning_rate": 0.1, "beta_1": 0.8}),
    "schedule_free_warmup": ("ScheduleFreeAdamW", {"learning_rate": 0.1, "warmup_steps": 3, "weight_decay": 0.1}),
    "clipvalue": ("SGD", {"learning_rate": 0.1, "clipvalue": 0.3}),
    "clipnorm": ("SGD", {"learning_rate": 0.1, "clipnorm": 1.5}),
    "global_clipnorm": ("SGD", {"learning_rate": 0.1, "global_clipnorm": 2.0, "momentum": 0.5}),
    "ema": ("SGD", {"learning_rate": 0.1, "use_ema": True, "ema_momentum": 0.5}),
    "ema_overwrite": ("Adam", {"learning_rate": 0.1, "use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 2}),
    "accumulation": ("SGD", {"learning_rate": 0.1, "gradient_accumulation_steps": 2}),
    "accumulation_adam": ("Adam", {"learning_rate": 0.1, "gradient_accumulation_steps": 2, "clipvalue": 0.5, "weight_decay": 0.1,
            "epsilon": 0.01,
                                   "use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 2, "loss_scale_factor": 2.0}),
    "schedule": ("Adam", {"learning_rate": {"module": "keras.optimizers.schedules", "class_name": "CosineDecay", "registered_name": None,
                                            "config": {"initial_learning_rate": 0.1, "decay_steps": 4}}}),
    "loss_scale": ("LossScaleOptimizer", {"inner_optimizer": {"module": "keras.optimizers", "class_name": "SGD", "registered_name": None,
                                                              "config": {"learning_rate": 0.5}},
                                          "initial_scale": 8.0, "dynamic_growth_steps": 2}),
    "multi": ("MultiOptimizer", {"optimizer_map": {"module": "keras.optimizers", "class_name": "OptimizerMap", "registered_name": None,
            "config": {
        "default_optimizer": {"module": "keras.optimizers", "class_name": "Adam", "registered_name": None,
            "config": {"learning_rate": 0.1}},
        "optimizer_map": {".*kernel": {"module": "keras.optimizers", "class_name": "SGD", "registered_name": None,
                                       "config": {"learning_rate": 0.2, "momentum": 0.5}}}}}, "loss_scale_factor": 4.0}),
}  # fmt: skip

# Runs in another process; what it prints is all that is known of Keras here.
ORACLE = """
import json, sys
import jax, keras, numpy as np
task = json.load(sys.stdin)
answers = {}
for name, (kind, config) in task["cases"].items():
    optimizer = getattr(keras.optimizers, kind).from_config(config)
    variables = [keras.Variable(np.asarray(v, "float32"), name=p.replace("/", "_")) for p, v in task["values"].items()]
    optimizer.build(variables)
    own, values = [v.value for v in optimizer.variables], [v.value for v in variables]
    step = jax.jit(lambda own, grads, values: optimizer.stateless_apply(own, grads, values))
    for grads in task["gradients"][name]:
        values, own = step(own, [np.asarray(g, "float32") for g in grads], values)
    answers[name] = {
        "values": [np.asarray(v).tolist() for v in values],
        "state": [np.asarray(v).tolist() for v in own],
        "paths": [v.path.partition("/")[2] for v in optimizer.variables],
        "config": json.loads(json.dumps(optimizer.get_config())),
    }
print("ANSWER" + json.dumps(answers))
"""


def initial():
    rng = np.random.default_rng(3)
    return {path: rng.normal(size=shape).astype("float32") for path, shape in SHAPES.items()}


def fixed_gradients(name):
    rng = np.random.default_rng(7)
    made = [[rng.normal(size=shape).astype("float32") for shape in SHAPES.values()] for _ in range(STEPS)]
    if name == "loss_scale":
        made[2][1][0] = np.inf
    return made


@pytest.fixture(scope="module")
def keras_answers():
    pytest.importorskip("keras", reason="the comparison needs Keras as the oracle")
    pytest.importorskip("jax", reason="the oracle runs on JAX")
    task = {
        "cases": CASES,
        "values": {path: value.tolist() for path, value in initial().items()},
        "gradients": {name: [[g.tolist() for g in grads] for grads in fixed_gradients(name)] for name in CASES},
    }
    answer = subprocess.run(
        [sys.executable, "-c", ORACLE],
        input=json.dumps(task),
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert answer.returncode == 0, answer.stderr[-3000:]
    return json.loads(answer.stdout.partition("ANSWER")[2])


def make(name):
    kind, config = CASES[name]
    return getattr(optimizers, kind).from_config(dict(config))


def trained_by(optimizer, backend, name, jit=False):
    with slot.use(backend) as used:
        variables = [Variable(value, name=path.replace("/", "_")) for path, value in initial().items()]
        optimizer.build(variables)

        def update(grads):
            optimizer.apply(grads, variables)
            return grads[0]

        call = used.jit(update) if jit else update
        for grads in fixed_gradients(name):
            call([used.convert_to_tensor(g) for g in grads])
        return variables


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_like_keras(backend, name, keras_answers):
    expected = keras_answers[name]
    optimizer = make(name)
    variables = trained_by(optimizer, backend, name, jit=backend in ("jax", "tensorflow"))
    for variable, value in zip(variables, expected["values"], strict=True):
        np.testing.assert_allclose(variable.numpy(), value, rtol=1e-5, atol=1e-5, err_msg=variable.path)
    assert len(optimizer.variables) == len(expected["state"])
    for variable, value in zip(optimizer.variables, expected["state"], strict=True):
        np.testing.assert_allclose(variable.numpy(), value, rtol=1e-5, atol=1e-5, err_msg=variable.path)


@pytest.mark.parametrize("name", CASES)
def test_paths_and_configs_are_keras_own(name, keras_answers):
    with slot.use("numpy"):
        optimizer = make(name)
        trained_by(optimizer, "numpy", name)
        paths = [v.path.partition("/")[2] for v in optimizer.variables]
    if name == "nadam":  # Keras gives its momentum product no path of its own
        paths[-1] = ""
    assert paths == keras_answers[name]["paths"]

    def comparable(config):  # automatic names and the wording of float32 apart
        if isinstance(config, dict):
            return {k: comparable(v) for k, v in config.items() if k != "name"}
        return float(f"{config:.6g}") if isinstance(config, float) else config

    ours = optimizers.serialize(optimizer)["config"]
    assert ours.keys() == keras_answers[name]["config"].keys()
    assert comparable(json.loads(json.dumps(ours))) == comparable(keras_answers[name]["config"])


# ---------------------------------------------------------------------------------------------------- float64 formulas


def _adam(p, g, s, t, lr=0.1, b1=0.9, b2=0.999, eps=1e-7):
    s["m"] = b1 * s.get("m", 0) + (1 - b1) * g
    s["v"] = b2 * s.get("v", 0) + (1 - b2) * g * g
    return p - lr * np.sqrt(1 - b2**t) / (1 - b1**t) * s["m"] / (np.sqrt(s["v"]) + eps)


def _momentum(p, g, s, t):
    s["m"] = 0.9 * s.get("m", 0) - 0.1 * g
    return p + s["m"]


def _rmsprop(p, g, s, t):
    s["v"] = 0.9 * s.get("v", 0) + 0.1 * g * g
    return p - 0.1 * g / np.sqrt(s["v"] + 1e-7)


def _adagrad(p, g, s, t):
    s["a"] = s.get("a", 0.1) + g * g
    return p - 0.1 * g / np.sqrt(s["a"] + 1e-7)


def _lion(p, g, s, t):
    c = 0.9 * s.get("m", 0) + 0.1 * g
    s["m"] = 0.99 * s.get("m", 0) + 0.01 * g
    return p - 0.1 * np.sign(c)


def _adamax(p, g, s, t):
    s["m"] = 0.9 * s.get("m", 0) + 0.1 * g
    s["u"] = np.maximum(0.999 * s.get("u", 0), np.abs(g))
    return p - 0.1 / (1 - 0.9**t) * s["m"] / (s["u"] + 1e-7)


FORMULAS = {
    "Adam": (_adam, {}),
    "SGD": (_momentum, {"momentum": 0.9}),
    "RMSprop": (_rmsprop, {}),
    "Adagrad": (_adagrad, {}),
    "Lion": (_lion, {}),
    "Adamax": (_adamax, {}),
}


@pytest.mark.parametrize("kind", FORMULAS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_ten_steps_of_the_published_formula(backend, kind):
    formula, arguments = FORMULAS[kind]
    with slot.use(backend) as used:
        rng = np.random.default_rng(5)
        value = rng.normal(size=(4, 3))
        variable, optimizer, state = Variable(value.astype("float32")), getattr(optimizers, kind)(0.1, **arguments), {}
        for step in range(1, 11):
            gradient = rng.normal(size=(4, 3))
            value = formula(value, gradient, state, step)
            optimizer.apply([used.convert_to_tensor(gradient.astype("float32"))], [variable])
        np.testing.assert_allclose(variable.numpy(), value, rtol=1e-5, atol=1e-5)
        assert int(optimizer.iterations) == 10


# ---------------------------------------------------------------------------------------------------- conformance

RATES = {"SGD": 0.05, "Adadelta": 1.0, "Ftrl": 1.0, "Adafactor": 0.01, "Lion": 0.001, "Lamb": 0.002, "Muon": 0.01}


@pytest.mark.parametrize("kind", [n for n in optimizers.__all__ if n[0].isupper() and n not in ("Optimizer", "OptimizerMap")])
@pytest.mark.parametrize("backend", BACKENDS)
def test_conformance(backend, kind):
    makers = {
        "LossScaleOptimizer": lambda: optimizers.LossScaleOptimizer(optimizers.SGD(0.05, name="inner"), initial_scale=4.0, name="outer"),
        "MultiOptimizer": lambda: optimizers.MultiOptimizer(
            optimizers.OptimizerMap(optimizers.Adam(0.01, name="a"), {"bias": optimizers.SGD(0.05, name="b")}), name="multi"
        ),
    }
    check_optimizer(makers.get(kind, lambda: getattr(optimizers, kind)(RATES.get(kind, 0.01), name="o")), backend)


# ---------------------------------------------------------------------------------------------------- promises


def pair():
    return [Variable(np.ones((2, 2), "float32"), name="kernel"), Variable(np.ones(2, "float32"), name="bias")]


ONES = [np.ones((2, 2), "float32"), np.ones(2, "float32")]


@pytest.mark.parametrize("backend", BACKENDS)
def test_missing_gradients_warn_once_and_all_missing_is_an_error(backend):
    with slot.use(backend):
        variables, optimizer = pair(), optimizers.Adam(0.1)
        with pytest.warns(UserWarning, match="bias"):
            optimizer.apply([ONES[0], None], variables)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            optimizer.apply([ONES[0], None], variables)
        assert variables[0].numpy()[0, 0] < 0.9 and (variables[1].numpy() == 1).all()
        with pytest.raises(ValueError, match="No variable has a gradient"):
            optimizer.apply([None, None], variables)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", ["Adam", "SGD", "Lamb"])
def test_strange_gradients(backend, kind):
    """Transposed strides and float64 arrays are fine, another shape is an error (a fused kernel would read past its end)."""
    with slot.use(backend) as used:
        gradient = np.arange(6, dtype="float32").reshape(3, 2)
        results = []
        for given in (np.ascontiguousarray(gradient.T), ops.transpose(used.convert_to_tensor(gradient)), gradient.T.astype("float64")):
            variable = Variable(np.ones((2, 3), "float32"))
            getattr(optimizers, kind)(0.1).apply([given], [variable])
            results.append(variable.numpy().copy())
        np.testing.assert_allclose(results[1], results[0], rtol=1e-6)
        np.testing.assert_allclose(results[2], results[0], rtol=1e-6)
        with pytest.raises(ValueError, match=r"\(3,\).*\(2, 3\)"):
            getattr(optimizers, kind)(0.1).apply([np.ones(3, "float32")], [Variable(np.ones((2, 3), "float32"), name="v")])


@pytest.mark.parametrize("kind", ["Adam", "SGD", "RMSprop", "Adagrad", "Adadelta", "Adamax", "Lion"])
def test_kernels_are_updated_in_whatever_order_they_lie_in_memory(kind):
    """Kernels of convolutions lie in PyTorch's own order, those of wrapped modules do not; gradients come in either."""
    torch = pytest.importorskip("torch")
    rng = np.random.RandomState(0)
    start, gradients = rng.normal(size=(3, 2, 4, 5)).astype("float32"), rng.normal(size=(3, 3, 2, 4, 5)).astype("float32")
    results = []
    for backend, turned in (("numpy", False), ("torch", False), ("torch", True), ("torch", None)):
        with slot.use(backend) as used:
            variable, optimizer = Variable(start), getattr(optimizers, kind)(0.1)
            if turned is None:
                variable._value = torch.nn.Parameter(torch.as_tensor(start.copy()))
            for gradient in gradients:
                given = used.convert_to_tensor(gradient if not turned else np.ascontiguousarray(gradient.transpose(3, 2, 0, 1)))
                optimizer.apply([given.permute(2, 3, 1, 0) if turned else given], [variable])
            results.append(variable.numpy().copy())
    for found in results[1:]:
        np.testing.assert_allclose(found, results[1], rtol=1e-6)
        np.testing.assert_allclose(found, results[0], atol=1e-5)


@pytest.mark.parametrize("backend", BACKENDS)
def test_constraint_overwrite_and_subset(backend):
    with slot.use(backend) as used:
        variables, optimizer = pair(), optimizers.Adam(3.0)
        variables[0].constraint = lambda x: ops.maximum(x, 0.25)
        variables[1].overwrite_with_gradient = True
        optimizer.apply([used.convert_to_tensor(g) * 5 for g in ONES], variables)
        assert (variables[0].numpy() == 0.25).all() and (variables[1].numpy() == 5).all()
        other, optimizer = pair(), optimizers.Adam(0.1)
        optimizer.build(other)
        optimizer.apply([ONES[1]], [other[1]])
        assert (other[0].numpy() == 1).all() and (other[1].numpy() < 1).all()
        with pytest.raises(ValueError, match="built for 2 variables"):
            optimizer.apply(ONES, variables)


@pytest.mark.parametrize("backend", BACKENDS)
def test_excluded_from_weight_decay(backend):
    with slot.use(backend):
        variables, optimizer = pair(), optimizers.SGD(1.0, weight_decay=0.5)
        optimizer.exclude_from_weight_decay(var_names=["ias"])
        optimizer.apply([0 * g for g in ONES], variables)
        assert [v.numpy().flat[0] for v in variables] == [0.5, 1.0]
        optimizer.exclude_from_weight_decay(var_list=variables[:1])
        optimizer.apply([0 * g for g in ONES], variables)
        assert [v.numpy().flat[0] for v in variables] == [0.5, 1.0]


@pytest.mark.parametrize("backend", BACKENDS)
def test_learning_rates(backend):
    with slot.use(backend):
        variables, rates = pair(), iter([0.5, 0.25])
        optimizer = optimizers.SGD(lambda: next(rates))
        optimizer.apply(ONES, variables)
        optimizer.apply(ONES, variables)
        assert variables[1].numpy()[0] == 0.25
        optimizer = optimizers.SGD(0.5)
        assert float(optimizer.learning_rate) == 0.5
        optimizer.learning_rate = 0.25
        assert float(optimizer.learning_rate) == 0.25
        variables = pair()
        optimizer.apply(ONES, variables)
        assert variables[1].numpy()[0] == 0.75
        optimizer.learning_rate = schedules.ExponentialDecay(1.0, 1, 0.5)
        assert float(optimizer.learning_rate) == 0.5 and len(optimizer.variables) == 1
        with pytest.raises(TypeError, match="schedule"):
            optimizer.learning_rate = 0.5


@pytest.mark.parametrize("backend", ("torch", "jax", "tensorflow"))
def test_in_a_compiled_training_step(backend):
    """A loss goes down under value_and_grad, and an own `update_step` is used in place of any fused one."""

    class Plain(optimizers.SGD):
        def update_step(self, gradient, variable, learning_rate):
            self.assign_sub(variable, 2 * learning_rate * gradient)

    def check(optimizer):
        variable = Variable(np.array([1.0, -2.0], "float32"))

        def step(x):
            def loss():
                return optimizer.scale_loss(ops.sum(ops.square(variable - x)))

            _, grads = used.value_and_grad(loss, [variable])()
            optimizer.apply(grads, [variable])
            return x

        optimizer.build([variable])
        compiled = used.jit(step)
        for _ in range(3):
            compiled(used.convert_to_tensor(np.array([3.0, 3.0], "float32")))
        np.testing.assert_allclose(variable.numpy(), 3 + (np.array([1.0, -2.0]) - 3) * 0.5**3, rtol=1e-5)

    with slot.use(backend) as used:
        for optimizer in (optimizers.SGD(0.25), Plain(0.125), optimizers.LossScaleOptimizer(optimizers.SGD(0.25), 16.0)):
            check(optimizer)


def test_torch_momentum_is_exact_for_small_rates():
    """The fused kernel is given the rate as 1 + rate; that must not cost digits."""
    with slot.use("torch"):
        variable, optimizer = Variable(np.zeros(100, "float32")), optimizers.SGD(1e-6, momentum=0.9)
        gradient = np.linspace(-1, 1, 100, dtype="float32")
        for _ in range(2):
            optimizer.apply([gradient], [variable])
        np.testing.assert_allclose(variable.numpy(), -1e-6 * 2.9 * gradient, rtol=1e-5)


@pytest.mark.parametrize("source", BACKENDS)
def test_moves_with_its_variables(source):
    """State goes along to another backend, asked for or because the variables went."""
    for target in BACKENDS:
        with slot.use(source):
            variables, optimizer = pair(), optimizers.Adam(0.1)
            optimizer.apply(ONES, variables)
        for variable in variables:
            variable.to_backend(target)
        if source < target:
            optimizer.to_backend(target)
        optimizer.apply(ONES, variables)
        assert {v.backend.name for v in optimizer.variables} == {target}
        np.testing.assert_allclose(variables[0].numpy(), 0.8, rtol=1e-5)


@pytest.mark.parametrize("backend", BACKENDS)
def test_keras_style_subclass(backend):
    class Mine(optimizers.Optimizer):
        def build(self, variables):
            if self.built:
                return
            super().build(variables)
            self._sums = self.add_optimizer_variables(variables, "sum")

        def update_step(self, gradient, variable, learning_rate):
            total = self._sums[self._get_variable_index(variable)]
            self.assign_add(total, gradient)
            self.assign_sub(variable, learning_rate * ops.sign(total))

    with slot.use(backend):
        variables, optimizer = pair(), Mine(0.5, name="mine")
        assert optimizer.apply_gradients(zip(ONES, variables)) is optimizer.iterations
        assert [v.numpy().flat[0] for v in variables] == [0.5, 0.5]
        assert [v.path for v in optimizer.variables] == ["mine/iteration", "mine/learning_rate", "mine/kernel_sum", "mine/bias_sum"]


def test_adafactor_without_relative_step_keeps_its_learning_rate():
    """As documented; Keras 3.15 bounds the rate by 1 / sqrt(step) in either case."""
    with slot.use("numpy"):
        for relative, expected in ((False, 0.1**2), (True, 0.1 * (1 - 0.5**0.5))):
            variable, optimizer = Variable(np.ones(1, "float32")), optimizers.Adafactor(0.9, relative_step=relative)
            for _ in range(2):
                optimizer.apply([np.ones(1, "float32")], [variable])
            np.testing.assert_allclose(variable.numpy(), expected, rtol=1e-4)


@pytest.mark.parametrize("backend", BACKENDS)
def test_deep_copy_goes_on_alone(backend):
    """A copy of variables and optimizer together trains the copies."""
    with slot.use(backend):
        variables, optimizer = pair(), optimizers.Adam(0.1, weight_decay=0.1)
        optimizer.exclude_from_weight_decay(var_list=variables[1:])
        optimizer.apply(ONES, variables)
        others, other = copy.deepcopy((variables, optimizer))
        for _ in range(2):
            other.apply(ONES, others)
        assert int(optimizer.iterations) == 1 and int(other.iterations) == 3
        optimizer.apply(ONES, variables)
        optimizer.apply(ONES, variables)
        for old, new in zip(variables, others):
            np.testing.assert_allclose(new.numpy(), old.numpy(), rtol=1e-6)


def test_get():
    assert isinstance(optimizers.get("adam"), optimizers.Adam) and isinstance(optimizers.get("RMSprop"), optimizers.RMSprop)
    one = optimizers.SGD()
    assert optimizers.get(one) is one and optimizers.get(None) is None
    with pytest.raises(ValueError, match="did you mean 'adam'"):
        optimizers.get("adm")
    with pytest.raises(ValueError, match="given as"):
        optimizers.get(3)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"clipnorm": 1.0, "clipvalue": 1.0}, "Only one"),
        ({"use_ema": True, "ema_momentum": 2}, "between 0 and 1"),
        ({"gradient_accumulation_steps": 1}, "at least 2"),
        ({"lr": 1}, "unknown arguments"),
        ({"learning_rate": "x"}, "must be a number"),
        ({"name": "a/b"}, "without '/'"),
    ],
)
def test_wrong_arguments(arguments, message):
    with slot.use("numpy"), pytest.raises(ValueError, match=message):
        optimizers.Adam(**arguments)


def test_wrong_state():
    with slot.use("numpy"):
        variables, optimizer = pair(), optimizers.Adam()
        with pytest.raises(ValueError, match="not built"):
            optimizer.apply(ONES)
        with pytest.raises(ValueError, match="no state yet"):
            optimizer.set_weights([])
        optimizer.build(variables)
        with pytest.raises(ValueError, match="2 variables"):
            optimizer.apply(ONES[:1], variables)
        with pytest.raises(ValueError, match="6 variables"):
            optimizer.set_weights([1])
        with pytest.warns(UserWarning, match="not loaded"):
            optimizer.load_own_variables({"0": np.array(3)})
        optimizer.set_weights([v.numpy() + 1 for v in optimizer.variables])
        assert int(optimizer.iterations) == 1
        with pytest.raises(TypeError, match="update_step"):
            optimizers.Optimizer(0.1).apply(ONES, variables)


def test_optimizer_map():
    with slot.use("numpy"):
        sgd, adam = optimizers.SGD(), optimizers.Adam()
        table = optimizers.OptimizerMap(adam, {"dense/.*": sgd})
        assert table["dense/kernel"] is sgd and table["a/dense/kernel"] is adam and len(table) == 1 and list(table) == ["dense/.*"]
        with pytest.raises(ValueError, match="already"):
            table["dense/.*"] = adam
        table[".*/kernel"] = adam
        with pytest.raises(ValueError, match="several patterns"):
            table["dense/kernel"]
        with pytest.raises(TypeError, match="default_optimizer"):
            optimizers.OptimizerMap("adam")
        multi = optimizers.MultiOptimizer({"kernel": sgd})
        with pytest.raises(ValueError, match="0 patterns"):
            multi.build(pair())
        with pytest.raises(AttributeError):
            multi.learning_rate  # noqa: B018
