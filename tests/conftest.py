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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep what shares a fixture on one worker (`make test` has two, of pytest-xdist).

    A file is a group, but the files of tests/workflow, which use copies of the whole project, are
    one, and those that use the built-in sample are one: these fixtures are made once for all.
    """
    if not config.pluginmanager.hasplugin("xdist"):
        return
    shared = {"by_snakemake": "workflow", "by_dvc": "workflow", "sample_trees": "sample"}
    groups = {item.path: str(item.path) for item in items}
    for item in items:
        for fixture in shared.keys() & set(item.fixturenames):
            groups[item.path] = shared[fixture]
    for item in items:
        item.add_marker(pytest.mark.xdist_group(groups[item.path]))
