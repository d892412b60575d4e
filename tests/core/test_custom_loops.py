"""Training loops as their authors write them: in each framework's own way, and once for all of them."""

import numpy as np
import pytest

import core
from core import layers, ops
from core.backend import slot

TRAINING = ("jax", "torch", "tensorflow")


def active(name):
    pytest.importorskip(name, reason=f"{name} is not installed")
    return slot.use(name)


@pytest.fixture(params=TRAINING)
def trains(request):
    with active(request.param) as chosen:
        yield chosen


def data(rows=64):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 4)).astype("float32")
    return x, (x @ np.array([[1], [-2], [3], [0.5]], "float32") + 0.3).astype("float32")


class MyModel(core.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.hidden = layers.Dense(8, activation="tanh", kernel_initializer=core.initializers.GlorotUniform(seed=1))
        self.norm = layers.BatchNormalization()
        self.out = layers.Dense(1, kernel_initializer=core.initializers.GlorotUniform(seed=2))

    def call(self, x, training=False):
        return self.out(self.norm(self.hidden(x), training=training))


def built(cls=MyModel):
    model = cls()
    model.build((None, 4))
    return model


def falls(losses):
    losses = [float(loss) for loss in losses]
    assert losses[-1] < 0.5 * losses[0], losses


# ------------------------------------------------------------------------------------------------- each framework's own way


@pytest.mark.parametrize("compiled", [False, True])
def test_tensorflow_with_a_tape(compiled):
    tf = pytest.importorskip("tensorflow")
    with active("tensorflow"):
        model, optimizer, x, y = built(), core.optimizers.Adam(0.05), *map(tf.constant, data())

        def step(x, y):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((model(x, training=True) - y) ** 2)
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables))
            return loss

        step = tf.function(step) if compiled else step
        falls([step(x, y) for _ in range(20)])
        assert np.abs(model.norm.moving_mean.numpy()).max() > 0


def test_torch_with_backward_and_a_torch_optimizer():
    torch = pytest.importorskip("torch")
    with active("torch"):
        model, x, y = built(), *map(torch.tensor, data())
        optimizer = torch.optim.Adam(model.parameters(), 0.05)
        losses = []
        for _ in range(20):
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(model(x, training=True), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
        falls(losses)


def test_torch_with_backward_and_a_core_optimizer():
    torch = pytest.importorskip("torch")
    with active("torch"):
        model, x, y, optimizer, losses = built(), *map(torch.tensor, data()), core.optimizers.Adam(0.05), []
        for _ in range(20):
            model.zero_grad()
            loss = core.losses.MeanSquaredError()(y, model(x, training=True))
            loss.backward()
            with torch.no_grad():
                optimizer.apply([v.value.grad for v in model.trainable_weights], model.trainable_weights)
            losses.append(loss.detach())
        falls(losses)


def test_jax_with_stateless_calls():
    jax = pytest.importorskip("jax")
    with active("jax"):
        model, optimizer, metric = built(), core.optimizers.Adam(0.05), core.metrics.MeanSquaredError()
        optimizer.build(model.trainable_variables)
        x, y = map(jax.numpy.asarray, data())

        def loss_fn(trainable, others, x, y):
            y_pred, others = model.stateless_call(trainable, others, x, training=True)
            return jax.numpy.mean((y_pred - y) ** 2), (others, y_pred)

        @jax.jit
        def step(state, x, y):
            trainable, others, slots, metrics = state
            (loss, (others, y_pred)), gradients = jax.value_and_grad(loss_fn, has_aux=True)(trainable, others, x, y)
            trainable, slots = optimizer.stateless_apply(slots, gradients, trainable)
            return loss, (trainable, others, slots, metric.stateless_update_state(metrics, y, y_pred))

        state = tuple([v.value for v in group] for group in (
            model.trainable_variables, model.non_trainable_variables, optimizer.variables, metric.variables))  # fmt: skip
        before, losses = [v.numpy() for v in model.variables], []
        for _ in range(20):
            loss, state = step(state, x, y)
            losses.append(loss)
        falls(losses)
        np.testing.assert_allclose(metric.stateless_result(state[3]), np.mean(losses), rtol=1e-4)
        for v, value in zip(model.variables, before):  # the model itself is as it was
            np.testing.assert_array_equal(v.numpy(), value)
        for v, value in zip(model.trainable_variables, state[0]):
            v.assign(value)
        assert float(jax.jit(lambda x, y: jax.numpy.mean((model(x) - y) ** 2))(x, y)) < float(losses[0])


# ------------------------------------------------------------------------------------------------- train_step, in the three styles of Keras


def fitted(cls, **kwargs):
    core.utils.set_random_seed(0)
    model = cls()
    model.compile(optimizer=core.optimizers.Adam(0.05), loss="mse", metrics=["mae"], **kwargs)
    history = model.fit(*data(), batch_size=16, epochs=5, verbose=0, shuffle=False).history
    falls(history["loss"])
    assert "mae" in history or "mean_absolute_error" in history, history
    return history


def test_train_step_with_a_gradient_tape():
    tf = pytest.importorskip("tensorflow")

    class Custom(MyModel):
        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                y_pred = self(x, training=True)
                loss = self.compute_loss(y=y, y_pred=y_pred)
            trainable_vars = self.trainable_variables
            gradients = tape.gradient(loss, trainable_vars)
            self.optimizer.apply(gradients, trainable_vars)
            for metric in self.metrics:
                if metric.name == "loss":
                    metric.update_state(loss)
                else:
                    metric.update_state(y, y_pred)
            return {m.name: m.result() for m in self.metrics}

    with active("tensorflow"):
        fitted(Custom)


def test_train_step_with_backward():
    torch = pytest.importorskip("torch")

    class Custom(MyModel):
        def train_step(self, data):
            x, y = data
            self.zero_grad()
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred)
            loss.backward()
            trainable_weights = [v for v in self.trainable_weights]
            gradients = [v.value.grad for v in trainable_weights]
            with torch.no_grad():
                self.optimizer.apply(gradients, trainable_weights)
            for metric in self.metrics:
                if metric.name == "loss":
                    metric.update_state(loss)
                else:
                    metric.update_state(y, y_pred)
            return {m.name: m.result() for m in self.metrics}

    with active("torch"):
        fitted(Custom)


def test_stateless_train_step():
    jax = pytest.importorskip("jax")

    class Custom(MyModel):
        def train_step(self, state, data):
            trainable_variables, non_trainable_variables, optimizer_variables, metrics_variables = state
            x, y = data
            grad_fn = jax.value_and_grad(self.compute_loss_and_updates, has_aux=True)
            (loss, (unscaled, y_pred, non_trainable_variables, metrics_variables)), grads = grad_fn(
                trainable_variables, non_trainable_variables, metrics_variables, x, y, None, training=True,
                optimizer_variables=optimizer_variables,
            )  # fmt: skip
            trainable_variables, optimizer_variables = self.optimizer.stateless_apply(optimizer_variables, grads, trainable_variables)
            new_metrics_vars, logs = [], {}
            for metric in self.metrics:
                this = metrics_variables[len(new_metrics_vars) : len(new_metrics_vars) + len(metric.variables)]
                seen = (loss,) if metric.name == "loss" else (y, y_pred)
                this = metric.stateless_update_state(this, *seen)
                logs[metric.name] = metric.stateless_result(this)
                new_metrics_vars += this
            return logs, (trainable_variables, non_trainable_variables, optimizer_variables, new_metrics_vars)

    with active("jax"):
        history = fitted(Custom)
        plain = fitted(MyModel)
        np.testing.assert_allclose(history["loss"], plain["loss"], rtol=2e-3)


# ------------------------------------------------------------------------------------------------- written once


class Once(MyModel):
    def train_step(self, batch):
        x, y = batch

        def loss_fn():
            y_pred = self(x, training=True)
            return ops.mean(ops.square(y - y_pred)), y_pred

        (loss, y_pred), gradients = core.value_and_grad(loss_fn, self.trainable_variables, has_aux=True)()
        self.optimizer.apply(gradients, self.trainable_variables)
        return {**self.compute_metrics(x, y, y_pred), "loss": loss}


def test_one_train_step_runs_under_fit(trains):
    fitted(Once)


def test_one_loop_gives_the_same_losses_everywhere():
    losses = {}
    for name in TRAINING:
        with active(name):
            core.utils.set_random_seed(3)
            optimizer = core.optimizers.Adam(0.05)
            model = core.Sequential([layers.Dense(8, activation="tanh"), layers.Dropout(0.0), layers.Dense(1)])
            model.build((None, 4))
            optimizer.build(model.trainable_variables)

            @core.jit
            def step(x, y, model=model, optimizer=optimizer):
                variables = model.trainable_variables
                loss, gradients = core.value_and_grad(lambda: ops.mean(ops.square(model(x, training=True) - y)), variables)()
                optimizer.apply(gradients, variables)
                return loss

            x, y = map(ops.convert_to_tensor, data())
            losses[name] = [float(step(x, y)) for _ in range(20)]
    falls(losses["jax"])
    for name in TRAINING[1:]:
        np.testing.assert_allclose(losses[name], losses["jax"], rtol=1e-4, err_msg=name)
