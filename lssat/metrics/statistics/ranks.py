"""Ranks of several treatments over blocks: Friedman's test, and Nemenyi's between each two."""

import itertools
import math
from typing import NamedTuple

import numpy as np
from scipy.stats import friedmanchisquare, rankdata, studentized_range

_PERMUTATIONS = 9999


class Ranked(NamedTuple):
    """What ranks of k treatments over n blocks show; nan and no groups where there is no test."""

    mean_ranks: np.ndarray  # (k,), 1 is the best
    statistic: float  # Friedman's chi-square, corrected for ties
    p: float  # of it
    p_permuted: float  # of it among permutations within blocks: right with few blocks as well
    cd: float  # two treatments differ when their mean ranks are at least so far apart
    p_pairs: np.ndarray  # (k, k), Nemenyi's p-values
    groups: list[list[int]]  # largest sets of treatments that are not shown to differ, by rank
    note: str | None


def friedman(values: np.ndarray, alpha: float = 0.05) -> Ranked:
    """Rank treatments within each block and test whether they differ.

    Demsar 2006, sections 3.2.2 and 3.2.4. Ranks make blocks comparable whose metrics are not.

    Args:
        values: (n, k), a score of each treatment in each block, higher is better; finite.
        alpha: level of the critical difference.

    Returns:
        ranks always; tests only of three treatments or more over two blocks or more, of which
        one has no ties throughout, else a note. The p-values hold for independent blocks.
    """
    values = np.asarray(values, dtype=float)
    blocks, treatments = values.shape
    if not blocks:
        return _untested(np.full(treatments, np.nan), "no test: there is no block")
    ranks = rankdata(-values, axis=1)
    mean = ranks.mean(axis=0)
    if note := _undefined(ranks):
        return _untested(mean, note)
    statistic, p = friedmanchisquare(*values.T)
    step = np.sqrt(treatments * (treatments + 1) / (6 * blocks))
    apart = np.abs(mean[:, None] - mean[None, :]) / step
    pairs = studentized_range.sf(apart * np.sqrt(2), treatments, np.inf)
    cd = float(studentized_range.isf(alpha, treatments, np.inf) / np.sqrt(2) * step)
    pairs, groups = np.clip(pairs, 0, 1), _groups(mean, cd)
    return Ranked(mean, float(statistic), float(p), _permuted(ranks), cd, pairs, groups, None)


def _untested(mean: np.ndarray, note: str) -> Ranked:
    nothing = np.full((len(mean), len(mean)), np.nan)
    return Ranked(mean, np.nan, np.nan, np.nan, np.nan, nothing, [], note)


def _undefined(ranks: np.ndarray) -> str | None:
    blocks, treatments = ranks.shape
    if treatments < 3:
        return f"no test: Friedman's needs 3 to compare, there are {treatments}"
    if blocks < 2:
        return "no test: Friedman's needs 2 blocks, there is 1"
    if (ranks == ranks[:, :1]).all():
        return "no test: all are tied in every block"
    return None


def _permuted(ranks: np.ndarray) -> float:
    """Return the share of permutations within blocks whose rank sums are as far apart.

    Of all permutations, where they are few (of all blocks but one, which names the treatments);
    else of as many draws.
    """
    blocks, treatments = ranks.shape
    observed = (ranks.sum(axis=0) ** 2).sum() - 1e-9
    if math.factorial(treatments) ** (blocks - 1) <= _PERMUTATIONS:
        orders = np.array(list(itertools.permutations(range(treatments))))
        sums = ranks[:1]
        for block in ranks[1:]:
            sums = (sums[:, None] + block[orders][None]).reshape(-1, treatments)
        return float(((sums**2).sum(axis=1) >= observed).mean())
    rng = np.random.default_rng(0)
    drawn = rng.permuted(np.broadcast_to(ranks, (_PERMUTATIONS, *ranks.shape)), axis=2)
    as_far = ((drawn.sum(axis=1) ** 2).sum(axis=1) >= observed).sum()
    return float((as_far + 1) / (_PERMUTATIONS + 1))


def _groups(mean: np.ndarray, cd: float) -> list[list[int]]:
    order = np.argsort(mean, kind="stable")
    groups: list[list[int]] = []
    for start in range(len(order)):
        near = [int(i) for i in order[start:] if mean[i] - mean[order[start]] < cd]
        if len(near) > 1 and not any(set(near) <= set(known) for known in groups):
            groups.append(near)
    return groups
