"""What metrics of decisions rest on: counts of samples, and what each sample moves."""

from functools import cached_property

import numpy as np


def predicted(kind: str, scores: np.ndarray) -> np.ndarray:
    """Return the predicted classes: the largest score's index, or 1 from a probability of 0.5."""
    return scores.argmax(axis=1) if kind == "multiclass" else (scores >= 0.5).astype(int)


def one_hot(labels: np.ndarray, classes: int) -> np.ndarray:
    """Return labels (N,) as indicators (N, classes) of 0 and 1."""
    return (labels[:, None] == np.arange(classes)).astype(int)


def confusion(labels: np.ndarray, chosen: np.ndarray, classes: int) -> np.ndarray:
    """Return the counts (K, K) of samples by their class (rows) and the predicted one (columns)."""
    cells = np.asarray(labels).astype(int) * classes + chosen
    return np.bincount(cells, minlength=classes**2).reshape(classes, classes)


def share(part: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Return the influence of each sample on the share of `part` in `of`, both (N, C) of 0 and 1.

    `part` is in `of`. nan where `of` is empty.
    """
    whole = of.sum(axis=0)
    return (part - of * (part.sum(axis=0) / whole)) / whole


class Decisions:
    """The questions that a task asks of its samples, and what is decided.

    Args:
        kind: of the task.
        labels, scores: as for `lssat.metrics.prepare`.
    """

    def __init__(self, kind: str, labels: np.ndarray, scores: np.ndarray):
        labels, chosen = np.asarray(labels), predicted(kind, np.asarray(scores))
        if kind == "multiclass":
            labels, chosen = (one_hot(values, scores.shape[1]) for values in (labels, chosen))
        self.kind = kind
        self.truth, self.said = (values.reshape(len(values), -1) for values in (labels, chosen))
        self.questions = self.truth.shape[1]

    @cached_property
    def hit(self) -> np.ndarray:
        """(N, C), 1 where a yes is right."""
        return self.truth * self.said

    @cached_property
    def right(self) -> np.ndarray:
        """(N, C), 1 where the answer is right."""
        return (self.truth == self.said).astype(float)

    @cached_property
    def top1(self) -> np.ndarray:
        """Influence (N,) on the share of samples all of whose answers are right."""
        right = (self.right.min(axis=1) == 1).astype(float)
        return share(right, np.ones_like(right))

    @cached_property
    def recall(self) -> np.ndarray:
        """Influence (N, C) on the share of yes that is found."""
        return share(self.hit, self.truth)

    @cached_property
    def balanced(self) -> np.ndarray:
        """Influence (N, C) on the recall of a class, or the mean of yes and no of a question."""
        if self.kind == "multiclass":
            return self.recall
        no = 1 - self.truth
        return (self.recall + share(no * self.right, no)) / 2

    @cached_property
    def f1(self) -> np.ndarray:
        """Influence (N, C) on F1; nan where it is undefined."""
        support = self.truth.sum(axis=0)
        total = support + self.said.sum(axis=0)
        f1 = 2 * self.hit.sum(axis=0) / total
        moved = (2 * self.hit - f1 * (self.truth + self.said)) / total
        moved[:, _undefined(self.kind, support, len(self.truth))] = np.nan
        return moved


class Counts:
    """How many samples there are, under b weightings of them at a time.

    Args:
        made: the decisions.
        weights: (b, N), how often each sample counts.
    """

    def __init__(self, answers: Decisions, weights: np.ndarray):
        real = weights.astype(float)
        sums = np.hstack(
            [answers.truth, answers.said, answers.hit, answers.right.min(axis=1, keepdims=True)]
        )
        counted = real @ sums.astype(float)
        self.kind, self.questions = answers.kind, answers.questions
        self.total = real.sum(axis=1, keepdims=True)  # (b, 1)
        self.positive, self.said, self.hits = np.split(counted[:, :-1], 3, axis=1)  # (b, C) each
        self.top1 = counted[:, -1] / self.total[:, 0]  # (b,) share that is right in all answers

    @property
    def negative(self) -> np.ndarray:
        """(b, C), samples whose answer is no."""
        return self.total - self.positive

    @property
    def refused(self) -> np.ndarray:
        """(b, C), those of them that are told no."""
        return self.total - self.positive - self.said + self.hits

    @property
    def recall(self) -> np.ndarray:
        """(b, C), nan where there is no yes."""
        return self.hits / self.positive

    @property
    def balanced(self) -> np.ndarray:
        """(b, C), the recall of a class, or the mean of yes and no of a question."""
        if self.kind == "multiclass":
            return self.recall
        return (self.recall + self.refused / self.negative) / 2

    @property
    def f1(self) -> np.ndarray:
        """(b, C), nan where it is undefined."""
        undefined = _undefined(self.kind, self.positive, self.total)
        return np.where(undefined, np.nan, 2 * self.hits / (self.positive + self.said))


def _undefined(kind: str, positive: np.ndarray, total: np.ndarray | int) -> np.ndarray:
    """Say which questions have no F1: a class that is absent, an attribute that is constant."""
    return (positive == 0) | ((kind != "multiclass") & (positive == total))
