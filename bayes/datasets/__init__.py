"""Data sets of simulations: in memory, on disk, drawn as training goes."""

from bayes.datasets.disk_dataset import DiskDataset
from bayes.datasets.offline_dataset import OfflineDataset
from bayes.datasets.online_dataset import OnlineDataset

__all__ = ["DiskDataset", "OfflineDataset", "OnlineDataset"]
