"""Diagnostics as matplotlib figures; each function returns a `Figure`, to be shown or saved by the caller."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from bayes.diagnostics.metrics.calibration import coverage_of, expected_calibration_error
from bayes.diagnostics.metrics.recovery import correlation, posterior_contraction, posterior_z_score
from bayes.diagnostics.plots.grid import COLOR, columns_of, label, panels
from bayes.diagnostics.quantities import Arrays, quantities
from bayes.diagnostics.ranks import distance_ranks, ecdf, fractional_ranks, simultaneous_bands


def recovery(
    estimates: Arrays,
    targets: Arrays,
    variable_keys: Sequence[str] | None = None,
    variable_names: Sequence[str] | None = None,
    test_quantities: Mapping[str, Callable] | None = None,
    point_agg: Callable = np.median,
    interval: float = 0.95,
    add_corr: bool = True,
    figsize: Any = None,
    label_fontsize: int = 12,
    title_fontsize: int = 14,
    tick_fontsize: int = 10,
    color: str = COLOR,
    num_col: int | None = None,
    num_row: int | None = None,
    xlabel: str = "Ground truth",
    ylabel: str = "Estimate",
) -> Any:
    """Point estimates with central intervals over true values; on the diagonal, if recovery is perfect."""
    q = quantities(estimates, targets, variable_keys, variable_names, test_quantities)
    points = point_agg(q.draws, axis=1)
    lower, upper = np.quantile(q.draws, [(1 - interval) / 2, (1 + interval) / 2], axis=1)
    r = correlation({"v": q.draws}, {"v": q.truths}, aggregation=point_agg)["values"]
    figure, axes = panels(q.names, figsize, num_row, num_col, title_fontsize)
    for i, ax in enumerate(axes):
        spread = np.abs(np.stack([points[:, i] - lower[:, i], upper[:, i] - points[:, i]]))
        ax.errorbar(q.truths[:, i], points[:, i], yerr=spread, fmt="o", markersize=3, alpha=0.5, color=color, linewidth=0.8)
        edge = [min(q.truths[:, i].min(), points[:, i].min()), max(q.truths[:, i].max(), points[:, i].max())]
        ax.plot(edge, edge, color="black", linestyle="dashed", linewidth=1)
        if add_corr:
            ax.text(0.05, 0.92, f"r = {r[i]:.3f}", transform=ax.transAxes, fontsize=tick_fontsize)
    label(axes, columns_of(axes), xlabel, ylabel, label_fontsize, tick_fontsize)
    return figure


def calibration_ecdf(
    estimates: Arrays,
    targets: Arrays,
    variable_keys: Sequence[str] | None = None,
    variable_names: Sequence[str] | None = None,
    test_quantities: Mapping[str, Callable] | None = None,
    difference: bool = True,
    stacked: bool = False,
    rank_type: str = "fractional",
    level: float = 0.95,
    figsize: Any = None,
    label_fontsize: int = 12,
    title_fontsize: int = 14,
    tick_fontsize: int = 10,
    rank_ecdf_color: str = COLOR,
    fill_color: str = "grey",
    num_col: int | None = None,
    num_row: int | None = None,
) -> Any:
    """Distribution functions of the ranks of true values, with simultaneous bands; inside them, if the posterior is calibrated.

    Args:
        difference: whether the uniform's function is taken off.
        stacked: whether all quantities share one panel.
        rank_type: "fractional", or "distance" for one rank of all quantities together.

    Sailynoja et al. 2022 (arXiv:2103.10522).
    """
    q = quantities(estimates, targets, variable_keys, variable_names, test_quantities)
    if rank_type not in ("fractional", "distance"):
        raise ValueError(f"rank_type must be 'fractional' or 'distance', got {rank_type!r}.")
    ranks = fractional_ranks(q.draws, q.truths) if rank_type == "fractional" else distance_ranks(q.draws, q.truths)
    names = ["Stacked ECDFs"] if stacked else q.names if rank_type == "fractional" else ["Joint"]
    points, lower, upper = simultaneous_bands(len(ranks), level=level)
    base = points if difference else 0 * points
    figure, axes = panels(names, figsize, num_row, num_col, title_fontsize)
    for i, column in enumerate(ranks.T):
        ax = axes[0] if stacked else axes[i]
        ax.plot(points, ecdf(column, points) - base, color=rank_ecdf_color, alpha=0.9)
    for ax in axes:
        ax.fill_between(points, lower - base, upper - base, color=fill_color, alpha=0.25, linewidth=0)
    kind = "Fractional rank statistic" if rank_type == "fractional" else "Distance rank statistic"
    label(axes, columns_of(axes), kind, "ECDF Difference" if difference else "ECDF", label_fontsize, tick_fontsize)
    return figure


def calibration_histogram(
    estimates: Arrays,
    targets: Arrays,
    variable_keys: Sequence[str] | None = None,
    variable_names: Sequence[str] | None = None,
    test_quantities: Mapping[str, Callable] | None = None,
    figsize: Any = None,
    num_bins: int = 10,
    binomial_interval: float = 0.99,
    label_fontsize: int = 12,
    title_fontsize: int = 14,
    tick_fontsize: int = 10,
    color: str = COLOR,
    num_col: int | None = None,
    num_row: int | None = None,
) -> Any:
    """Histograms of the ranks of true values, with the interval of each bin under calibration."""
    from scipy.stats import binom

    q = quantities(estimates, targets, variable_keys, variable_names, test_quantities)
    ranks = fractional_ranks(q.draws, q.truths)
    low, high = binom.interval(binomial_interval, len(ranks), 1 / num_bins)
    figure, axes = panels(q.names, figsize, num_row, num_col, title_fontsize)
    for ax, column in zip(axes, ranks.T):
        ax.axhspan(low, high, color="gray", alpha=0.3)
        ax.axhline(len(ranks) / num_bins, color="gray", alpha=0.9)
        ax.hist(column, bins=np.linspace(0, 1, num_bins + 1), color=color, alpha=0.9, edgecolor="white")
    label(axes, columns_of(axes), "Rank statistic", "Count", label_fontsize, tick_fontsize)
    return figure


def coverage(
    estimates: Arrays,
    targets: Arrays,
    difference: bool = False,
    variable_keys: Sequence[str] | None = None,
    variable_names: Sequence[str] | None = None,
    test_quantities: Mapping[str, Callable] | None = None,
    figsize: Any = None,
    label_fontsize: int = 12,
    title_fontsize: int = 14,
    tick_fontsize: int = 10,
    color: str = COLOR,
    num_col: int | None = None,
    num_row: int | None = None,
) -> Any:
    """The share of true values in central intervals over the intervals' widths, with 95 % pointwise binomial bands."""
    from scipy.stats import beta

    widths = np.arange(1, 100) / 100
    found = coverage_of(estimates, targets, variable_keys, variable_names, test_quantities, widths=widths)
    total = len(next(iter(targets.values())) if isinstance(targets, Mapping) else targets)
    hits, base = found["values"] * total, widths if difference else 0 * widths
    figure, axes = panels(found["variable_names"], figsize, num_row, num_col, title_fontsize)
    for ax, column in zip(axes, hits.T):
        lower, upper = beta.ppf(0.025, column + 0.5, total - column + 0.5), beta.ppf(0.975, column + 0.5, total - column + 0.5)
        ax.fill_between(widths, lower - base, upper - base, color="grey", alpha=0.3, linewidth=0)
        ax.plot(widths, widths - base, color="black", linestyle="dashed", linewidth=1)
        ax.plot(widths, column / total - base, color=color)
    label(axes, columns_of(axes), "Central interval width", "Empirical coverage", label_fontsize, tick_fontsize)
    return figure


def z_score_contraction(
    estimates: Arrays,
    targets: Arrays,
    variable_keys: Sequence[str] | None = None,
    variable_names: Sequence[str] | None = None,
    test_quantities: Mapping[str, Callable] | None = None,
    figsize: Any = None,
    label_fontsize: int = 12,
    title_fontsize: int = 14,
    tick_fontsize: int = 10,
    color: str = COLOR,
    num_col: int | None = None,
    num_row: int | None = None,
) -> Any:
    """Posterior z-scores over contraction, a point a data set: ideally right of the middle, around 0."""
    given = (estimates, targets, variable_keys, variable_names, test_quantities)
    contractions = posterior_contraction(*given, aggregation=None)
    scores = posterior_z_score(*given, aggregation=None)["values"]
    figure, axes = panels(contractions["variable_names"], figsize, num_row, num_col, title_fontsize)
    for i, ax in enumerate(axes):
        ax.plot(contractions["values"][:, i], scores[:, i], "o", markersize=3, alpha=0.5, color=color)
        ax.set_xlim(-0.05, 1.05)
        ax.set_ylim(min(-3.5, scores[:, i].min() - 0.2), max(3.5, scores[:, i].max() + 0.2))
    label(axes, columns_of(axes), "Posterior contraction", "Posterior z-score", label_fontsize, tick_fontsize)
    return figure


def pairs_posterior(
    estimates: Arrays,
    targets: Arrays | None = None,
    dataset_id: int = 0,
    variable_keys: Sequence[str] | None = None,
    variable_names: Sequence[str] | None = None,
    height: float = 2.2,
    post_color: str = COLOR,
    target_color: str = "red",
    alpha: float = 0.3,
    label_fontsize: int = 12,
) -> Any:
    """Each pair of quantities as points, each quantity as a histogram, for one observation; the true values, where given, as lines."""
    blank = estimates if isinstance(estimates, Mapping) else {"v": estimates}
    placeholder = {k: np.zeros((np.shape(v)[0], *np.shape(v)[2:])) for k, v in blank.items()}
    true = placeholder if targets is None else targets if isinstance(targets, Mapping) else {"v": targets}
    q = quantities(blank, true, variable_keys, variable_names)
    draws, count = q.draws[dataset_id], len(q.names)
    figure, axes = panels([""] * count**2, (height * count, height * count), count, count, 1)
    for place, ax in enumerate(axes):
        row, column = divmod(place, count)
        if row == column:
            ax.hist(draws[:, row], bins=30, color=post_color, alpha=0.8)
        else:
            ax.plot(draws[:, column], draws[:, row], ".", markersize=2, alpha=alpha, color=post_color)
        if targets is not None:
            ax.axvline(q.truths[dataset_id, column], color=target_color, linewidth=1)
            if row != column:
                ax.axhline(q.truths[dataset_id, row], color=target_color, linewidth=1)
        ax.set_xlabel(q.names[column] if row == count - 1 else "", fontsize=label_fontsize)
        ax.set_ylabel(q.names[row] if column == 0 else "", fontsize=label_fontsize)
    return figure


def loss(
    history: Any,
    train_key: str = "loss",
    val_key: str = "val_loss",
    figsize: Any = None,
    train_color: str = COLOR,
    val_color: str = "black",
    label_fontsize: int = 12,
    title_fontsize: int = 14,
) -> Any:
    """Training and validation loss over epochs, of a `History`."""
    values = getattr(history, "history", history)
    figure, (ax,) = panels(["Loss trajectory"], figsize or (8, 4), None, None, title_fontsize)
    for key, color, name in ((train_key, train_color, "Training"), (val_key, val_color, "Validation")):
        if key in values:
            ax.plot(np.arange(1, len(values[key]) + 1), values[key], color=color, label=name)
    ax.legend()
    label([ax], 1, "Training epoch", "Loss", label_fontsize, 10)
    return figure


def mc_calibration(
    pred_models: np.ndarray,
    true_models: np.ndarray,
    model_names: Sequence[str] | None = None,
    num_bins: int = 10,
    label_fontsize: int = 12,
    title_fontsize: int = 14,
    tick_fontsize: int = 10,
    figsize: Any = None,
    color: str = COLOR,
    num_col: int | None = None,
    num_row: int | None = None,
) -> Any:
    """How often each model is true over the probability it was given; on the diagonal, if calibrated."""
    found = expected_calibration_error(pred_models, true_models, model_names, num_bins, return_probs=True)
    figure, axes = panels(found["model_names"], figsize, num_row, num_col, title_fontsize)
    for ax, error, true, predicted in zip(axes, found["values"], found["probs_true"], found["probs_pred"]):
        ax.plot(predicted, true, "o-", color=color)
        ax.plot([0, 1], [0, 1], color="black", linestyle="dashed", linewidth=1)
        ax.text(0.05, 0.92, f"ECE = {error:.3f}", transform=ax.transAxes, fontsize=tick_fontsize)
    label(axes, columns_of(axes), "Predicted probability", "True probability", label_fontsize, tick_fontsize)
    return figure


def mc_confusion_matrix(
    pred_models: np.ndarray,
    true_models: np.ndarray,
    model_names: Sequence[str] | None = None,
    fig_size: tuple = (5, 5),
    label_fontsize: int = 12,
    title_fontsize: int = 14,
    normalize: str | None = "true",
    cmap: str = "viridis",
) -> Any:
    """How often each model is chosen (columns) for each true one (rows)."""
    predicted, true = np.asarray(pred_models), np.asarray(true_models)
    count = predicted.shape[1]
    matrix = np.zeros((count, count))
    np.add.at(matrix, (true.argmax(axis=1) if true.ndim == 2 else true.astype(int), predicted.argmax(axis=1)), 1)
    if normalize == "true":
        matrix = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    elif normalize is not None:
        raise ValueError(f"normalize must be 'true' or None, got {normalize!r}.")
    names = list(model_names) if model_names is not None else [f"M_{i}" for i in range(count)]
    figure, (ax,) = panels(["Confusion matrix"], fig_size, None, None, title_fontsize)
    ax.imshow(matrix, cmap=cmap, vmin=0)
    for (row, column), value in np.ndenumerate(matrix):
        ax.text(column, row, f"{value:.2f}" if normalize else f"{int(value)}", ha="center", va="center", color="white")
    ax.set_xticks(range(count), names)
    ax.set_yticks(range(count), names)
    label([ax], 1, "Predicted model", "True model", label_fontsize, 10)
    return figure
