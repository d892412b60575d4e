"""Models that are written by one library and read by the other. Run as a script: `file_zoo.py write|read keras|core FOLDER`.

`write` saves each model as NAME.keras, with its inputs, predictions and optimizer state in NAME.npz. `read` loads NAME.keras
and writes what it sees to NAME.seen.npz.
"""

from __future__ import annotations

import importlib
import json
import pathlib
import sys
import traceback

import numpy as np


def registered(lib):
    """The user's own classes and functions, made once for each library."""
    if hasattr(lib, "_zoo"):
        return lib._zoo
    L, ops = lib.layers, lib.ops
    register = lib.saving.register_keras_serializable

    @register("zoo")
    class Scale(L.Layer):
        """Plain arguments only: its config is made by itself."""

        def __init__(self, factor, sizes=(1, 2), **kwargs):
            super().__init__(**kwargs)
            self.factor, self.sizes = factor, sizes

        def build(self, input_shape):
            self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="scale")
            self.count = self.add_weight(shape=(), initializer="zeros", trainable=False, name="count")

        def call(self, inputs):
            return inputs * self.scale * self.factor

    @register("zoo")
    class Block(L.Layer):
        """Layers in attributes, lists and dicts."""

        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.subs = [L.Dense(units), L.Dense(units)]
            self._hidden = L.LayerNormalization()
            self.map = {"b": L.Dense(units), "a": L.Dense(units)}
            self.nested = [[L.Dense(1)], L.Dense(1)]
            self.Zeta, self.alpha = L.Dense(2), Scale(0.5)
            self.drop = L.Dropout(0.5)

        def build(self, input_shape):
            self.w = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="w")

        def call(self, x):
            y = self._hidden(self.subs[1](self.subs[0](x * self.w)))
            y = self.map["a"](y) + self.map["b"](y) + self.nested[0][0](y) + self.nested[1](x)
            return self.drop(ops.concatenate([self.alpha(y), self.Zeta(x)], axis=-1))

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    @register("zoo")
    class Net(lib.Model):
        def __init__(self, units=3, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.block, self.out = Block(units), L.Dense(1)

        def call(self, x):
            return self.out(self.block(x))

    @register("zoo", name="cubed")
    def my_loss(y_true, y_pred):
        return ops.mean(ops.abs(y_true - y_pred) ** 3, axis=-1)

    @register("zoo")
    class Largest(lib.metrics.Metric):
        def __init__(self, name="largest", **kwargs):
            super().__init__(name=name, **kwargs)
            self.value = self.add_variable(shape=(), initializer="zeros", name="value")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.value.assign(ops.maximum(self.value, ops.max(ops.abs(y_pred))))

        def result(self):
            return ops.convert_to_tensor(self.value)

    @register("zoo")
    def swish2(x):
        return x * ops.sigmoid(2.0 * x)

    lib._zoo = {"Scale": Scale, "Block": Block, "Net": Net, "my_loss": my_loss, "Largest": Largest, "swish2": swish2}
    return lib._zoo


def conv(lib, draw):
    L = lib.layers
    model = lib.Sequential([
        L.Input((8, 8, 1)), L.Conv2D(4, 3, activation="relu"), L.BatchNormalization(), L.MaxPooling2D(), L.Flatten(), L.Dropout(0.5),
        L.Dense(10, activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, draw(8, 8, 8, 1), np.arange(8) % 10


def recurrent(lib, draw):
    L = lib.layers
    i = L.Input((5, 3))
    x = L.Bidirectional(L.GRU(3))(L.LSTM(4, return_sequences=True)(i))
    q = L.Dense(2, name="q")(x)
    y = lib.Sequential([L.Dense(2), L.Dense(3)])(q)
    z = L.Add()([y, L.Dense(3)(x)])
    z = z * 2 + lib.ops.mean(x, axis=-1, keepdims=True)
    z = lib.ops.concatenate([z, y], axis=-1)[:, 1:]
    model = lib.Model(i, {"a": z, "b": q})
    schedule = lib.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    model.compile(lib.optimizers.SGD(schedule, momentum=0.9), loss={"a": "mse", "b": lib.losses.Huber()})
    return model, draw(4, 5, 3), {"a": draw(4, 5), "b": draw(4, 2)}


def graph_ops(lib, draw):
    ops = lib.ops
    i = lib.layers.Input((4, 6))
    x = ops.reshape(i, (-1, 6, 4))
    x = ops.transpose(x, (0, 2, 1))
    x = ops.expand_dims(x, axis=1)
    x = ops.squeeze(x, axis=1)
    x = ops.where(x > 0.2, x, -x) - 1.5
    x = ops.einsum("bij,bkj->bik", x, x) / 3.0
    x = ops.softmax(x, axis=-1) @ ops.relu(i)
    a, b = ops.split(x, 2, axis=-1)
    x = ops.stack([a, b, 2.0 * a], axis=1)
    x = ops.max(x, axis=(1, 2)) ** 2 + ops.sum(x, axis=(1, 2)) + x[:, 0, ..., 1, None][:, :3, 0]
    x = ops.cast(ops.maximum(ops.exp(-x), 0.1), "float32")
    x = ops.pad(x, [[0, 0], [1, 1]])
    x = ops.clip(x, -1.0, 5.0) + ops.arange(5, dtype="float32")
    return lib.Model(i, [x, ops.argmax(x, axis=-1)]), draw(3, 4, 6), None


def merged(lib, draw):
    """Two inputs in a list, one layer called twice, a functional model inside, a frozen layer."""
    L = lib.layers
    a, b = L.Input((3,), name="left"), L.Input((3,), name="right")
    shared = L.Dense(4, activation="tanh", name="shared")
    i = L.Input((4,))
    inner = lib.Model(i, L.Dense(2, kernel_regularizer="l2")(i) * 3.0, name="inner")
    frozen = L.Dense(4, trainable=False, name="frozen")
    x = L.Concatenate()([inner(shared(a)), inner(frozen(shared(b)))])
    model = lib.Model([a, b], [L.Dense(1, name="one")(x), x])
    model.compile(lib.optimizers.RMSprop(0.01), loss=["mae", None])
    return model, [draw(4, 3), draw(4, 3)], [draw(4, 1), draw(4, 4)]


def named(lib, draw):
    L = lib.layers
    inputs = {"b": L.Input((3,), name="b"), "a": L.Input((2,), name="a")}
    x = L.Concatenate()([inputs["a"], L.Dense(2)(inputs["b"])])
    model = lib.Model(inputs, {"out": L.Dense(1, name="out")(x)})
    model.compile("adamw", {"out": "mse"}, metrics={"out": ["mae"]})
    return model, {"a": draw(4, 2), "b": draw(4, 3)}, {"out": draw(4, 1)}


def masked(lib, draw):
    L = lib.layers
    i = L.Input((6,), dtype="int32")
    x = L.Embedding(7, 4, mask_zero=True)(i)
    x = L.LSTM(3)(L.Masking(0.0)(x))
    model = lib.Model(i, L.Dense(1)(x))
    model.compile(lib.optimizers.Adam(0.01, amsgrad=True), lib.losses.MeanSquaredError())
    return model, np.array([[1, 2, 3, 0, 0, 0], [4, 0, 5, 6, 1, 0]], "int32"), draw(2, 1)


def attention(lib, draw):
    L = lib.layers
    i = L.Input((5, 4))
    x = L.LayerNormalization()(i + L.MultiHeadAttention(2, 3)(i, i))
    model = lib.Model(i, L.GlobalAveragePooling1D()(x))
    model.compile(lib.optimizers.SGD(0.1, nesterov=True, momentum=0.5), "mse")
    return model, draw(3, 5, 4), draw(3, 4)


def mixed(lib, draw):
    L = lib.layers
    model = lib.Sequential([L.Input((4,)), L.Dense(3, dtype="mixed_bfloat16"), L.Dense(2, dtype="bfloat16"), L.Dense(2, dtype="float32")])
    return model, draw(3, 4), None


def subclassed(lib, draw):
    own = registered(lib)
    model = own["Net"](units=3)
    model.compile("rmsprop", own["my_loss"], metrics=["mae", own["Largest"]()])
    return model, draw(4, 3, 4), draw(4, 3, 1)


def customized(lib, draw):
    L, own = lib.layers, registered(lib)
    model = lib.Sequential(
        [L.Input((4,)), own["Scale"](2.0, name="scaled"), L.Dense(3, activation=own["swish2"], kernel_constraint="max_norm")]
    )
    model.compile("adamax", own["my_loss"])
    return model, draw(4, 4), draw(4, 3)


def mixtures(lib, draw):
    """More layers, each with weights or a config of its own kind."""
    L = lib.layers
    i = L.Input((8, 8, 3))
    x = L.DepthwiseConv2D(3, depth_multiplier=2, padding="same")(i)
    x = L.SeparableConv2D(4, 3, strides=2, padding="same")(x)
    x = L.GroupNormalization(2)(L.LeakyReLU(0.2)(x))
    x = L.UpSampling2D(2)(L.PReLU()(x))
    x = L.Conv2DTranspose(3, 3, padding="same")(L.ZeroPadding2D(1)(x))
    x = L.Cropping2D(((1, 0), (0, 1)))(L.Activation("gelu")(x))
    x = L.Multiply()([L.GlobalMaxPooling2D()(x), L.GlobalAveragePooling2D()(x)])
    x = L.EinsumDense("ab,bc->ac", output_shape=4, bias_axes="c")(L.RepeatVector(2)(x)[:, 0])
    model = lib.Model(i, L.Permute((2, 1))(L.Reshape((2, 2))(L.UnitNormalization()(x))))
    return model, draw(2, 8, 8, 3), None


def orders(lib) -> dict[str, list]:
    """Names of layers and shapes of weights, in order, of graphs where the order is not plain."""
    L, ops = lib.layers, lib.ops

    def dense(name, units=4):
        return L.Dense(units, name=name)

    def branches():
        i = L.Input((4,), name="i")
        a, c = dense("a", 3)(i), dense("c", 3)(dense("b", 3)(i))
        return lib.Model(i, L.Add(name="add")([a, c]))

    def skips():
        i = L.Input((4,), name="i")
        x = dense("d1")(i)
        z = L.Add(name="s1")([x, dense("d2")(x)])
        return lib.Model(i, dense("o", 2)(L.Add(name="s2")([dense("d3")(z), z, x])))

    def shared():
        a, b, s, t = L.Input((4,), name="a"), L.Input((4,), name="b"), dense("s"), dense("t")
        return lib.Model([a, b], [L.Add(name="add")([s(a), t(s(b))]), s(t(a))])

    def inputs():
        a, b, c = (L.Input((4,), name=n) for n in "abc")
        x = L.Concatenate(name="cc")([dense("pc", 2)(c), dense("pa", 2)(a)])
        y = L.Concatenate(name="dd")([dense("q", 2)(x), dense("pb", 2)(b)])
        return lib.Model([b, a, c], [dense("o2", 1)(y), dense("o1", 1)(x)])

    def inception():
        i = L.Input((4,), name="i")
        towers = []
        for k, depth in enumerate((2, 1, 3, 1)):
            x = i
            for j in range(depth):
                x = dense(f"b{k}_{j}", 3)(x)
            towers.append(x)
        y = L.Average(name="avg")([towers[2], towers[1]])
        return lib.Model(i, {"z": dense("oz", 2)(L.Concatenate(name="cat")(towers)), "a": dense("oa", 2)(y)})

    def nested():
        i, j = L.Input((4,), name="ni"), L.Input((4,), name="j")
        inner = lib.Model(i, dense("in2")(dense("in1")(i)), name="inner")
        x = inner(j)
        return lib.Model(j, [ops.add(inner(dense("w")(x)), dense("h")(x)), lib.Sequential([dense("q1", 2)], name="sq")(j)])

    def repeated():
        i, s = L.Input((4,), name="i"), dense("s")
        x = i
        for k in range(3):
            x = L.Add(name=f"a{k}")([s(x), dense(f"d{k}")(x)])
        return lib.Model(i, [x, dense("side", 1)(i)])

    def with_ops():
        i = L.Input((4,), name="i")
        x = dense("a")(i) * 2
        y = dense("b")(i) + x
        return lib.Model(i, [dense("o", 1)(ops.relu(y) - dense("c")(x)), y])

    def late_input():
        a, b = L.Input((4,), name="a"), L.Input((4,), name="b")
        y = L.Add(name="add")([b, dense("d2")(dense("d1")(a))])
        return lib.Model([a, b], L.Multiply(name="mul")([y, dense("d3")(b)]))

    found = {}
    for make in (branches, skips, shared, inputs, inception, nested, repeated, with_ops, late_input):
        model = make()
        found[make.__name__] = [[x.name for x in model.layers], [[w.path, *w.shape] for w in model.weights]]
    return found


ZOO = {f.__name__: f for f in (conv, recurrent, graph_ops, merged, named, masked, attention, mixed, subclassed, customized, mixtures)}


def _flat(value) -> list[np.ndarray]:
    if isinstance(value, dict):
        return [x for k in sorted(value) for x in _flat(value[k])]
    if isinstance(value, (list, tuple)):
        return [x for v in value for x in _flat(v)]
    return [np.asarray(value)]


def _host(lib, variable) -> np.ndarray:
    return np.asarray(lib.ops.convert_to_numpy(lib.ops.cast(variable, "float32")))


def state(lib, model, inputs) -> dict[str, np.ndarray]:
    """Predictions, weights, optimizer."""
    found = {f"prediction/{i}": x for i, x in enumerate(_flat(model.predict(inputs, verbose=0)))}
    found |= {f"weight/{i}": _host(lib, v) for i, v in enumerate(model.weights)}
    if getattr(model, "optimizer", None) is not None:
        found |= {f"optimizer/{i}": _host(lib, v) for i, v in enumerate(model.optimizer.variables)}
        found["optimizer/rate"] = np.asarray(float(model.optimizer.learning_rate))
    found["trainable"] = np.array(len(model.trainable_weights))
    return {k: np.asarray(v, "float32") for k, v in found.items()}


def write(lib, folder: pathlib.Path, names=None) -> None:
    for name in names or ZOO:
        rng = np.random.default_rng(7)
        lib.utils.set_random_seed(3)
        model, inputs, targets = ZOO[name](lib, lambda *shape, rng=rng: rng.normal(size=shape).astype("float32"))
        if targets is not None:
            model.fit(inputs, targets, epochs=2, batch_size=2, verbose=0)
        np.savez(folder / f"{name}.npz", **state(lib, model, inputs))
        model.save(folder / f"{name}.keras")


def read(lib, folder: pathlib.Path, names=None) -> dict[str, str]:
    """Loads each file; what failed, by name."""
    registered(lib)
    failed = {}
    for name in names or ZOO:
        rng = np.random.default_rng(7)
        try:
            _, inputs, _ = ZOO[name](lib, lambda *shape, rng=rng: rng.normal(size=shape).astype("float32"))
            model = lib.saving.load_model(folder / f"{name}.keras")
            np.savez(folder / f"{name}.seen.npz", **state(lib, model, inputs))
        except Exception as error:  # noqa: BLE001 - reported by name, so that one fault does not hide the others
            failed[name] = "".join(traceback.format_exception(error)[-3:])
    return failed


def differences(folder: pathlib.Path, name: str, rtol: float = 1e-5, atol: float = 1e-5) -> list[str]:
    """Where the reader saw something else than the writer."""
    with np.load(folder / f"{name}.npz") as wrote, np.load(folder / f"{name}.seen.npz") as saw:
        found = [f"only one has {sorted(set(wrote) ^ set(saw))}"] if set(wrote) != set(saw) else []
        for key in sorted(set(wrote) & set(saw)):
            if wrote[key].shape != saw[key].shape or not np.allclose(wrote[key], saw[key], rtol, atol):
                found.append(f"{key}: {saw[key]} for {wrote[key]}")
    return found


if __name__ == "__main__":
    action, library, where = sys.argv[1:4]
    imported, target = importlib.import_module(library), pathlib.Path(where)
    if action == "write":
        write(imported, target, sys.argv[4:])
    elif action == "orders":
        target.write_text(json.dumps(orders(imported)))
    elif action == "configs":  # makes a model from each config in a file; what failed
        failures = {}
        for key, entry in json.loads(target.read_text()).items():
            op = key.partition("/")[0]
            if not (hasattr(imported.ops, op) or hasattr(imported.ops.image, op)):
                continue  # an op of ours alone
            try:
                imported.Model.from_config(entry)
            except Exception as error:  # noqa: BLE001 - collected
                failures[key] = f"{type(error).__name__}: {error}"
        target.with_suffix(".failures").write_text(json.dumps(failures))
    else:
        target.joinpath("failures.json").write_text(json.dumps(read(imported, target, sys.argv[4:])))
