"""The models that are timed, once as Keras code (run with `core` and with `keras`) and once by hand in each framework."""

import numpy as np

STEPS, BATCH = 100, 32


def mlp(k):
    return k.Sequential([k.Input((784,)), *[k.layers.Dense(64, activation="relu") for _ in range(2)], k.layers.Dense(10)])


def dense30(k):
    return k.Sequential([k.Input((32,)), *[k.layers.Dense(32, activation="relu") for _ in range(30)], k.layers.Dense(1)])


def cnn(k):
    return k.Sequential(
        [
            k.Input((28, 28, 1)),
            k.layers.Conv2D(16, 3, activation="relu"),
            k.layers.MaxPooling2D(2),
            k.layers.Conv2D(32, 3, activation="relu"),
            k.layers.MaxPooling2D(2),
            k.layers.Flatten(),
            k.layers.Dense(10),
        ]
    )


def lstm(k):
    return k.Sequential([k.Input((50, 16)), k.layers.LSTM(64), k.layers.Dense(1)])


def transformer(k, width=64, heads=4, blocks=2):
    inputs = x = k.Input((32, width))
    for _ in range(blocks):
        y = k.layers.LayerNormalization(epsilon=1e-5)(x)
        x = x + k.layers.MultiHeadAttention(heads, width // heads)(y, y)
        y = k.layers.LayerNormalization(epsilon=1e-5)(x)
        y = k.layers.Dense(4 * width, activation="relu")(y)
        x = x + k.layers.Dense(width)(y)
    return k.Model(inputs, k.layers.Dense(1)(k.layers.GlobalAveragePooling1D()(x)))


def data(shape, classes=None):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(STEPS * BATCH, *shape)).astype("float32")
    y = rng.integers(0, classes, STEPS * BATCH).astype("int32") if classes else rng.normal(size=(STEPS * BATCH, 1)).astype("float32")
    return x, y


# name -> (builder, input shape, classes or None for a mean squared error)
CASES = {
    "mlp": (mlp, (784,), 10),
    "dense30": (dense30, (32,), None),
    "cnn": (cnn, (28, 28, 1), 10),
    "lstm": (lstm, (50, 16), None),
    "transformer": (transformer, (32, 64), None),
}
