"""What all tests share: the built-in sample, and how two workers share the tests."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# Two tests at a time on two cores: a pool of threads in each costs a sixth more time. Steps say
# themselves how many they take (train.threads).
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(autouse=True)
def current_folder() -> Iterator[None]:
    """Come back from where `--project` has led, a folder that may be gone by the next test."""
    before = os.getcwd()
    yield
    os.chdir(before)


@pytest.fixture(scope="session")
def sample_trees(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The roots of the built-in sample's trees, with fewer people, drawn once."""
    from helpers import once, small_sample

    def draw(folder: Path) -> None:
        for tree in small_sample.OWN:
            small_sample.draw(tree, folder)

    folder = once.made(tmp_path_factory, "sample", draw)
    return {tree: folder / tree for tree in small_sample.OWN}


@pytest.fixture(scope="session")
def sample_data(
    sample_trees: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """What the data steps made of each tree, once: folders of faces/, texture/ and splits/."""
    from helpers import once, small_sample

    def prepare(folder: Path) -> None:
        for tree, root in sample_trees.items():
            small_sample.prepare(tree, root, folder / tree)

    folder = once.made(tmp_path_factory, "prepared", prepare)
    return {tree: folder / tree for tree in sample_trees}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests of a file on one worker (`make test` has two, of pytest-xdist).

    What several files share is made once for all workers: helpers/once.py.
    """
    from xdist.scheduler import LoadFileScheduling

    config.option.loadscopereorder = False  # the order of the tests, as below
    return LoadFileScheduling(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what takes the longest where two workers share the tests: both end together."""
    if hasattr(config, "workerinput"):
        slow = {item.path for item in items if item.get_closest_marker("slow")}
        items.sort(key=lambda item: (item.path.parent.name != "workflow", item.path not in slow))
