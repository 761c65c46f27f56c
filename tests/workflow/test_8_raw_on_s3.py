"""A raw tree in object storage: Snakemake and DVC agree on what a change in the bucket redoes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import trees
from helpers.object_storage import Bucket, bucket
from helpers.project import copy

pytestmark = pytest.mark.slow
NAMES = [f"{n:06}.jpg" for n in range(1, 31)]
FIRST = {"manifest@celeba", "faces@celeba"}


@pytest.fixture(scope="module")
def server() -> Iterator[Bucket]:
    with bucket() as made, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", made.url)
        yield made


def test_a_change_in_the_bucket_redoes_the_faces_in_both_tools(
    server: Bucket, tmp_path: Path
) -> None:
    trees.celeba(tmp_path / "raw", NAMES, "0" * 20 + "1" * 4 + "2" * 6, list(map(str, range(30))))
    for file in (tmp_path / "raw").rglob("*.*"):
        server.put(f"celeba/{file.relative_to(tmp_path / 'raw')}", body=file.read_bytes())
    project = copy(tmp_path / "project")
    project.params(sample={"trees": []})
    params = project.path / "params.yaml"
    text = params.read_text().replace("root: data/raw/sample/celeba", "root: s3://lssat/celeba")
    params.write_text(text)
    crops = project.path / "data/prepared/celeba/faces/shard-00000.npy"

    project.run("snakemake", "--cores", "2", "faces_celeba")
    assert FIRST.isdisjoint(project.snakemake_stale() | project.dvc_stale())
    first = crops.read_bytes()
    edited = (tmp_path / "raw/img_align_celeba" / NAMES[1]).read_bytes()
    server.put(f"celeba/img_align_celeba/{NAMES[0]}", body=edited)
    assert project.snakemake_stale() >= FIRST
    assert project.dvc_stale() >= FIRST
    project.run("dvc", "repro", "faces@celeba")
    assert crops.read_bytes() != first
    assert FIRST.isdisjoint(project.snakemake_stale() | project.dvc_stale())
