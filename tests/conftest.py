"""What all tests share: drawing helpers beside them can be imported; the built-in sample."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def sample_trees(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The roots of the built-in sample's trees, with fewer people, drawn once."""
    import small_sample

    folder = tmp_path_factory.mktemp("sample")
    return {tree: small_sample.draw(tree, folder) for tree in small_sample.OWN}


@pytest.fixture(scope="session")
def sample_data(
    sample_trees: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """What the data steps made of each tree, once: folders of faces/, texture/ and splits/."""
    import small_sample

    made = {tree: tmp_path_factory.mktemp(f"prepared-{tree}") for tree in sample_trees}
    for tree, root in sample_trees.items():
        small_sample.prepare(tree, root, made[tree])
    return made
