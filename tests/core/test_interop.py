"""What users of one framework do with a core layer or model, and the layers that wrap each framework's own objects."""

import copy
import importlib.util

import numpy as np
import pytest

import core
from core import layers
from core.backend import slot
from core.base.errors import UnsafeArtifactError
from core.interop import jax as of_jax
from core.interop import tensorflow as of_tensorflow
from core.interop import torch as of_torch


@pytest.fixture
def torch():
    module = pytest.importorskip("torch", reason="torch is not installed")
    with slot.use("torch"):
        yield module


@pytest.fixture
def tf():
    module = pytest.importorskip("tensorflow", reason="tensorflow is not installed")
    with slot.use("tensorflow"):
        yield module


@pytest.fixture
def jax():
    module = pytest.importorskip("jax", reason="jax is not installed")
    with slot.use("jax"):
        yield module


class Blocks(core.Model):
    def __init__(self):
        super().__init__()
        self.blocks = [layers.Dense(4), layers.BatchNormalization()]
        self.heads = {"a": layers.Dense(1)}

    def call(self, x, training=False):
        for block in self.blocks:
            x = block(x, training=training) if isinstance(block, layers.BatchNormalization) else block(x)
        return self.heads["a"](x)


NAMES = ["blocks.0.kernel", "blocks.0.bias", "blocks.1.gamma", "blocks.1.beta", "blocks.1.moving_mean", "blocks.1.moving_variance",
         "heads.a.kernel", "heads.a.bias"]  # fmt: skip


def built(cls=Blocks):
    model = cls()
    model.build((None, 3))
    return model


# ------------------------------------------------------------------------------------------------- torch


def test_torch_parameters_are_the_weights(torch):
    model = built()
    assert [name for name, _ in model.named_parameters()] == NAMES
    assert {id(p) for p in model.parameters()} == {id(v.value) for v in model.weights}
    assert [n for n, p in model.named_parameters() if not p.requires_grad] == NAMES[4:6]
    functional_input = layers.Input((3,))
    functional = core.Model(functional_input, layers.Dense(2)(functional_input))
    assert len(list(functional.parameters())) == 2
    dense = layers.Dense(2)
    dense.build((None, 3))
    assert list(dense.state_dict()) == ["kernel", "bias"]


def test_torch_state_dict_goes_to_another_instance(torch):
    a, b = built(), built()
    x = torch.ones(2, 3)
    assert not torch.equal(a(x), b(x))
    result = b.load_state_dict({k: v.clone() for k, v in a.state_dict().items()})
    assert not result.missing_keys and not result.unexpected_keys
    assert torch.equal(a(x), b(x))
    with pytest.raises(RuntimeError, match="blocks.0.kernel"):
        b.load_state_dict({k: v for k, v in a.state_dict().items() if k != "blocks.0.kernel"})


def test_torch_gradients_stand_in_the_values(torch):
    model = built()
    model(torch.ones(2, 3)).sum().backward()
    assert all(v.value.grad is not None for v in model.trainable_variables)
    model.zero_grad()
    assert all(v.value.grad is None for v in model.trainable_variables)


def test_torch_to_moves_and_keeps_dtypes(torch):
    model, values = built(), None
    values = [v.value for v in model.weights]
    assert model.to("cpu") is model and model.cpu() is model
    assert all(a is v.value for a, v in zip(values, model.weights))
    with pytest.raises(TypeError, match="dtype policy"):
        model.to(torch.float16)
    assert all(v.dtype == "float32" for v in model.weights)
    meta = built()
    meta.to("meta")
    assert {v.value.device.type for v in meta.variables} == {"meta"}


def test_torch_attributes_that_are_not_there(torch):
    model = built()
    with pytest.raises(AttributeError, match="training=True"):
        model.train()
    with pytest.raises(AttributeError, match="no attribute 'no_such_thing'"):
        model.no_such_thing  # noqa: B018
    with pytest.raises(ValueError, match="not built"):
        Blocks().parameters()

    class Broken(layers.Layer):
        @property
        def half_done(self):
            return self.missing_inside

    with pytest.raises(AttributeError, match="missing_inside"):
        Broken().half_done  # noqa: B018
    assert copy.deepcopy(model).blocks[0].kernel.shape == (3, 4)


@pytest.mark.parametrize("name", ["jax", "tensorflow", "numpy"])
def test_other_backends_say_whose_attribute_it_is(name):
    pytest.importorskip(name, reason=f"{name} is not installed")
    with slot.use(name):
        model = built()
        for attribute in ("parameters", "state_dict", "zero_grad", "to", "train"):
            with pytest.raises(AttributeError, match=f"torch.*{name}"):
                getattr(model, attribute)
            assert not hasattr(model, attribute)


def test_a_layer_in_a_torch_module_is_trained(torch):
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.first = torch.nn.Linear(3, 3)
            self.second = built()
            self.scale = core.Variable(np.float32(1), name="scale")

        def forward(self, x):
            return self.second(self.first(x)) * self.scale.value

    net = Net()
    assert isinstance(net.second, Blocks)
    assert {n for n, _ in net.named_parameters()} == {"first.weight", "first.bias", "scale_value", *(f"second.{n}" for n in NAMES)}
    before = net.second.blocks[0].kernel.numpy().copy()
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    net(torch.ones(2, 3)).sum().backward()
    optimizer.step()
    assert np.abs(net.second.blocks[0].kernel.numpy() - before).max() > 0
    net.second = torch.nn.Linear(3, 1)
    assert {n for n, _ in net.named_parameters()} == {"first.weight", "first.bias", "scale_value", "second.weight", "second.bias"}
    assert isinstance(net.second, torch.nn.Linear)


def test_a_layer_without_parameters_yet_is_refused_by_a_torch_module(torch):
    net = torch.nn.Module()
    with pytest.raises(ValueError, match="not built"):
        net.dense = layers.Dense(2)
    net.dropout = layers.Dropout(0.5)  # it will never have any
    with slot.use("numpy"):
        elsewhere = built()
    with pytest.raises(ValueError, match="numpy"):
        net.other = elsewhere


def test_a_copy_of_a_torch_module_trains_the_copy_of_its_layer(torch):
    net = torch.nn.Module()
    net.model = built()
    net.wrapped = layers.TorchModuleWrapper(torch.nn.Linear(3, 3))
    other = copy.deepcopy(net)
    held = [v.value for v in (*other.model.weights, *other.wrapped.weights)]
    assert {id(p) for p in other.parameters()} == {id(p) for p in held}
    assert not {id(p) for p in net.parameters()} & {id(p) for p in held}
    assert all(any(p is v.value for v in other.wrapped.weights) for p in other.wrapped.module.parameters())


def test_a_model_as_a_torch_module(torch):
    model = built()
    module = of_torch.module(model)
    assert isinstance(module, torch.nn.Module)
    assert all(a is b for a, b in zip(module.parameters(), model.parameters()))
    net = torch.nn.Sequential(torch.nn.Linear(3, 3), module)
    assert len(list(net.parameters())) == 2 + len(NAMES)
    x = torch.randn(8, 3)
    module.eval()
    assert torch.equal(module(x), model(x, training=False))
    moving = model.blocks[1].moving_mean.numpy().copy()
    module.train()
    module(x)
    assert np.abs(model.blocks[1].moving_mean.numpy() - moving).max() > 0
    assert module.blocks is not None and module.count_params() == model.count_params()
    dense = layers.Dense(2)
    dense.build((None, 3))
    assert [n for n, _ in of_torch.module(dense).named_parameters()] == ["kernel", "bias"]


# ------------------------------------------------------------------------------------------------- tensorflow


@pytest.mark.parametrize("compiled", [False, True])
def test_tape_gives_gradients_by_core_variables(tf, compiled):
    model = core.Sequential([layers.Embedding(5, 4), layers.Flatten(), layers.Dense(2)])
    model.build((None, 3))

    def gradients():
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model(tf.constant([[1, 2, 2]])) ** 2)
        return tape.gradient(loss, model.trainable_variables)

    sparse, kernel, bias = (tf.function(gradients) if compiled else gradients)()
    assert isinstance(sparse, tf.IndexedSlices)
    assert kernel.shape == (12, 2) and bias.shape == (2,)
    core.optimizers.SGD(0.1).apply_gradients(zip((sparse, kernel, bias), model.trainable_variables))
    np.testing.assert_allclose(model.trainable_variables[2].numpy(), -0.1 * bias.numpy(), rtol=1e-5)
    assert np.isfinite(model.trainable_variables[0].numpy()).all()


def test_tf_function_around_a_call(tf):
    model, x = built(), tf.ones((2, 3))
    np.testing.assert_allclose(tf.function(model)(x), model(x), rtol=1e-5)


def test_tf_module_tracks_layers(tf, tmp_path):
    class Net(tf.Module):
        def __init__(self):
            super().__init__()
            self.own, self.model = tf.Variable(1.0), built()

    net = Net()
    assert isinstance(net.model, Blocks)
    assert len(net.variables) == 1 + len(net.model.variables)
    assert len(net.trainable_variables) == 1 + len(net.model.trainable_variables)
    with pytest.raises(ValueError, match="not built"):
        net.other = layers.Dense(2)
    module = of_tensorflow.module(net.model)
    assert {id(v) for v in module.variables} == {id(v.value) for v in net.model.variables}
    path = tf.train.Checkpoint(module=module).write(str(tmp_path / "checkpoint"))
    kept = net.model.blocks[0].kernel.numpy()
    net.model.blocks[0].kernel.assign(kept * 0)
    tf.train.Checkpoint(module=module).read(path).assert_consumed()
    np.testing.assert_array_equal(net.model.blocks[0].kernel.numpy(), kept)


# ------------------------------------------------------------------------------------------------- jax


def test_a_model_as_a_pure_function_of_a_pytree(jax):
    model = built()
    x = jax.numpy.asarray(np.random.default_rng(0).normal(size=(8, 3)), "float32")
    apply, state = of_jax.function(model), of_jax.state(model)
    y, new = jax.jit(apply, static_argnames="training")(state, x, training=True)
    assert jax.tree.structure(new) == jax.tree.structure(state)
    assert np.abs(np.asarray(new["non_trainable"][0])).max() > 0 and np.abs(model.blocks[1].moving_mean.numpy()).max() == 0
    gradient = jax.grad(lambda trainable: apply({**state, "trainable": trainable}, x)[0].sum())(state["trainable"])
    assert [g.shape for g in gradient] == [v.shape for v in model.trainable_variables]
    doubled = jax.tree.map(lambda a: a * 2, state)
    inside = jax.jit(lambda s: _with(model, s, x))(doubled)
    assert np.isfinite(np.asarray(model(x))).all()  # no tracer is left
    of_jax.set_state(model, doubled)
    np.testing.assert_allclose(model(x), inside, rtol=1e-5)
    with pytest.raises(ValueError, match="state of"):
        apply({"trainable": [], "non_trainable": []}, x)


def _with(model, state, x):
    with of_jax.with_state(model, state):
        return model(x)


def test_jax_transforms_read_a_model(jax):
    model, x = built(), jax.numpy.ones((4, 3))
    expected = np.asarray(model(x))
    np.testing.assert_allclose(jax.jit(lambda x: model(x))(x), expected, rtol=1e-5)
    np.testing.assert_allclose(jax.vmap(lambda row: model(row[None])[0])(x), expected, rtol=1e-5)
    assert jax.grad(lambda x: model(x).sum())(x).shape == (4, 3)


# ------------------------------------------------------------------------------------------------- wrappers


def test_torch_module_wrapper(torch):
    inner = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    model = core.Sequential([layers.TorchModuleWrapper(inner), layers.Dense(1)])
    x, y = np.random.default_rng(0).normal(size=(64, 3)).astype("float32"), np.ones((64, 1), "float32")
    wrapper = model.layers[0]
    assert [len(wrapper.trainable_variables), len(wrapper.non_trainable_variables)] == [4, 3]
    assert all(any(p is v.value for v in wrapper.variables) for p in wrapper.parameters())
    model.compile(core.optimizers.SGD(0.1), "mse")
    before = inner[0].weight.detach().clone()
    history = model.fit(x, y, epochs=3, verbose=0).history["loss"]
    assert history[-1] < history[0] and not torch.equal(before, inner[0].weight)
    assert inner[1].num_batches_tracked > 0 and inner.training
    model.predict(x, verbose=0)
    assert not inner.training
    with pytest.raises(ValueError, match="config"):
        model.get_config()
    symbolic = layers.Input((3,))
    assert wrapper(symbolic).shape == (None, 4)
    lazy = layers.TorchModuleWrapper(torch.nn.LazyLinear(5))
    assert lazy(torch.ones(2, 3)).shape == (2, 5) and len(lazy.trainable_variables) == 2


def test_torch_module_wrapper_wants_a_module_on_torch(torch):
    with pytest.raises(TypeError, match="torch.nn.Module"):
        layers.TorchModuleWrapper(lambda x: x)
    with slot.use("numpy"), pytest.raises(ValueError, match="torch backend"):
        layers.TorchModuleWrapper(torch.nn.Linear(1, 1))


@core.utils.register_keras_serializable("interop")
def jax_call(params, state, rng, inputs, training):
    noise = 0.0 if not training else 1e-3 * float(0)
    return inputs @ params["w"] + params["b"] + noise, {"calls": state["calls"] + 1}


@core.utils.register_keras_serializable("interop")
def jax_init(rng, inputs, training):
    import jax

    kernel = jax.random.normal(jax.random.wrap_key_data(rng), (inputs.shape[-1], 2))
    return {"w": kernel, "b": jax.numpy.zeros(2)}, {"calls": jax.numpy.zeros(())}


def test_jax_layer(jax):
    model = core.Sequential([layers.JaxLayer(jax_call, jax_init, seed=1), layers.Dense(1)])
    x, y = np.random.default_rng(0).normal(size=(64, 3)).astype("float32"), np.ones((64, 1), "float32")
    model.compile(core.optimizers.SGD(0.05), "mse")
    history = model.fit(x, y, epochs=3, batch_size=16, verbose=0).history["loss"]
    assert history[-1] < history[0]
    layer = model.layers[0]
    assert len(layer.trainable_variables) == 2
    assert int(layer.non_trainable_weights[0].numpy()) == 12
    assert layer(layers.Input((3,))).shape == (None, 2)
    again = layers.JaxLayer.from_config(layer.get_config())
    again.build((None, 3))
    again.set_weights(layer.get_weights())
    np.testing.assert_allclose(again(x), layer(x), rtol=1e-5)
    given = layers.JaxLayer(lambda params, inputs: inputs * params, params=jax.numpy.float32(3))
    np.testing.assert_allclose(given(np.ones(2, "float32")), [3, 3])


def test_jax_layer_says_what_it_needs(jax):
    with pytest.raises(ValueError, match="init_fn"):
        layers.JaxLayer(jax_call)
    with pytest.raises(ValueError, match="parameters named"):
        layers.JaxLayer(lambda weights, x: x, params=1.0)
    with slot.use("numpy"), pytest.raises(ValueError, match="jax backend"):
        layers.JaxLayer(jax_call, jax_init)


def test_flax_layer_without_flax(jax):
    if importlib.util.find_spec("flax") is not None:
        pytest.skip("flax is installed here, so the error cannot be seen")
    with pytest.raises(ImportError, match="pip install flax"):
        layers.FlaxLayer(object())


class LikeLinen:
    """The part of a Flax module that FlaxLayer uses."""

    def __call__(self, x, deterministic=True):
        raise AssertionError("called through apply only")

    def init(self, rngs, x, deterministic=True):
        assert set(rngs) == {"params", "dropout"}
        return {"params": {"w": np.ones((x.shape[-1], 2), "float32")}, "batch_stats": {"n": np.zeros((), "float32")}}

    def apply(self, variables, x, rngs=None, mutable=(), deterministic=True):
        new = {"batch_stats": {"n": variables["batch_stats"]["n"] + 1}} if mutable else {}
        return x @ variables["params"]["w"] * (1.0 if deterministic else 2.0), new


def test_flax_layer_calls_init_and_apply(jax, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    layer = layers.FlaxLayer(LikeLinen())
    x = np.ones((1, 3), "float32")
    np.testing.assert_allclose(layer(x), [[3, 3]])
    np.testing.assert_allclose(layer(x, training=True), [[6, 6]])
    assert float(layer.non_trainable_weights[0].numpy()) == 1
    with pytest.raises(ValueError, match="config"):
        layer.get_config()


def test_tfsm_layer(tf, tmp_path):
    module = tf.Module()
    module.w = tf.Variable(tf.ones((3, 2)))
    module.serve = tf.function(lambda x: x @ module.w, input_signature=[tf.TensorSpec((None, 3))])
    tf.saved_model.save(module, str(tmp_path / "saved"))
    layer = layers.TFSMLayer(tmp_path / "saved")
    np.testing.assert_allclose(layer(np.ones((1, 3), "float32")), [[3, 3]])
    config = layer.get_config()
    assert config["call_endpoint"] == "serve"
    with pytest.raises(UnsafeArtifactError, match="SavedModel"):
        layers.TFSMLayer.from_config(config)
    with pytest.raises(ValueError, match="no endpoint"):
        layers.TFSMLayer(tmp_path / "saved", call_endpoint="other")
    with slot.use("numpy"), pytest.raises(ValueError, match="tensorflow backend"):
        layers.TFSMLayer(tmp_path / "saved")
