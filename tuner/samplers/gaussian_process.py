"""Gaussian-process regression on the points of a space: the kernel, its fit, and the posterior with gradients.

A point becomes coordinates between which distances mean something whatever is active: a parameter with an order has one coordinate, its
place in [0, 1], and 0.5 where it is inactive; a parameter without has one coordinate per value (one of them set, none where it is
inactive). So two points at which a parameter is inactive do not differ in it, and what is learned about the shared parameters in one
branch of a space serves in all.

    k(x, x') = a (1 + sqrt(5) r + 5/3 r^2) exp(-sqrt(5) r),    r^2 = sum over parameters of w_j |x_j - x'_j|^2

with a weight w_j (one over the squared length scale) for each parameter, an amplitude a and a noise variance, all three kinds at the
maximum of the marginal likelihood times log-normal priors (Rasmussen & Williams 2006, chapters 4 and 5).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg, optimize

from tuner.samplers.warp import compressed, standardised
from tuner.space import Space

ROOT5 = math.sqrt(5.0)
LEAST_NOISE, MOST_NOISE = -16.0, 1.0  # bounds of the log of the noise variance


class Coordinates:
    """From rows of the unit cube (NaN where inactive) to kernel coordinates.

    >>> Coordinates(Space([Float("x", min_value=0, max_value=1), Boolean("b")]))(np.array([[0.2, np.nan], [0.4, 0.75]]))
    array([[0.2       , 0.        , 0.        ],
           [0.4       , 0.        , 0.70710678]])
    """

    def __init__(self, space: Space):
        self.parameters = space.parameters
        widths = [self._width(p) for p in space]
        self.owner = np.repeat(np.arange(len(space)), widths)  # of each coordinate, the column of the cube
        self.start = np.concatenate([[0], np.cumsum(widths)]).astype(int)
        self.smooth = np.array([p.ordered or p.count == 1 for p in space], dtype=bool)

    @staticmethod
    def _width(parameter) -> int:
        return 1 if parameter.ordered or parameter.count == 1 else int(parameter.count)

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """`(n, coordinates)` of rows `(n, parameters)`."""
        out = np.zeros((len(rows), len(self.owner)))
        for j in range(len(self.parameters)):
            column, start, stop = rows[:, j], self.start[j], self.start[j + 1]
            active = ~np.isnan(column)
            if self.smooth[j]:
                out[:, start] = np.where(active, column, 0.5)
            else:
                index = np.minimum((np.where(active, column, 0.0) * (stop - start)).astype(int), stop - start - 1)
                # 1/sqrt(2), so that two different values are at distance one, like the ends of an ordered parameter
                out[np.flatnonzero(active), start + index[active]] = math.sqrt(0.5)
        return out


def matern(squared: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The Matern-5/2 correlation at squared distances, and its derivative by them."""
    r = ROOT5 * np.sqrt(squared)
    decay = np.exp(-r)
    return (1.0 + r + r * r / 3.0) * decay, (-5.0 / 6.0) * (1.0 + r) * decay


@dataclass(frozen=True)
class Prior:
    """Log-normal priors `(mean of the log, standard deviation of the log)` of the kernel's numbers."""

    weight: tuple[float, float] = (0.5, 1.5)
    amplitude: tuple[float, float] = (0.0, 1.0)
    noise: tuple[float, float] = (-9.0, 3.0)

    def expecting(self, noise: float) -> Prior:
        """The prior with its middle at this variance of the noise."""
        return replace(self, noise=(min(max(math.log(max(noise, 1e-300)), LEAST_NOISE), MOST_NOISE), self.noise[1]))


class GaussianProcess:
    """A posterior over functions, given values at coordinates.

    Arguments:
        x: Coordinates `(n, coordinates)`.
        y: Values `(n,)`, standardised by the caller.
        owner: Parameter of each coordinate.
        parameters: How many parameters there are.
        prior: Priors of the kernel's numbers.
        starts: Logs of `(weights, amplitude, noise)`, one row for each start of the fit; the best end is kept.
    """

    def __init__(self, x: np.ndarray, y: np.ndarray, owner: np.ndarray, parameters: int, prior: Prior, starts: np.ndarray):
        self.x, self.y, self.owner, self.prior = x, y, owner, prior
        self.exploration = 1.0  # factor of the standard deviations that `posterior` and `slope` tell
        # Matrices are symmetric: only what lies below their diagonals is computed, and it is kept in a row.
        self._one, self._other = np.tril_indices(len(x), -1)
        self._below = self._other * len(x) + self._one  # where it lies in a matrix that LAPACK sees, column after column
        self._pairs = np.zeros((parameters, len(self._one)))
        for coordinate, j in enumerate(owner):
            self._pairs[j] += (x[self._one, coordinate] - x[self._other, coordinate]) ** 2
        mean = [prior.weight[0]] * parameters + [prior.amplitude[0], prior.noise[0]]
        spread = [prior.weight[1]] * parameters + [prior.amplitude[1], prior.noise[1]]
        self._mean, self._spread = np.array(mean), np.array(spread)
        bounds = [(-9.0, 9.0)] * parameters + [(-5.0, 5.0), (LEAST_NOISE, MOST_NOISE)]
        options = {"maxiter": 40, "ftol": 1e-6}
        fits = [optimize.minimize(self._loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options) for start in starts]
        best = min(fits, key=lambda fit: fit.fun)
        self.logs, self.loss = best.x, float(best.fun)
        self._condition()

    def _loss(self, logs: np.ndarray) -> tuple[float, np.ndarray]:
        """Minus the log of the marginal likelihood times the priors, and its gradient, by the logs of the kernel's numbers."""
        n, parameters = len(self.y), len(self._pairs)
        weights, amplitude, noise = np.exp(logs[:parameters]), math.exp(logs[-2]), math.exp(logs[-1])
        correlation, slope = matern(weights @ self._pairs)
        covariance = np.zeros(n * n)
        covariance[self._below] = amplitude * correlation
        covariance[:: n + 1] = amplitude + noise + 1e-9
        factor, failed = linalg.lapack.dpotrf(covariance.reshape(n, n, order="F"), lower=1, overwrite_a=1)
        if failed:
            return 1e25, np.zeros_like(logs)
        alpha, _ = linalg.lapack.dpotrs(factor, self.y, lower=1)
        away = (logs - self._mean) / self._spread
        loss = 0.5 * self.y @ alpha + np.log(np.diag(factor)).sum() + 0.5 * away @ away
        inverse, _ = linalg.lapack.dpotri(factor, lower=1, overwrite_c=1)
        # By the covariance, the likelihood's derivative is half of alpha alpha' minus the inverse; what is below the diagonal counts twice.
        inner = alpha[self._one] * alpha[self._other] - inverse.ravel(order="F")[self._below]
        trace = alpha @ alpha - np.trace(inverse)
        by_weight = amplitude * weights * (self._pairs @ (inner * slope))
        by_amplitude = amplitude * (inner @ correlation + 0.5 * trace)
        return loss, away / self._spread - np.concatenate([by_weight, [by_amplitude, 0.5 * noise * trace]])

    def _condition(self) -> None:
        parameters, n = len(self._pairs), len(self.y)
        weights, self.amplitude, noise = np.exp(self.logs[:parameters]), math.exp(self.logs[-2]), math.exp(self.logs[-1])
        self.noise = noise
        self.scale = np.sqrt(weights[self.owner])
        covariance = self.amplitude * matern(_squared(self.x * self.scale, self.x * self.scale))[0]
        covariance.flat[:: n + 1] += noise + 1e-9
        factor = linalg.cholesky(covariance, lower=True, check_finite=False)
        self.known, self.alpha = self.x, linalg.cho_solve((factor, True), self.y, check_finite=False)
        self._spreaders, self._root = self.x, linalg.solve_triangular(factor, np.eye(n), lower=True, check_finite=False)

    def expect(self, x: np.ndarray) -> None:
        """Takes values at `x` for given, equal to what the posterior expects there: the mean stays, the variance near `x` shrinks."""
        both = np.concatenate([self.x, x])
        correlation, _ = matern(_squared(both * self.scale, both * self.scale))
        covariance = self.amplitude * correlation
        covariance.flat[:: len(both) + 1] += self.noise + 1e-9
        factor = linalg.cholesky(covariance, lower=True, check_finite=False)
        self._spreaders, self._root = both, linalg.solve_triangular(factor, np.eye(len(both)), lower=True, check_finite=False)

    def posterior(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation `(m,)` at coordinates `(m, coordinates)`."""
        correlation, _ = matern(_squared(x * self.scale, self._spreaders * self.scale))
        covariance = self.amplitude * correlation
        mean = covariance[:, : len(self.alpha)] @ self.alpha
        half = covariance @ self._root.T
        variance = np.maximum(self.amplitude - np.einsum("ij,ij->i", half, half), 1e-12)
        return mean, self.exploration * np.sqrt(variance)

    def slope(self, x: np.ndarray) -> tuple[float, float, np.ndarray, np.ndarray]:
        """Mean and standard deviation at one point `(coordinates,)`, and their gradients."""
        away = x - self._spreaders
        correlation, by_squared = matern(np.einsum("ij,ij->i", away * self.scale, away * self.scale))
        covariance = self.amplitude * correlation
        jacobian = (2.0 * self.amplitude) * by_squared[:, None] * away * self.scale**2
        n = len(self.alpha)
        half = self._root @ covariance
        variance = max(self.amplitude - half @ half, 1e-12)
        deviation = math.sqrt(variance)
        by_x = -(self._root.T @ half) @ jacobian / deviation
        return float(covariance[:n] @ self.alpha), self.exploration * deviation, self.alpha @ jacobian[:n], self.exploration * by_x


def fitted(x: np.ndarray, scores: np.ndarray, owner: np.ndarray, parameters: int, prior: Prior | None = None) -> GaussianProcess:
    """The process of the scores, plain or compressed, whichever makes them likelier."""
    prior = prior or Prior()
    start = np.array([[prior.weight[0]] * parameters + [prior.amplitude[0], prior.noise[0]]])
    y, slopes = standardised(scores)
    process = GaussianProcess(x, y, owner, parameters, prior, start)
    middle = float(np.median(scores))
    if scores.max() - middle <= 2.0 * (middle - scores.min()):
        return process  # nothing is far out
    y, bent = compressed(scores)
    other = GaussianProcess(x, y, owner, parameters, prior, start)
    return process if process.loss - slopes < other.loss - bent else other


def _squared(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Squared distances `(n, m)` between rows."""
    out = (a * a).sum(1)[:, None] + (b * b).sum(1)[None, :] - 2.0 * (a @ b.T)
    return np.maximum(out, 0.0)
