"""Training cools down before it stops."""

import numpy as np
import pytest

import core
from bayes.workflows.cooling import CoolDown, CoolingSchedule


def schedule(rate=0.1):
    return CoolingSchedule(core.optimizers.schedules.ExponentialDecay(rate, 10, 0.5))


def test_another_schedule_until_it_cools():
    rates = schedule()
    assert np.isclose(float(rates(10)), 0.05)
    rates.cool(start=10, steps=4, height=0.02)
    np.testing.assert_allclose([float(rates(step)) for step in (0, 10, 12, 14, 20)], [0.1, 0.02, 0.01, 0, 0], atol=1e-7)
    rates.warm()
    assert np.isclose(float(rates(10)), 0.05)


def test_an_optimizer_with_it_survives_a_file():
    optimizer = core.optimizers.Adam(schedule(0.3))
    again = core.optimizers.deserialize(core.optimizers.serialize(optimizer))
    assert np.isclose(float(again.learning_rate), 0.3)


@pytest.mark.parametrize("backend", ["torch", "jax", "tensorflow"])
def test_training_goes_back_to_the_best_weights_and_cools_down_from_them(backend):
    class Validation(core.callbacks.Callback):
        """A validation loss that is best in the second epoch, and then again in the first of the cooling."""

        def on_epoch_begin(self, epoch, logs=None):
            self.starts.append(self.model.get_weights()[0].copy())
            rates.append(float(self.model.optimizer.learning_rate))

        def on_epoch_end(self, epoch, logs=None):
            logs["val_loss"] = [3.0, 2.0, 2.5, 2.6, 1.0, 1.5, 1.6][epoch]
            self.ends.append(self.model.get_weights()[0].copy())

    watch, rates = Validation(), []
    watch.starts, watch.ends = [], []
    with core.backend.use(backend):
        core.utils.set_random_seed(0)
        model = core.Sequential([core.Input((2,)), core.layers.Dense(1)])
        own = CoolingSchedule(core.optimizers.schedules.ExponentialDecay(0.1, 1000, 0.5))
        model.compile(core.optimizers.SGD(own), "mse")
        x = np.random.default_rng(0).normal(size=(32, 2)).astype("float32")
        stop = CoolDown(own, patience=2, epochs=3, height=0.2)
        history = model.fit(x, x @ [[1.0], [2.0]], batch_size=8, epochs=20, verbose=0, callbacks=[watch, stop])
        weights = model.get_weights()[0]
    assert len(history.epoch) == 7  # best in the second, two more, three of cooling
    np.testing.assert_allclose(watch.starts[4], watch.ends[1])  # cooling begins with the best weights
    assert rates[3] > 0.09 and np.isclose(rates[4], 0.2 * rates[3], rtol=0.02) and rates[4] > rates[5] > rates[6]
    np.testing.assert_allclose(weights, watch.ends[4])  # the best of all
