"""Programs as users write them, run as written on each backend that trains."""

import numpy as np
import pytest

import core as keras
from core import layers
from core.backend import use

BACKENDS = ("torch", "jax", "tensorflow")
RNG = np.random.default_rng(0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_convnet(backend, tmp_path):
    keras.config.set_backend(backend)
    keras.utils.set_random_seed(3)
    labels = RNG.integers(0, 3, 96)
    images = RNG.normal(scale=0.3, size=(96, 8, 8, 1)).astype("float32")
    for image, label in zip(images, labels):
        image[label * 2 : label * 2 + 2] += 1.0

    model = keras.Sequential(
        [
            layers.Input(shape=(8, 8, 1)),
            layers.Conv2D(4, kernel_size=(3, 3), activation="relu"),
            layers.Conv2D(4, kernel_size=(3, 3), activation="relu"),
            layers.MaxPooling2D(pool_size=(2, 2)),
            layers.GlobalAveragePooling2D(),
            layers.Dropout(0.1),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(
        loss=keras.losses.SparseCategoricalCrossentropy(),
        optimizer=keras.optimizers.Adam(learning_rate=3e-2),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="acc")],
    )
    callbacks = [
        keras.callbacks.ModelCheckpoint(filepath=str(tmp_path / "model_at_epoch_{epoch}.keras")),
        keras.callbacks.EarlyStopping(monitor="val_loss", patience=2),
    ]
    history = model.fit(images, labels, batch_size=32, epochs=6, validation_split=0.15, callbacks=callbacks, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]
    assert set(history.history) == {"acc", "loss", "val_acc", "val_loss"}
    assert len(list(tmp_path.glob("model_at_epoch_*.keras"))) == len(history.epoch)
    score = model.evaluate(images, labels, verbose=0)
    assert len(score) == 2

    model.save(tmp_path / "final_model.keras")
    loaded = keras.saving.load_model(tmp_path / "final_model.keras")
    np.testing.assert_allclose(loaded.predict(images, verbose=0), model.predict(images, verbose=0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(loaded.evaluate(images, labels, verbose=0), score, rtol=1e-5)
    assert loaded.optimizer.iterations.numpy() == model.optimizer.iterations.numpy() > 0


class MyDense(layers.Layer):
    def __init__(self, units, activation=None, name=None):
        super().__init__(name=name)
        self.units = units
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        input_dim = input_shape[-1]
        self.w = self.add_weight(shape=(input_dim, self.units), initializer="random_normal", name="kernel", trainable=True)
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", name="bias", trainable=True)

    def call(self, inputs):
        x = keras.ops.matmul(inputs, self.w) + self.b
        return self.activation(x)


class MyDropout(layers.Layer):
    def __init__(self, rate, name=None):
        super().__init__(name=name)
        self.rate = rate
        self.seed_generator = keras.random.SeedGenerator(1337)

    def call(self, inputs):
        return keras.random.dropout(inputs, self.rate, seed=self.seed_generator)


class MyModel(keras.Model):
    def __init__(self, num_classes):
        super().__init__()
        self.dense_base = layers.Dense(16, activation="relu")
        self.dp = MyDropout(0.2)
        self.head = MyDense(num_classes, activation="softmax")

    def call(self, x):
        return self.head(self.dp(self.dense_base(x)))


@pytest.mark.parametrize("backend", BACKENDS)
def test_own_layers_and_any_source_of_data(backend):
    import tensorflow as tf
    import torch

    keras.config.set_backend(backend)
    x = RNG.normal(size=(64, 6)).astype("float32")
    y = (x[:, :3].argmax(-1)).astype("int32")
    tensors = torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
    sources = {
        "numpy": (x, y),
        "torch": (torch.utils.data.DataLoader(tensors, batch_size=16, shuffle=False),),
        "tensorflow": (tf.data.Dataset.from_tensor_slices((x, y)).batch(16).prefetch(tf.data.AUTOTUNE),),
    }
    losses = {}
    for name, source in sources.items():
        keras.utils.set_random_seed(0)
        model = MyModel(num_classes=3)
        model.compile(loss=keras.losses.SparseCategoricalCrossentropy(), optimizer=keras.optimizers.Adam(0.01), metrics=["acc"])
        arguments = {"batch_size": 16} if name == "numpy" else {}
        history = model.fit(
            *source, epochs=2, shuffle=False, verbose=0, validation_data=(x, y), validation_batch_size=16, **arguments
        ).history
        assert history["loss"][1] < history["loss"][0]
        assert len(model.evaluate(*source, verbose=0, **arguments)) == 2
        assert model.predict(source[0], verbose=0).shape == (64, 3)
        losses[name] = history["loss"]
    np.testing.assert_allclose(losses["torch"], losses["numpy"], rtol=1e-5)
    np.testing.assert_allclose(losses["tensorflow"], losses["numpy"], rtol=1e-5)


class CustomModel(keras.Model):
    """One `train_step`, for every backend."""

    def __init__(self):
        super().__init__()
        self.hidden, self.out = layers.Dense(8, activation="tanh"), layers.Dense(1)
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self.mae = keras.metrics.MeanAbsoluteError(name="mae")

    def call(self, x, training=None):
        return self.out(self.hidden(x))

    def train_step(self, batch):
        x, y = batch

        def loss_fn():
            y_pred = self(x, training=True)
            return keras.ops.mean(keras.losses.mean_squared_error(y, y_pred)), y_pred

        (loss, y_pred), gradients = keras.value_and_grad(loss_fn, self.trainable_variables, has_aux=True)()
        self.optimizer.apply(gradients, self.trainable_variables)
        self.loss_tracker.update_state(loss)
        self.mae.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}

    @property
    def metrics(self):
        return [self.loss_tracker, self.mae]


def custom_losses(backend):
    x = np.random.default_rng(1).normal(size=(80, 5)).astype("float32")
    y = (x[:, :1] * x[:, 1:2]).astype("float32")
    with use(backend):
        keras.utils.set_random_seed(11)
        model = CustomModel()
        model.compile(optimizer=keras.optimizers.Adam(0.02))
        losses = []
        record = keras.callbacks.LambdaCallback(on_train_batch_end=lambda step, logs: losses.append(logs["loss"]))
        history = model.fit(x, y, batch_size=16, epochs=4, verbose=0, callbacks=[record]).history
    assert list(history) == ["loss", "mae"]
    return losses


def test_one_train_step_gives_the_same_losses_on_all_backends():
    losses = {backend: custom_losses(backend) for backend in BACKENDS}
    assert len(losses["torch"]) == 20
    assert losses["torch"][19] < losses["torch"][0]
    for backend in BACKENDS[1:]:
        np.testing.assert_allclose(losses[backend], losses["torch"], rtol=1e-4, err_msg=backend)
