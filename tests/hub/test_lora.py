"""Low-rank adaptation: what trains, what files hold, what merging leaves."""

import h5py
import numpy as np
import pytest

import core
import hub
from core import ops
from core.saving import ConfigError, CorruptArtifactError, UnsafeArtifactError, WeightMismatchError
from hub import lora

IDS = np.random.default_rng(0).integers(1, 40, (3, 6)).astype("int32")


@pytest.fixture(autouse=True)
def torch_unless_told():
    with core.backend.use("torch"):
        yield


def network(seed=0):
    core.utils.set_random_seed(seed)
    return hub.models.LlamaBackbone(40, 2, 4, 16, 24, 2)


def outputs(model):
    return ops.convert_to_numpy(model({"token_ids": IDS, "padding_mask": np.ones_like(IDS)}))


def shaken(model, seed=1):
    """The network with factors as if they had been trained."""
    rng = np.random.default_rng(seed)
    for weight in model.trainable_weights:
        weight.assign(rng.normal(size=weight.shape) * 0.3)
    return model


@pytest.mark.parametrize("name", ["torch", pytest.param("jax", marks=pytest.mark.slow), pytest.param("tensorflow", marks=pytest.mark.slow)])
def test_only_the_factors_train(name):
    with core.backend.use(name):
        train_the_factors()


def train_the_factors():
    model = network()
    before = {v.path: v.numpy().copy() for v in model.weights}
    first = outputs(model)
    model.enable_lora(2)
    assert [v.path.rpartition("/")[2] for v in model.trainable_weights] == ["lora_kernel_a", "lora_kernel_b"] * 4
    np.testing.assert_allclose(outputs(model), first, atol=1e-6)  # the update is zero at first
    optimizer, target = core.optimizers.SGD(0.5), np.random.default_rng(2).normal(size=first.shape).astype("float32")

    def loss():
        return ops.mean(ops.square(ops.subtract(model({"token_ids": IDS}, training=True), target)))

    losses = []
    for _ in range(8):
        value, gradients = core.value_and_grad(loss, model.trainable_weights)()
        optimizer.apply(gradients, model.trainable_weights)
        losses.append(float(value))
    assert losses[-1] < losses[0]
    changed = {v.path for v in model.weights if v.path in before and not np.array_equal(v.numpy(), before[v.path])}
    assert not changed


@pytest.mark.parametrize(
    "names, layers",
    [
        (None, 4), ("key", 2), (["query", "key"], 4), ("transformer_layer_1/attention/value", 1), (r".*feed_forward/(gate|up)", 4),
        (["query", "nothing"], 2), ("attention/query", 2),
    ],
)  # fmt: skip
def test_layers_are_chosen_by_name_path_or_pattern(names, layers):
    model = network()
    model.enable_lora(3, names)
    assert len(model.trainable_weights) == 2 * layers


@pytest.mark.parametrize("ending", [".lora.h5", ".safetensors"])
def test_files_hold_the_factors_alone(tmp_path, ending):
    model = network()
    model.enable_lora(2, ["query", "down"], alpha=6.0)
    expected = outputs(shaken(model))
    model.save_lora_weights(tmp_path / f"adapter{ending}")
    fresh = network()
    assert np.abs(outputs(fresh) - expected).max() > 0.01
    fresh.load_lora_weights(tmp_path / f"adapter{ending}")  # enables what the file names
    np.testing.assert_allclose(outputs(fresh), expected, atol=1e-6)
    again = network()
    again.enable_lora(2, ["query", "down"])
    again.load_lora_weights(tmp_path / f"adapter{ending}")
    np.testing.assert_allclose(outputs(again), expected, atol=1e-6)
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"adapter{ending}"]


def test_merged_weights_give_equal_outputs(tmp_path):
    model = network()
    model.enable_lora(2)
    expected = outputs(shaken(model))
    model.save_to_preset(tmp_path)  # files hold the sum
    np.testing.assert_allclose(outputs(hub.models.Backbone.from_preset(tmp_path)), expected, atol=1e-5)
    model.merge_lora()
    np.testing.assert_allclose(outputs(model), expected, atol=1e-5)
    assert all(not np.any(v.numpy()) for v in model.weights if v.path.endswith("lora_kernel_b"))
    plain = network()
    for name, layer in plain.named_layers().items():
        if hasattr(layer, "lora_enabled") and layer.built and layer.name in ("query", "value"):
            layer._kernel.assign(model.named_layers()[name]._kernel)
    np.testing.assert_allclose(outputs(plain), expected, atol=1e-5)


def test_a_task_is_adapted_through_its_backbone():
    model = hub.models.CausalLM(hub.models.GPT2Backbone(40, 2, 4, 16, 24, max_sequence_length=12), None)
    model.backbone.enable_lora(2)
    assert len(model.trainable_weights) == 2 * 2 * model.backbone.config.num_layers


def test_mistakes_change_nothing(tmp_path):
    model = network()
    for call, message in [
        (lambda: model.enable_lora(0), "positive integer"),
        (lambda: model.enable_lora(2, "qery"), "there are .*query"),
        (lambda: model.enable_lora(2, "("), "regular expression"),
        (lambda: model.save_lora_weights(tmp_path / "a.lora.h5"), "enable_lora"),
    ]:
        with pytest.raises(ConfigError, match=message):
            call()
    assert all(v.trainable for v in model.weights)
    model.enable_lora(2)
    with pytest.raises(ConfigError, match="enabled already"):
        model.enable_lora(2)
    with pytest.raises(ConfigError, match="ends in"):
        model.save_lora_weights(tmp_path / "a.pkl")
    shaken(model)
    model.save_lora_weights(tmp_path / "a.lora.h5")
    other = network()
    other.enable_lora(3, ["query", "key"])
    before = outputs(shaken(other, 5))
    with pytest.raises(WeightMismatchError, match="key/lora_kernel_a is missing.*value/lora_kernel_a is not expected") as caught:
        other.load_lora_weights(tmp_path / "a.lora.h5")
    assert "shape (16, 2), the network needs (16, 3)" in str(caught.value)
    np.testing.assert_array_equal(outputs(other), before)


def test_hostile_files_are_refused(tmp_path):
    model = network()
    (tmp_path / "text.lora.h5").write_text("no")
    with h5py.File(tmp_path / "link.lora.h5", "w") as file:
        group = file.create_group("lora")
        group.attrs.update({"rank": 2, "alpha": 2.0})
        group["x"] = h5py.ExternalLink("/etc/passwd", "/")
    with h5py.File(tmp_path / "empty.lora.h5", "w") as file:
        file.create_group("lora").attrs.update({"rank": 2, "alpha": 2.0})
    with h5py.File(tmp_path / "rank.lora.h5", "w") as file:
        file.create_group("lora").attrs.update({"rank": -2, "alpha": 2.0})
    for name, error in [
        ("text", CorruptArtifactError), ("link", UnsafeArtifactError), ("empty", WeightMismatchError), ("rank", CorruptArtifactError),
    ]:  # fmt: skip
        with pytest.raises(error):
            lora.load_lora_weights(model, tmp_path / f"{name}.lora.h5")
    assert all(v.trainable for v in model.weights)
