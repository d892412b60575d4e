"""The weights of trials on disk: which there are, and which are still needed. All others are deleted while the search runs."""

from __future__ import annotations

import json
import pathlib
import shutil
from collections.abc import Sequence
from typing import Any

from core.saving import CorruptArtifactError
from tuner.samplers import HyperbandSampler, Sampler
from tuner.samplers.hyperband import brackets
from tuner.study.record import StudyTrial

BEST, LAST, BUILD = "checkpoint.weights.h5", "last_{}.weights.h5", "build_config.json"  # the last states are numbered by execution


class Checkpoints:
    """The folders of a search's trials, one a trial.

    Two files may be in one: the weights of the best epoch, which `get_best_models` loads, and the state (weights and optimizer) after the
    last epoch, from which a promoted trial goes on.

    Args:
        folder: the search's.
        keep: how many of the best trials keep their weights.
    """

    def __init__(self, folder: pathlib.Path, keep: int):
        if not isinstance(keep, int) or isinstance(keep, bool) or keep < 0:
            raise ValueError(f"keep must be a number of trials from 0 on, got {keep!r}.")
        self.folder, self.keep = folder, keep

    def path(self, trial_id: str, name: str) -> pathlib.Path:
        """Where a file of a trial is."""
        return self.folder / f"trial_{trial_id}" / name

    def save(self, model: Any, trial_id: str, name: str) -> None:
        """Writes the model's weights and its optimizer's state."""
        path = self.path(trial_id, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        model.save_weights(path, overwrite=True)
        config = model.get_build_config()
        if config is not None:
            self.path(trial_id, BUILD).write_text(json.dumps(config))

    def load(self, model: Any, trial_id: str, name: str) -> None:
        """Loads what `save` wrote into a model of the same build.

        Raises:
            FileNotFoundError: there is no such file (any more).
            CorruptArtifactError: it is damaged.
        """
        path = self.path(trial_id, name)
        if not path.is_file():
            raise FileNotFoundError(
                f"Trial {trial_id} has no {name} (any more) in {str(self.folder)!r}; `keep={self.keep}` trials keep theirs."
            )
        build = self.path(trial_id, BUILD)
        if not model.built and build.is_file():
            try:
                config = json.loads(build.read_text())
            except ValueError as error:
                raise CorruptArtifactError(f"{str(build)!r} cannot be read: {error}.") from None
            model.build_from_config(config)
        if getattr(model, "optimizer", None) is not None and not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        model.load_weights(path)

    def sweep(self, trials: Sequence[StudyTrial], ranked: Sequence[StudyTrial], sampler: Sampler, name: Any) -> None:
        """Deletes what neither the best `keep` trials, nor a running one, nor a promotion to come needs."""
        open_ones = {t.number for t in trials if not t.finished}
        parents = {t.parent for t in trials if not t.finished and t.parent is not None}
        best = {t.number for t in ranked[: self.keep]}
        promotable = open_promotions(sampler, trials)
        for trial in trials:
            folder = self.folder / f"trial_{name(trial.number)}"
            if not folder.is_dir():
                continue
            number = trial.number
            if number not in open_ones | parents | promotable:
                for last in folder.glob(LAST.format("*")):
                    last.unlink(missing_ok=True)
            if number not in open_ones | best:
                (folder / BEST).unlink(missing_ok=True)
            if number not in open_ones | parents | promotable | best:
                shutil.rmtree(folder, ignore_errors=True)


def open_promotions(sampler: Sampler, trials: Sequence[StudyTrial]) -> set[int]:
    """The numbers of trials that Hyperband may still promote: those among as many best ones as the next round takes, not taken yet."""
    if not isinstance(sampler, HyperbandSampler):
        return set()
    found: set[int] = set()
    parents = {t.parent for t in trials}
    for bracket, rounds in enumerate(brackets(sampler.max_resource, sampler.factor)):
        for level, following in enumerate(rounds[1:]):
            for iteration in range(sampler.iterations):
                place = {"iteration": iteration, "bracket": bracket, "round": level}
                members = [t for t in trials if t.usable and all(t.notes.get(key) == value for key, value in place.items())]
                members.sort(key=lambda t: (t.score, t.number))
                found |= {t.number for t in members[: following.trials] if t.number not in parents}
    return found
