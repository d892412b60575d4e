"""Samplers: what to try next, as a function of what was tried."""

from tuner.samplers.bayesian import GaussianProcessSampler
from tuner.samplers.grid_search import GridSampler
from tuner.samplers.hyperband import HyperbandSampler
from tuner.samplers.random_search import RandomSampler
from tuner.samplers.sampler import Sampler, Seen, generator
from tuner.samplers.tpe import TPESampler

__all__ = ["GaussianProcessSampler", "GridSampler", "HyperbandSampler", "RandomSampler", "Sampler", "Seen", "TPESampler", "generator"]
