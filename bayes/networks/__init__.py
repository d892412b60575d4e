"""Networks of amortized inference: densities (`CouplingFlow`, `FlowMatching`), and summaries of sets and series for them."""

from bayes.networks.coupling_flow import CouplingFlow
from bayes.networks.deep_set import DeepSet
from bayes.networks.flow_matching import FlowMatching
from bayes.networks.inference_network import InferenceNetwork
from bayes.networks.mlp import MLP
from bayes.networks.set_transformer import SetTransformer
from bayes.networks.summary_network import SummaryNetwork
from bayes.networks.time_mlp import FourierEmbedding, TimeMLP
from bayes.networks.time_series_network import TimeSeriesNetwork

__all__ = [
    "CouplingFlow", "DeepSet", "FlowMatching", "FourierEmbedding", "InferenceNetwork", "MLP", "SetTransformer", "SummaryNetwork",
    "TimeMLP", "TimeSeriesNetwork",
]  # fmt: skip
