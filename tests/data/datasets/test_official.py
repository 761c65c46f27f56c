"""The official counts add up as the papers say."""

from lssat.data.datasets import official


def test_official_counts_add_up() -> None:
    assert {key: 2 * n for key, n in official.FFPP_PAIRS.items()} == official.FFPP_ORIGINALS
    assert sum(official.FFPP_ORIGINALS.values()) == 1_000
    assert sum(official.CELEBA.values()) == 202_599
    assert sum(official.CELEBDF_TEST.values()) == 518
    assert all(official.CELEBDF_TEST[name] < n for name, n in official.CELEBDF.items())
    assert sum(official.AFFECTNET_CSV["train"].values()) == 414_799
    assert sum(official.AFFECTNET_CSV["val"].values()) == 5_500
    assert sum(official.AFFECTNET_NPY["train"].values()) == 287_651
    assert sum(official.AFFECTNET_NPY["val"].values()) == 3_999
    assert sum(official.DFDC["train"].values()) == 119_154
    assert sum(official.DFDC["test"].values()) == 5_000
