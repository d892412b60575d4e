"""`MaskedLMMaskGenerator`: the cloze task of BERT."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.saving import ConfigError
from hub.preprocessing.packing import as_rows


class MaskedLMMaskGenerator:
    """Picks tokens at random, hides them, and keeps what they were (Devlin et al., 2018).

    Of the picked tokens a share of `mask_token_rate` becomes the mask token, `random_token_rate` a random token, and the others stay.

    Args:
        vocabulary_size: random tokens are below it.
        mask_selection_rate: the probability with which a token is picked.
        mask_token_id: the mask token.
        mask_selection_length: most tokens picked in a sequence, and the width of what is returned about them. With None the width is that
            of the fullest row, and rows are lists.
        unselectable_token_ids: tokens that are never picked, for example padding.
        mask_token_rate, random_token_rate: shares; their sum is at most 1.
        seed: of a generator of its own; NumPy's global one where it is None.

    A call on ids (batch, time) returns a dict: `token_ids` as they came but for what was hidden, `mask_positions` and `mask_ids`
    (batch, mask_selection_length) where and what they were, in order of place, and `mask_weights`, 1 for each and 0 for padding.

    >>> generator = MaskedLMMaskGenerator(10, 1.0, mask_token_id=9, mask_selection_length=4, mask_token_rate=1.0, random_token_rate=0.0)
    >>> generator([[1, 2, 0]])["token_ids"].tolist()
    [[9, 9, 0]]
    """

    def __init__(
        self,
        vocabulary_size: int,
        mask_selection_rate: float,
        mask_token_id: int,
        mask_selection_length: int | None = None,
        unselectable_token_ids: Sequence[int] | None = (0,),
        mask_token_rate: float = 0.8,
        random_token_rate: float = 0.1,
        seed: int | None = None,
        **kwargs: Any,
    ):
        self.name = kwargs.pop("name", None)
        kwargs.pop("dtype", None)
        kwargs.pop("trainable", None)
        if kwargs:
            raise ConfigError(f"MaskedLMMaskGenerator got unexpected arguments {sorted(kwargs)}.")
        rates = {"mask_selection_rate": mask_selection_rate, "mask_token_rate": mask_token_rate, "random_token_rate": random_token_rate}
        for name, rate in rates.items():
            if not 0 <= rate <= 1:
                raise ConfigError(f"{name} must be from 0 to 1, got {rate!r}.")
        if mask_token_rate + random_token_rate > 1 + 1e-9:
            raise ConfigError(
                f"mask_token_rate and random_token_rate are shares of the same tokens and add up to at most 1, got {mask_token_rate} and "
                f"{random_token_rate}."
            )
        if not 0 <= mask_token_id < vocabulary_size:
            raise ConfigError(f"mask_token_id must be in the vocabulary, from 0 to {vocabulary_size - 1}, got {mask_token_id!r}.")
        self.vocabulary_size, self.mask_token_id = int(vocabulary_size), int(mask_token_id)
        self.mask_selection_rate, self.mask_selection_length = mask_selection_rate, mask_selection_length
        self.unselectable_token_ids = [int(i) for i in unselectable_token_ids or ()]
        self.mask_token_rate, self.random_token_rate = mask_token_rate, random_token_rate
        self.seed = seed
        self._draws = None if seed is None else np.random.default_rng(seed)

    def __call__(self, inputs: Any) -> dict[str, Any]:
        rows, single = as_rows(inputs)
        draws = self._draws or np.random.default_rng(np.random.randint(2**31, size=4))
        results = [self._hide(np.array(row, dtype="int32"), draws) for row in rows]
        ids = [hidden for hidden, _, _ in results]
        token_ids = np.stack(ids) if len({len(row) for row in ids}) <= 1 else [row.tolist() for row in ids]
        positions, originals = [found.tolist() for _, found, _ in results], [before.tolist() for _, _, before in results]
        weights = [[1.0] * len(found) for found in positions]
        columns = {"mask_positions": positions, "mask_ids": originals, "mask_weights": weights}
        output: dict[str, Any] = {"token_ids": token_ids, **{key: self._table(key, value) for key, value in columns.items()}}
        return {key: value[0] for key, value in output.items()} if single else output

    def _hide(self, ids: np.ndarray, draws: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The ids with some hidden, where those are, and what they were."""
        picked = np.flatnonzero((draws.random(len(ids)) < self.mask_selection_rate) & ~np.isin(ids, self.unselectable_token_ids))
        if self.mask_selection_length is not None and len(picked) > self.mask_selection_length:
            picked = np.sort(draws.choice(picked, self.mask_selection_length, replace=False))
        kind, random_ids = draws.random(len(picked)), draws.integers(self.vocabulary_size, size=len(picked))
        as_random = kind < self.mask_token_rate + self.random_token_rate
        hidden = ids.copy()
        hidden[picked] = np.where(kind < self.mask_token_rate, self.mask_token_id, np.where(as_random, random_ids, ids[picked]))
        return hidden, picked, ids[picked]

    def _table(self, key: str, rows: list[list]) -> Any:
        if self.mask_selection_length is None:
            return rows
        table = np.zeros((len(rows), self.mask_selection_length), "float32" if key == "mask_weights" else "int32")
        for target, row in zip(table, rows):
            target[: len(row)] = row
        return table

    def get_config(self) -> dict[str, Any]:
        return {
            "vocabulary_size": self.vocabulary_size, "mask_selection_rate": self.mask_selection_rate, "mask_token_id": self.mask_token_id,
            "mask_selection_length": self.mask_selection_length, "unselectable_token_ids": self.unselectable_token_ids,
            "mask_token_rate": self.mask_token_rate, "random_token_rate": self.random_token_rate, "seed": self.seed, "name": self.name,
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> MaskedLMMaskGenerator:
        return cls(**config)
