"""Tunes the README's convnet on handwritten digits with Hyperband in two processes. Runs offline in under a minute.

python examples/tune_convnet.py [jax | torch | tensorflow]
"""

import pathlib
import sys
import tempfile

import core as keras
import tuner
from core import layers

EPOCHS = 9


def digits():
    """The 1,797 embedded 8x8 digits, scaled to 0..1, with a channel axis."""
    (x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
    return (x_train[..., None] / 16.0, y_train), (x_test[..., None] / 16.0, y_test)


def convnet(hp):
    """The convnet with open widths, dropout and learning rate; the second convolution may be left out."""
    model = keras.Sequential([keras.Input((8, 8, 1))])
    model.add(layers.Conv2D(hp.Int("filters", 16, 48, step=16), 3, padding="same", activation="relu"))
    if hp.Boolean("second", default=True):
        model.add(layers.Conv2D(hp.Int("second_filters", 32, 96, step=32), 3, activation="relu"))
    model.add(layers.MaxPooling2D(2))
    model.add(layers.Flatten())
    model.add(layers.Dropout(hp.Float("dropout", 0.0, 0.6, step=0.1)))
    model.add(layers.Dense(10, activation="softmax"))
    rate = hp.Float("learning_rate", 3e-4, 3e-2, sampling="log")
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def main():
    if len(sys.argv) > 1:
        keras.config.set_backend(sys.argv[1])
    print(f"Backend: {keras.config.backend()}")
    (x_train, y_train), (x_test, y_test) = digits()
    with tempfile.TemporaryDirectory() as folder:
        search = tuner.Hyperband(
            convnet, objective="val_accuracy", max_epochs=EPOCHS, factor=3, seed=0, directory=folder, project_name="digits", keep=1
        )
        search.search(x_train[:1200], y_train[:1200], validation_data=(x_train[1200:], y_train[1200:]), batch_size=32, n_jobs=2)
        study = search.study
        print(
            study.to_dataframe()[
                ["number", "parent", "resource", "value", "param_filters", "param_second", "param_learning_rate"]
            ].to_string()
        )
        print(f"Importance: { {name: round(share, 2) for name, share in study.importance().items()} }")
        page = study.write_report(pathlib.Path(folder) / "report.html")
        print(f"Report: {page.stat().st_size // 1024} KB of HTML")
        model = search.get_best_models()[0]
        print(f"Best: {search.get_best_hyperparameters()[0].values}")
        loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
        print(
            f"{len(study.trials)} trials, {study.elapsed:.0f} s; validation accuracy {study.best_value:.4f}, test accuracy {accuracy:.4f}"
        )
    if accuracy < 0.95:
        raise SystemExit("The tuned convnet did not reach 95 %.")


if __name__ == "__main__":
    main()
