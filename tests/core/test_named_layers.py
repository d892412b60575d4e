"""Layers found by their names, and low-rank updates seen from outside."""

import numpy as np

import core
from core import layers, ops


def test_layers_are_named_by_their_places():
    with core.backend.use("numpy"):
        inner = core.Sequential([layers.Input((2,)), layers.Dense(3, name="hidden"), layers.Dense(3, name="out")], name="inner")
        outer = core.Sequential([layers.Input((2,)), inner, layers.Dense(1, name="out")])
        named = outer.named_layers()
    assert {name: layer.name for name, layer in named.items() if isinstance(layer, layers.Dense)} == {
        "inner/hidden": "hidden", "inner/out": "out", "out": "out",
    }  # fmt: skip
    assert named["inner"] is inner

    class Twice(layers.Layer):
        def __init__(self):
            super().__init__()
            self.blocks = [layers.Dense(1, name="same"), layers.Dense(1, name="same")]
            self.again = self.blocks[0]

    assert list(Twice().named_layers()) == ["same", "same_1"]


def test_a_merged_update_leaves_outputs_as_they_are():
    with core.backend.use("numpy"):
        layer = layers.Dense(3)
        layer.build((None, 4))
        assert layer.lora_factors == {}
        layer.enable_lora(2, lora_alpha=4.0)
        assert list(layer.lora_factors) == ["lora_kernel_a", "lora_kernel_b"]
        layer.lora_factors["lora_kernel_b"].assign(np.ones((2, 3)))
        x = np.ones((2, 4), "float32")
        before, kernel = ops.convert_to_numpy(layer(x)), layer._kernel.numpy().copy()
        layer.merge_lora()
        np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), before, rtol=1e-6)
        assert np.abs(layer._kernel.numpy() - kernel).max() > 0.1 and not layer.lora_factors["lora_kernel_b"].numpy().any()


def test_a_loop_may_carry_nothing():
    for backend in ("jax", "tensorflow"):
        with core.backend.use(backend):

            @core.jit
            def run(x):
                return ops.while_loop(lambda x, _: ops.all(x < 5), lambda x, kept: (x + 1, kept), (x, None))

            x, nothing = run(np.zeros((2,), "int32"))
            assert nothing is None and ops.convert_to_numpy(x).tolist() == [5, 5]
