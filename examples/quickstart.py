"""Trains a small convnet on handwritten digits, saves it, loads it, and predicts the same. Runs offline in under a minute.

    python examples/quickstart.py [jax | torch | tensorflow]
"""

import pathlib
import sys
import tempfile

import numpy as np

import core as keras
from core import layers


def digits():
    """The 1,797 embedded 8x8 digits, scaled to 0..1, with a channel axis."""
    (x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
    return (x_train[..., None] / 16.0, y_train), (x_test[..., None] / 16.0, y_test)


def convnet():
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.4),
            layers.Dense(10, activation="softmax"),
        ]
    )


def main():
    if len(sys.argv) > 1:
        keras.config.set_backend(sys.argv[1])
    keras.utils.set_random_seed(0)
    print(f"Backend: {keras.config.backend()}")

    (x_train, y_train), (x_test, y_test) = digits()
    model = convnet()
    model.summary()
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train, y_train, batch_size=32, epochs=15, validation_split=0.1)
    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"Test loss {loss:.4f}, test accuracy {100 * accuracy:.2f} %")

    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "digits.keras"
        model.save(path)
        loaded = keras.saving.load_model(path)
        same = np.array_equal(model.predict(x_test, verbose=0), loaded.predict(x_test, verbose=0))
    print(f"Saved, loaded, predicts the same: {same}")
    if accuracy < 0.97 or not same:
        raise SystemExit("The quickstart did not reach 97 % or the reloaded model differs.")


if __name__ == "__main__":
    main()
