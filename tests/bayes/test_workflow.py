"""The workflow: all ways to train, supports, early stopping, invalid simulations, diagnostics."""

import numpy as np
import pytest

import core
from bayes import Adapter, BasicWorkflow, make_simulator, priors, simulators
from bayes.networks import CouplingFlow

NAMES = {"inference_variables": "parameters", "inference_conditions": "observables"}


def small(**kwargs):
    return CouplingFlow(transform="affine", depth=1, subnet_kwargs={"widths": (8,)}, **kwargs)


def workflow(simulator=None, **kwargs):
    return BasicWorkflow(simulator or simulators.TwoMoons(), inference_network=small(), **{**NAMES, **kwargs})


@pytest.fixture(autouse=True)
def _torch():
    with core.backend.use("torch"):
        core.utils.set_random_seed(0)
        yield


@pytest.mark.parametrize("backend", ["jax", "torch", pytest.param("tensorflow", marks=pytest.mark.slow)])
def test_gaussian_posterior_is_recovered(backend):
    """Training on the linear Gaussian task comes near its exact posterior, N(x / 2, 0.05 I)."""
    task = simulators.GaussianLinear(D=2)
    with core.backend.use(backend):
        core.utils.set_random_seed(0)
        flow = workflow(task, initial_learning_rate=1e-2)
        history = flow.fit_offline(task.sample(2600, seed=0), epochs=15, verbose=0, seed=0)
        assert set(history.history) == {"loss", "val_loss"}
        x = task.sample(40, seed=1)["observables"]
        draws = flow.sample(num_samples=1000, conditions={"observables": x}, seed=0)["parameters"]
    assert draws.shape == (40, 1000, 2)
    assert np.abs(draws.mean(axis=1) - x / 2).mean() < 0.04 and abs(draws.std(axis=1).mean() / np.sqrt(0.05) - 1) < 0.1


def test_training_online_and_from_disk(tmp_path):
    flow = workflow()
    assert len(flow.fit_online(epochs=2, num_batches_per_epoch=3, batch_size=16, verbose=0, seed=0).history["val_loss"]) == 2
    for i in range(20):
        np.savez(tmp_path / f"{i}.npz", **{k: v[0] for k, v in simulators.TwoMoons().sample(1, seed=i).items()})
    history = flow.fit_disk(tmp_path, batch_size=8, epochs=2, verbose=0, validation_data=30, keep_optimizer=True)
    assert len(history.history["loss"]) == 2 and "val_loss" in history.history


def test_pickles_are_not_read(tmp_path):
    (tmp_path / "a.pkl").write_bytes(b"\x80\x04.")
    with pytest.raises(core.saving.UnsafeArtifactError, match="load_fn"):
        workflow().fit_disk(tmp_path, pattern="*.pkl", batch_size=1, epochs=1)
    (tmp_path / "b.npz").write_bytes(b"\x80\x04.")
    with pytest.raises(core.saving.CorruptArtifactError):
        workflow().fit_disk(tmp_path, batch_size=1, epochs=1)


def test_samples_never_leave_the_support():
    """An untrained flow knows nothing of the box; the bijection does."""
    flow = workflow()
    flow.fit_offline(simulators.TwoMoons().sample(64, seed=0), epochs=1, verbose=0)
    draws = flow.sample(num_samples=5000, conditions={"observables": np.array([[50.0, -50.0]])}, seed=0)["parameters"]
    assert np.all(np.abs(draws) <= 1)
    model = make_simulator([{"theta": priors.Normal(0, 1), "s": priors.HalfNormal(1.0)}, lambda theta, s, rng: {"x": rng.normal(theta, s)}])
    both = BasicWorkflow(model, inference_network=small(), inference_variables=["theta", "s"], inference_conditions="x")
    both.fit_offline(model.sample(64, seed=0), epochs=1, verbose=0)
    draws = both.sample(num_samples=5000, conditions={"x": np.array([[9.0]])}, seed=0)
    assert np.all(draws["s"] >= 0) and np.any(draws["theta"] < 0) and draws["theta"].shape == (1, 5000, 1)


def test_the_users_own_adapter_keeps_its_way():
    rename = Adapter().rename("parameters", "inference_variables").rename("observables", "inference_conditions")
    assert "Constrain" in repr(BasicWorkflow(simulators.TwoMoons(), adapter=rename).adapter)
    own = Adapter().constrain("parameters", lower=-2, upper=2).extend(rename)
    assert repr(BasicWorkflow(simulators.TwoMoons(), adapter=own).adapter) == repr(own)


def test_the_best_weights_come_back():
    """With a rate that ruins the weights later, the loss at the end is the lowest one seen."""
    flow = workflow(optimizer=core.optimizers.SGD(5.0, global_clipnorm=1.0))
    data = simulators.TwoMoons().sample(500, seed=0)
    history = flow.fit_offline(data, epochs=12, verbose=0, seed=0, validation_data=data, early_stopping=3)
    losses = history.history["val_loss"]
    assert len(losses) < 12 or np.argmin(losses) >= 8
    assert abs(-flow.log_prob(data).mean() - _in_units(flow, data, min(losses))) < 1e-2


def _in_units(flow, data, loss):
    """A loss of standardized, unbounded parameters as one in the simulator's units."""
    _, log_det = flow.adapter(data, log_det_jac=True)
    standardizer = flow.approximator.standardizers["inference_variables"]
    return loss - np.mean(log_det["inference_variables"]) - float(core.ops.convert_to_numpy(standardizer.log_det()))


def test_simulations_that_are_not_finite():
    data = simulators.TwoMoons().sample(100, seed=0)
    data["observables"][:3] = np.nan
    with pytest.raises(ValueError, match="3 of 100 simulations"):
        workflow().fit_offline(data, epochs=1, verbose=0, early_stopping=False)
    with pytest.warns(UserWarning, match="3 of 100 simulations"):
        workflow().fit_offline(data, epochs=1, verbose=0, early_stopping=False, invalid="drop")
    sometimes = make_simulator([lambda rng: {"parameters": rng.normal(), "observables": rng.choice([0.0, np.inf])}])
    with pytest.warns(UserWarning, match="were dropped"):
        workflow(sometimes).fit_online(epochs=1, num_batches_per_epoch=2, batch_size=8, verbose=0, invalid="drop", early_stopping=False)


def test_diagnostics_are_tables_and_pictures():
    flow = workflow()
    flow.fit_online(epochs=1, num_batches_per_epoch=2, batch_size=16, verbose=0)
    table = flow.compute_default_diagnostics(test_data=30, num_samples=20)
    assert list(table.columns) == ["parameters_0", "parameters_1"]
    assert list(table.index) == ["NRMSE", "Log Gamma", "Calibration Error", "Posterior Contraction"]
    figures = flow.plot_default_diagnostics(test_data=30, num_samples=20)
    assert list(figures) == ["losses", "recovery", "calibration_ecdf", "coverage", "z_score_contraction"]
    draws = flow.sample(num_samples=3, conditions={"observables": np.zeros((2, 2))}, seed=0)
    frame = flow.samples_to_data_frame(draws)
    assert frame.shape == (6, 2) and np.array_equal(frame.loc[(1, 2)].to_numpy(), draws["parameters"][1, 2])


def test_sets_go_through_a_summary_network():
    task = simulators.GaussianLinear(D=2, n_obs=6)

    @core.saving.register_keras_serializable("tests")
    class Mean(core.layers.Layer):
        def call(self, x, training=False):
            return core.ops.mean(x, axis=1)

        def compute_output_shape(self, input_shape):
            return (input_shape[0], input_shape[-1])

    flow = BasicWorkflow(
        task, inference_network=small(), summary_network=Mean(), inference_variables="parameters", summary_variables="observables"
    )
    flow.fit_offline(task.sample(256, seed=0), epochs=1, verbose=0)
    x = task.sample(3, seed=1)["observables"]
    assert flow.sample(num_samples=4, conditions={"observables": x}, seed=0)["parameters"].shape == (3, 4, 2)
    assert flow.approximator.summarize({"observables": x}).shape == (3, 2)
    with pytest.raises(ValueError, match="no summary network"):
        BasicWorkflow(task, inference_network=small(), inference_variables="parameters", summary_variables="observables").fit_offline(
            task.sample(64, seed=0), epochs=1, verbose=0
        )


ERRORS = {
    "no names": (lambda: BasicWorkflow(simulators.TwoMoons()), "names of the parameters"),
    "network": (lambda: BasicWorkflow(simulators.TwoMoons(), inference_network="flo", **NAMES), "no inference network 'flo'"),
    "no simulator": (lambda: BasicWorkflow(inference_network=small(), **NAMES).fit_online(epochs=1), "no simulator"),
    "policy": (lambda: workflow().fit_offline(simulators.TwoMoons().sample(9), invalid="x"), "invalid must be one of"),
    "too few": (lambda: workflow().fit_offline(simulators.TwoMoons().sample(2), verbose=0), "leaves one part empty"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_teach(name):
    call, match = ERRORS[name]
    with pytest.raises(ValueError, match=match):
        call()
