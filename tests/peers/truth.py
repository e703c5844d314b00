"""Who is who in truth, and what an engine's answer is worth against it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

IDS = ["system_a", "id_a", "system_b", "id_b"]


def pairs_within(sizes):
    """How many pairs groups of these sizes hold."""
    sizes = np.asarray(sizes, dtype=np.int64)
    return int((sizes * (sizes - 1) // 2).sum())


def harmonic(precision, recall):
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


@dataclass
class Quality:
    """Shares from 0 to 1. The first three need every compared pair with its score."""

    best_f1: float
    recall_at_99: float
    reach: float
    default_precision: float
    default_recall: float
    cluster_f1: float

    @property
    def default_f1(self):
        return harmonic(self.default_precision, self.default_recall)


class Truth:
    """Maps `system|record_id` to a person. With `across`, only pairs of two systems count."""

    def __init__(self, system, record_id, person, across=False):
        self.person = pd.Series(np.asarray(person), index=system + "|" + record_id)
        self.across = across
        sizes = self.person.value_counts()
        self.pairs = pairs_within(sizes)

    @classmethod
    def of_table(cls, file):
        table = pd.read_csv(file, dtype=str)
        return cls(table.system, table.record_id, table.person.astype(np.int64))

    def _read(self, file, more):
        table = pd.read_csv(file, dtype=dict.fromkeys(IDS, str), usecols=IDS + more)
        if self.across:
            table = table[table.system_a != table.system_b]
        return table

    def _is_right(self, table):
        a = self.person.reindex(table.system_a + "|" + table.id_a).to_numpy()
        b = self.person.reindex(table.system_b + "|" + table.id_b).to_numpy()
        return a == b

    def scored(self, file):
        """Best F1, recall at precision .99 and reach. A threshold takes all pairs of a score or none."""
        table = self._read(file, ["score"])
        score = table.score.to_numpy()
        order = np.argsort(-score, kind="stable")
        right = np.cumsum(self._is_right(table)[order])
        taken = np.arange(1, len(order) + 1)
        is_end = np.append(np.diff(score[order]) != 0, True)[: len(order)]
        right, taken = right[is_end], taken[is_end]
        precision, recall = right / taken, right / self.pairs
        f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
        sure = recall[precision >= 0.99]
        return f1.max(initial=0), sure.max(initial=0), recall.max(initial=0)

    def linked(self, file):
        """Precision and recall of the links that an engine decided on."""
        table = self._read(file, ["decision"])
        right = self._is_right(table[table.decision == "link"])
        return right.mean() if len(right) else 0.0, right.sum() / self.pairs

    def clusters(self, file):
        """F1 of the pairs that stand in one cluster."""
        table = pd.read_csv(file, dtype=str)
        person = self.person.reindex(table.system + "|" + table.record_id).to_numpy()
        frame = pd.DataFrame({"cluster": table.cluster_id, "person": person, "system": table.system})
        together = pairs_within(frame.groupby("cluster").size())
        right = pairs_within(frame.groupby(["cluster", "person"]).size())
        return harmonic(right / max(together, 1), right / self.pairs)

    def quality(self, scores, links, clusters):
        return Quality(*self.scored(scores), *self.linked(links), self.clusters(clusters))
