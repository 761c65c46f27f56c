"""F6: what a step reads is held to a sha256, its own or that of its record, before it is used."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import drawn_results as drawn

from lssat import report, tables
from lssat.cli.commands import app
from lssat.report.kit import pictures, results
from lssat.report.sections import explained
from lssat.tables import DataError

REBUILD = "Remove it and run `snakemake --cores 8` to rebuild it."
ROW = tables.reject("celeba", "000003", "a.jpg", "faces", "no_face", "frame 0")
CONTENT = {"auc": 0.75, "rows": [{"mean": 0.5, "note": None}], "note": "as 1e-3, é"}


def _json(file: Path) -> None:
    tables.write_json(file, CONTENT)


def _parquet(file: Path) -> None:
    rows = [ROW | {"id": f"{number:06d}"} for number in range(3)]
    tables.write_table(file, rows, tables.REJECTS, {"sha256": "f" * 64, "settings": "{}"})


KINDS: dict[str, tuple[Callable[[Path], None], Callable[[Path], object]]] = {
    "json": (_json, tables.read_json),
    "parquet": (_parquet, lambda file: tables.read_table(file, tables.REJECTS)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_fault_f6_each_byte_of_a_sealed_file_counts(tmp_path: Path, kind: str) -> None:
    write, use = KINDS[kind]
    file = tmp_path / f"t.{kind}"
    write(file)
    whole = file.read_bytes()
    use(file)
    accepted = []
    for place in range(len(whole)):
        data = bytearray(whole)
        data[place] ^= 1 << place % 8
        file.write_bytes(data)
        try:
            use(file)
            accepted.append(place)
        except DataError as error:
            assert str(error).endswith(REBUILD)  # noqa: PT017
    assert accepted == []


@pytest.mark.parametrize("kind", KINDS)
def test_fault_f6_a_file_that_is_cut_emptied_lengthened_or_of_another_is_refused(
    tmp_path: Path, kind: str
) -> None:
    write, use = KINDS[kind]
    file = tmp_path / f"t.{kind}"
    write(file)
    whole = file.read_bytes()
    for data in (
        b"",
        whole[: len(whole) // 2],
        whole[:-1],
        whole + b" ",
        whole + whole,
        b"{}",
        b"[",
    ):
        file.write_bytes(data)
        with pytest.raises(DataError, match=rf"t\.{kind}: is (cut|empty|not as it was)") as caught:
            use(file)
        assert str(caught.value).endswith(REBUILD)
    file.write_bytes(whole)
    file.chmod(0o644)
    use(file)


def test_fault_f6_what_is_no_file_is_named(tmp_path: Path) -> None:
    for use in (tables.read_json, lambda file: tables.read_table(file, tables.REJECTS)):
        with pytest.raises(DataError, match=r"cannot be read \(Is a directory\)"):
            use(tmp_path)
        with pytest.raises(DataError, match="does not exist"):
            use(tmp_path / "absent")


def test_fault_f6_sealed_files_stay_what_other_tools_read(tmp_path: Path) -> None:
    """The seal is one entry; the same content gives the same bytes, also when written again."""
    import pyarrow.parquet as pq

    for content in ({}, {"a": {}}, {"a": "}"}, CONTENT):
        file = tmp_path / "t.json"
        tables.write_json(file, content)
        first = file.read_bytes()
        seen = json.loads(first)
        assert list(seen)[-1] == "seal"
        tables.write_json(file, seen)
        assert file.read_bytes() == first
        seen.pop("seal")
        assert seen == content == tables.read_json(file)
    tables.write_json(file, CONTENT, sealed=False)
    assert json.loads(file.read_text()) == CONTENT == tables.read_json(file, sealed=False)
    _parquet(tmp_path / "a.parquet")
    _parquet(tmp_path / "b.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    assert pq.read_table(tmp_path / "a.parquet").num_rows == 3
    found = tables.read_table(tmp_path / "a.parquet", tables.REJECTS)
    assert tables.metadata(found) == {"sha256": "f" * 64, "settings": "{}"}


def test_fault_f6_a_name_that_looks_like_a_seal_does_no_harm(tmp_path: Path) -> None:
    name = f"lssat-sha256:{'0' * 64}"
    tables.write_json(tmp_path / "t.json", {"a": name, name: 1})
    assert tables.read_json(tmp_path / "t.json") == {"a": name, name: 1}
    rows = [ROW | {"id": name}]
    tables.write_table(tmp_path / "t.parquet", rows, tables.REJECTS, {"task": name})
    assert tables.read_table(tmp_path / "t.parquet", tables.REJECTS)["id"].to_pylist() == [name]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> report.TaskFiles:
    root = tmp_path_factory.mktemp("whole")
    made = drawn.draw(root, ("celeba",), ("vit_micro",), ("MRGB-RLDP-CRGB",), (0,))["celeba"]
    return drawn.sensitive(made, "celeba")


def _everything(files: report.TaskFiles) -> None:
    """Read what the report reads of a task."""
    task = results.read_task("celeba", files)
    results.read_rejects([task])
    pictures.reconstructions([(at, task.records[run]) for run, at in files.runs.items()])
    pictures.crops(files.faces, files.texture)
    explained.section(task)


def _artifacts(files: report.TaskFiles) -> list[Path]:
    (run,) = files.runs.values()
    ours = [run / name for name in ("record.json", "curve.csv", "reconstruction.npz")]
    ours += [files.metrics, files.robustness, files.explain, files.maps]
    ours += [files.splits, files.audit, files.lookalikes, *files.slices, *files.rejects]
    assert files.sensitivity
    shards = [each for pair in (*files.faces[:1], *files.texture[:1]) for each in pair]
    return [*ours, files.sensitivity, *shards]


def test_fault_f6_one_changed_byte_in_anything_that_the_report_reads_is_noticed(
    files: report.TaskFiles,
) -> None:
    _everything(files)
    for file in _artifacts(files):
        whole = file.read_bytes()
        digits = [place for place, byte in enumerate(whole) if chr(byte).isdigit()]
        data = bytearray(whole)
        data[digits[len(digits) // 2]] ^= 1  # another digit
        file.write_bytes(data)
        with pytest.raises(DataError) as caught:
            _everything(files)
        assert caught.value.file == str(file)
        file.write_bytes(whole)
    _everything(files)


def test_fault_f6_the_report_of_a_changed_number_is_not_written(
    files: report.TaskFiles, tmp_path: Path
) -> None:
    whole = files.metrics.read_bytes()
    assert b'"mean": 0.' in whole
    files.metrics.write_bytes(whole.replace(b'"mean": 0.', b'"mean": 0.9', 1))
    with pytest.raises(DataError, match=r"metrics\.json: is not as it was written \(sha256 .*seal"):
        report.write(drawn.PARAMS, {"celeba": files}, drawn.outputs(tmp_path))
    assert not any(file.exists() for file in drawn.outputs(tmp_path).values())
    files.metrics.write_bytes(whole)


def test_fault_f6_a_changed_result_is_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "results/tasks/ffpp/metrics.json"
    tables.write_json(file, {"table": [{"mean": 0.7}]})
    file.write_text(file.read_text().replace("0.7", "0.9"))
    with pytest.raises(DataError, match=r"metrics\.json: is not as it was written"):
        app(["show", "--results", str(tmp_path / "results")], standalone_mode=False)
