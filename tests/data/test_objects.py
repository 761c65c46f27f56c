"""Raw trees in object storage: an S3 server on this machine, and the bytes of a local tree."""

import os
import platform
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from helpers import ROOT, own, preset, sick, trees
from helpers.object_storage import Bucket, bucket

from lssat import params
from lssat.data import datasets, doctor, faces, formats, media
from lssat.data.media.copies import AHEAD
from lssat.data.preflight import files
from lssat.params import init
from lssat.tables import REJECTS, DataError, digest, read_table, s3, s3_addresses
from lssat.tables.project import Data, Project

CASES = [
    *(("ffpp", kind) for kind in ("list a page", "method misspelt", "video missing")),
    *(("celeba", kind) for kind in ("list missing", "identities cut", "image missing")),
]


@pytest.fixture(scope="module")
def server() -> Iterator[Bucket]:
    with bucket() as made, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", made.url)
        yield made


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, where outlines are laid, and a folder for copies."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "copies").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "copies"))
    forget()
    return tmp_path


def forget() -> None:
    """Let this process look again at what a process lists once."""
    s3._listing.cache_clear()
    s3._outline.cache_clear()


@contextmanager
def other_client(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """What is changed in the block counts for the client of S3, which a process makes once."""
    with monkeypatch.context() as patch:
        forget()
        s3._files.cache_clear()
        yield patch
    forget()
    s3._files.cache_clear()


def upload(server: Bucket, root: Path, prefix: str) -> str:
    """Put a tree into the bucket, and nothing else below the prefix; return its address."""
    for key in server.keys:
        if key.startswith(f"{prefix}/"):
            server.client.delete_object(Bucket=server.name, Key=key)
    for file in root.rglob("*"):
        if file.is_file():
            server.put(f"{prefix}/{file.relative_to(root)}", body=file.read_bytes())
    forget()
    return f"s3://{server.name}/{prefix}"


def moved(options: params.Dataset, root: str) -> params.Dataset:
    return options.model_copy(update={"root": root})


def prepared(task: str, options: params.Dataset, out: Path) -> dict[str, bytes]:
    """The bytes of what the steps that read raw files make."""
    data = Data(out)
    crops = data.faces.shard(0)
    datasets.manifest(task, options, data.manifest, data.rejects)
    faces.crop_shard(data.manifest, task, options, own.SMALL, 0, *crops)
    formats.write(task, options.root, data.manifest, [crops.table], data.formats)
    return {str(f.relative_to(out)): f.read_bytes() for f in out.rglob("*") if f.is_file()}


def videos(root: Path, count: int = 12) -> params.Own:
    """Videos of three frames in folders of two classes."""
    for number in range(count):
        name = f"{('train', 'val', 'test')[number % 3]}/{'ab'[number // 3 % 2]}/{number}.mp4"
        trees.video(root / name, [trees.face(number + n, 64) for n in range(3)])
    return own.options(root, frames=2, clips=1, clip_frames=2, clip_stride=1, rejects_limit=0.5)


def celeba(root: Path) -> params.Dataset:
    return sick.OPTIONS["celeba"](sick.celeba(root)).model_copy(update={"shards": 1})


def reasons(table: Path) -> dict[str, str]:
    return {row["id"]: row["reason"] for row in read_table(table, REJECTS).to_pylist()}


def not_lists(root: Path) -> list[Path]:
    return [f for f in root.rglob("*") if f.is_file() and f.suffix not in s3_addresses.LISTS]


@pytest.mark.parametrize(("task", "make"), [("celeba", celeba), ("mine", videos)])
def test_object_storage_gives_the_bytes_of_a_local_tree(
    server: Bucket, tmp_path: Path, task: str, make: Callable[[Path], params.Dataset]
) -> None:
    options = make(tmp_path / "raw")
    away = moved(options, upload(server, tmp_path / "raw", task))
    local = prepared(task, options, tmp_path / "local")
    assert len(local) >= 6
    assert prepared(task, away, tmp_path / "away") == local
    laid = not_lists(Path(".lssat/objects/lssat"))  # names, and no bytes
    assert len(laid) == len(not_lists(tmp_path / "raw"))
    assert sum(file.stat().st_size for file in laid) == 0
    assert not any(Path("copies").iterdir())


@pytest.mark.parametrize(("dataset", "kind"), CASES, ids=[f"{a}: {b}" for a, b in CASES])
def test_the_doctor_says_of_a_bucket_what_it_says_of_a_folder(
    server: Bucket, tmp_path: Path, dataset: str, kind: str
) -> None:
    root = sick.MAKE[dataset](tmp_path / "raw")
    sick.DAMAGE[dataset][kind](root)
    options = sick.OPTIONS[dataset](root)
    address = upload(server, root, "sick")
    found = doctor.inspect(dataset, moved(options, address)).as_json()
    known = doctor.inspect(dataset, options).as_json()
    assert found.pop("root") == address
    known.pop("root")
    assert str(found) == str(known).replace(str(root), address)


def test_a_few_samples_lie_on_the_disk_at_a_time(
    server: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = videos(tmp_path / "raw", 12)
    away = moved(options, upload(server, tmp_path / "raw", "mine"))
    peaks, fetch = [], s3.fetch

    def watched(address: str, to: Path) -> None:
        fetch(address, to)
        peaks.append(len(list(to.parent.iterdir())))

    monkeypatch.setattr(s3, "fetch", watched)
    data = Data(tmp_path / "away")
    datasets.manifest("mine", away, data.manifest, data.rejects)
    faces.crop_shard(data.manifest, "mine", away, own.SMALL, 0, *data.faces.shard(0))
    assert len(peaks) == 12  # each is fetched once, though clips are read a second time
    assert 1 < max(peaks) <= AHEAD + 1
    assert not any(Path("copies").iterdir())


def test_a_folder_of_frames_is_fetched_as_one_sample(server: Bucket, tmp_path: Path) -> None:
    for number in range(3):
        trees.jpeg(tmp_path / f"raw/a/{number}.jpg", trees.face(number, 64))
    address = upload(server, tmp_path / "raw", "frames")
    dead, alive = (Path(f"copies/lssat-{platform.node()}-{n}-x") for n in (2**22 + 1, os.getpid()))
    for left in (dead, alive):
        left.mkdir()
    plan = media.Plan(frames=2)
    with media.Decoder(60, 512) as decoder:
        wanted = list(decoder.read(tmp_path / "raw/a", "frames", plan))
        found = list(decoder.read(s3_addresses.place(address) / "a", "frames", plan))
        assert found[0] == wanted[0]
        for (n, frame), (m, same) in zip(found[1:], wanted[1:], strict=True):
            assert n == m
            assert np.array_equal(frame, same)
        with pytest.raises(media.Unreadable, match="missing: no such folder of frames"):
            list(decoder.read(s3_addresses.place(address) / "b", "frames", plan))
    assert list(Path("copies").iterdir()) == [alive]  # that of a killed process is gone


def test_a_change_in_the_bucket_is_a_change_of_the_tree(server: Bucket, tmp_path: Path) -> None:
    options = celeba(tmp_path / "raw")
    address = upload(server, tmp_path / "raw", "changes")

    def now() -> str:
        forget()
        return digest.tree(address, Project().memory)

    first, image = now(), "changes/img_align_celeba/000001.jpg"
    old = (tmp_path / "raw/img_align_celeba/000001.jpg").read_bytes()
    server.put(image, body=old)
    assert now() == first
    server.put(image, body=old[:-1] + bytes([old[-1] ^ 1]))  # as long as before
    assert now() != first
    server.put(image, body=old)
    server.put("changes/more.jpg", body=old)
    assert now() != first
    server.client.delete_object(Bucket=server.name, Key="changes/more.jpg")
    assert now() == first

    rows, _ = datasets.listed("celeba", moved(options, address))
    partition = "changes/list_eval_partition.txt"
    text = (tmp_path / "raw/list_eval_partition.txt").read_text()
    server.put(partition, body=text.replace("000001.jpg 0", "000001.jpg 1").encode())
    server.client.delete_object(Bucket=server.name, Key="changes/img_align_celeba/000002.jpg")
    assert now() != first
    edited, lost = datasets.listed("celeba", moved(options, address))
    assert (rows[0]["split"], edited[0]["split"]) == ("train", "val")
    assert [(row["id"], row["reason"]) for row in lost] == [("000002.jpg", "missing")]


@pytest.mark.parametrize("where", ["folder", "bucket"])
def test_the_pixels_of_a_sample_count_for_the_manifest(
    server: Bucket, tmp_path: Path, where: str
) -> None:
    """Else crops would stay as they were: the names are the same."""
    root, data = tmp_path / "raw", Data(tmp_path / "away")
    options = celeba(root)

    def now() -> bytes:
        away = upload(server, root, "pixels") if where == "bucket" else str(root)
        known = Project().memory
        datasets.write("celeba", moved(options, away), data.manifest, data.rejects, None, known)
        return data.manifest.read_bytes()

    first = now()
    (root / "README").write_text("of no list")
    assert now() == first
    trees.jpeg(root / "img_align_celeba/000001.jpg", trees.picture(99))
    assert now() != first


def test_only_an_object_that_was_read_is_rejected(
    server: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = celeba(tmp_path / "raw").model_copy(update={"rejects_limit": 1.0})
    away = moved(options, upload(server, tmp_path / "raw", "lost"))
    data, crops = Data(tmp_path / "away"), Data(tmp_path / "away").faces.shard(0)
    server.put("lost/img_align_celeba/000003.jpg", body=sick.PAGE)
    server.put("lost/img_align_celeba/000004.jpg", body=b"")
    datasets.manifest("celeba", away, data.manifest, data.rejects)
    assert reasons(data.rejects) == {"000003.jpg": "format", "000004.jpg": "unreadable"}
    server.client.delete_object(Bucket=server.name, Key="lost/img_align_celeba/000001.jpg")
    cut = (tmp_path / "raw/img_align_celeba/000002.jpg").read_bytes()[:900]
    server.put("lost/img_align_celeba/000002.jpg", body=cut)
    crop = data.manifest, "celeba", away, own.SMALL, 0, *crops
    faces.crop_shard(*crop)
    assert reasons(crops.rejects) == {"000001.jpg": "missing", "000002.jpg": "truncated"}

    before = {file: file.read_bytes() for file in crops}
    fetch, left = s3.fetch, iter(range(5))
    with socket.socket() as closed, other_client(monkeypatch) as patch:
        closed.bind(("127.0.0.1", 0))  # and nobody listens

        def gone(address: str, to: Path) -> None:
            if next(left, None) is None:
                patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{closed.getsockname()[1]}")
                s3._files.cache_clear()
            fetch(address, to)

        patch.setattr(s3, "_TRIES", 1)
        patch.setattr(s3, "fetch", gone)
        with pytest.raises(DataError, match=r"s3://lssat/lost/.*jpg: cannot be reached") as told:
            faces.crop_shard(*crop)
    assert str(told.value).endswith("AWS_ENDPOINT_URL, then run this again.")
    assert {file: file.read_bytes() for file in crops} == before
    assert not any(Path("copies").iterdir())


class Flaky(BaseHTTPRequestHandler):
    """A server that is busy at first, then breaks off within the object, then sends the rest."""

    body = bytes(range(256)) * 400
    asked: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        start = int((self.headers.get("Range") or "bytes=0-")[6:].split("-")[0])
        self.asked.append(self.headers.get("Range"))
        if len(self.asked) == 1:
            self.send_error(503, "Slow Down")
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(self.body) - start))
        self.end_headers()
        self.wfile.write(self.body[start : start + (60_000 if len(self.asked) == 2 else 10**6)])

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_what_fails_in_passing_is_tried_again(
    server: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flaky = ThreadingHTTPServer(("127.0.0.1", 0), Flaky)
    threading.Thread(target=flaky.serve_forever, daemon=True).start()
    try:
        with other_client(monkeypatch) as patch:
            patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{flaky.server_port}")
            s3.fetch("s3://lssat/object", tmp_path / "copy")
    finally:
        flaky.shutdown()
        flaky.server_close()
    assert (tmp_path / "copy").read_bytes() == Flaky.body
    assert len(Flaky.asked) == 3


def refused(task: str, root: str, **more: object) -> list[str]:
    """What is said of a root before the first job; the doctor agrees."""
    section = {"root": root, **more}
    values = {("datasets",): {task: section}}
    found = [text for _, text in files.problems(lambda *key: values.get(key))]
    if not more:
        seen = doctor.inspect(task, moved(getattr(preset.LOADED.datasets, task), root))
        assert seen.verdict == "wrong"
    return found


def test_what_cannot_work_is_said_before_the_first_job(
    server: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    celeba(tmp_path / "raw")
    upload(server, tmp_path / "raw", "faces/celeba")
    assert refused("celeba", "s3://lssat/faces/celeba/", partial=True) == []
    (told,) = refused("celeba", "s3://lssat/faces/celebra")
    assert told == (
        "s3://lssat/faces/celebra: holds no object; is it s3://lssat/faces/celeba?. "
        "Name the prefix of the raw tree"
    )
    (told,) = refused("celeba", "s3://lsat/celeba")
    assert told.startswith("s3://lsat/celeba: does not exist (The specified bucket")
    (told,) = refused("celeba", "gs://lssat/celeba")
    assert "gs://lssat/celeba is not read; of addresses only s3://bucket/prefix is" in told
    (told,) = refused("celeba", "s3://lssat/../celeba")
    assert "'..' is no name of a file or folder" in told
    with other_client(monkeypatch) as patch:
        patch.delenv("AWS_ACCESS_KEY_ID")
        patch.delenv("AWS_SECRET_ACCESS_KEY")
        (told,) = refused("celeba", "s3://lssat/faces/celeba")
        assert told.startswith("s3://lssat/faces/celeba: is closed without keys (")
    with other_client(monkeypatch) as patch:
        patch.setitem(sys.modules, "s3fs", None)
        (told,) = refused("celeba", "s3://lssat/faces/celeba")
        assert "(s3fs). Install them: python -m pip install 'lssat[s3]'" in told


def test_forms_that_are_read_in_place_are_refused(server: Bucket, tmp_path: Path) -> None:
    celeba(tmp_path / "zip")
    trees.pack(tmp_path / "zip/img_align_celeba")
    (told,) = refused("celeba", upload(server, tmp_path / "zip", "zip"))
    assert told.startswith("s3://lssat/zip/img_align_celeba.zip: is read as a whole, which in")
    sick.affectnet(tmp_path / "npy")
    (told,) = refused("affectnet", upload(server, tmp_path / "npy", "npy"))
    assert told.startswith("s3://lssat/npy holds the npy release, whose annotations are not read")
    own.listed(tmp_path / "own", "path,label", ["a.jpg,0"])
    (tmp_path / "own/list.csv").rename(tmp_path / "own/list.dat")
    (told,) = refused("mine", upload(server, tmp_path / "own", "own"), csv="list.dat")
    why = "is no list that is read in object storage; name it as .txt, .csv, .tsv, .json"
    assert told == f"list.dat {why}"


@pytest.mark.parametrize("key", ["../../out.txt", "a//b.txt", "a/./b.txt"])
def test_a_key_that_is_no_path_lays_nothing(server: Bucket, tmp_path: Path, key: str) -> None:
    root = f"s3://lssat/odd{len(key)}{key[0]}"
    server.put(f"{s3_addresses.parts(root)[1]}/{key}", body=b"x")
    with pytest.raises(DataError, match="Rename the object, or remove it"):
        s3.outline(root)
    assert not list(tmp_path.rglob("*.txt"))


def test_init_takes_an_address(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "presets").symlink_to(ROOT / "presets")
    out = Path("params.yaml")
    init.write("paper", {"celeba": "s3://lssat/faces/celeba"}, out)
    assert params.load(out).datasets.celeba.root == "s3://lssat/faces/celeba"
    with pytest.raises(DataError, match="init: --celeba: gs://a/b is not read"):
        init.write("paper", {"celeba": "gs://a/b"}, out, force=True)
