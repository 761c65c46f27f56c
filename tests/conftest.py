"""What all tests share: the built-in sample, and how two workers share the tests."""

import os
from collections.abc import Iterator
from functools import cache
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
    from helpers import small_sample

    folder = tmp_path_factory.mktemp("sample")
    return {tree: small_sample.draw(tree, folder) for tree in small_sample.OWN}


@pytest.fixture(scope="session")
def sample_data(
    sample_trees: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """What the data steps made of each tree, once: folders of faces/, texture/ and splits/."""
    from helpers import small_sample

    made = {tree: tmp_path_factory.mktemp(f"prepared-{tree}") for tree in sample_trees}
    for tree, root in sample_trees.items():
        small_sample.prepare(tree, root, made[tree])
    return made


# What is made once for a whole session, and the group of the files that use it.
_SHARED = {
    **{"by_snakemake": "workflow", "by_dvc": "workflow"},
    **{"sample_data": "sample", "sample_trees": "sample"},
}


@cache
def _group(file: Path) -> str:
    text = file.read_text()
    return next((group for fixture, group in _SHARED.items() if fixture in text), str(file))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep what shares a fixture on one worker (`make test` has two, of pytest-xdist).

    A file is a group, but the files of tests/workflow, which use copies of the whole project, are
    one, and those that use the built-in sample are one: these fixtures are made once for all.
    Not by xdist's own groups: xdist 3.8 writes them into names that pytest 9.2 does not look at.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Grouped(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _group(config.rootpath / nodeid.split("::")[0])

    config.option.loadscopereorder = False  # the order of the tests, as below
    return Grouped(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what takes the longest where two workers share the tests: both end together."""
    if hasattr(config, "workerinput"):
        slow = {item.path for item in items if item.get_closest_marker("slow")}
        items.sort(key=lambda item: (item.path.parent.name != "workflow", item.path not in slow))
