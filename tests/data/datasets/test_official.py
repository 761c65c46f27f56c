"""The official counts add up as the papers say."""

from lssat.data.datasets import celeba, celebdf, dfd, dfdc, ffpp
from lssat.data.datasets.affectnet import codes


def test_official_counts_add_up() -> None:
    assert {subset for subset, _ in dfd.OFFICIAL} == set(dfd.SUBSETS)
    assert sum(ffpp.ORIGINALS.values()) == 1_000
    assert sum(celeba.IMAGES.values()) == 202_599
    assert sum(celebdf.TESTED.values()) == 518
    assert all(celebdf.TESTED[name] < n for name, n in celebdf.VIDEOS.items())
    assert sum(codes.CSV["train"].values()) == 414_799
    assert sum(codes.CSV["val"].values()) == 5_500
    assert sum(codes.NPY["train"].values()) == 287_651
    assert sum(codes.NPY["val"].values()) == 3_999
    assert sum(dfdc.VIDEOS["train"].values()) == 119_154
    assert sum(dfdc.VIDEOS["test"].values()) == 5_000
