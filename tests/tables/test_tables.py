"""Tables and files: a schema is held to, a file is whole or not there, damage is named."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lssat import tables
from lssat.tables import DataError

ROW = tables.reject("celeba", "000003", "a.jpg", "faces", "no_face", "frame 0")


def test_ids_stay_text(tmp_path: Path) -> None:
    rows = [ROW | {"id": id} for id in ("000003", "NA", "nan", "1e5")]
    tables.write_table(tmp_path / "t.parquet", rows, tables.REJECTS, {"seed": "1"})
    table = tables.read_table(tmp_path / "t.parquet", tables.REJECTS)
    assert table["id"].to_pylist() == ["000003", "NA", "nan", "1e5"]
    assert tables.metadata(table) == {"seed": "1"}


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    for name in "ab":
        tables.write_table(tmp_path / name, [ROW] * 100, tables.REJECTS, {"k": "3"})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_row_with_another_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="row 0 differs in column extra"):
        tables.write_table(tmp_path / "t", [ROW | {"extra": 1}], tables.REJECTS)
    assert list(tmp_path.iterdir()) == []


def test_a_table_of_another_schema_is_refused(tmp_path: Path) -> None:
    tables.write_table(tmp_path / "t", [ROW], tables.REJECTS)
    with pytest.raises(DataError, match=r"has other columns box, .*Remove it and run `snake"):
        tables.read_table(tmp_path / "t", tables.FACES)


def test_an_unknown_reason_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown reason 'ugly'"):
        tables.reject("celeba", "1", "a.jpg", "faces", "ugly")


def test_case_26_rejects_above_the_limit_stop_the_step() -> None:
    tables.check_rejects("faces", 1, 100, 0.01, "rejects.parquet")
    with pytest.raises(DataError, match=r"faces: 412 of 10,000 rejected \(4\.1 %, limit 1 %\)"):
        tables.check_rejects("faces", 412, 10_000, 0.01, "rejects.parquet")


def test_a_block_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), tables.atomic(file) as out:
        out.write(bytes(1 // 0))
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_case_27_what_a_killed_process_left_is_swept(tmp_path: Path) -> None:
    code = """
import os, signal, sys
from lssat import tables
with tables.atomic(sys.argv[1]) as file:
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""
    file = tmp_path / "weights.safetensors"
    subprocess.run([sys.executable, "-c", code, str(file)], check=False)
    assert [left.suffix for left in tmp_path.iterdir()] == [".tmp"]
    other = tmp_path / ".weights.safetensors.another-machine.1.x.tmp"
    other.write_bytes(b"alive")
    with tables.atomic(file) as out:
        out.write(b"whole")
    assert sorted(tmp_path.iterdir()) == sorted([file, other])
    assert file.read_bytes() == b"whole"


def test_case_36_json_refuses_what_is_no_json(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        tables.write_json(tmp_path / "m.json", {"auc": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_a_shard_is_mapped_read_only_and_may_be_empty(tmp_path: Path) -> None:
    for count in (3, 0):
        array = np.arange(count * 12, dtype=np.uint8).reshape(count, 2, 2, 3)
        digest = tables.write_shard(tmp_path / "s.npy", array)
        shard = tables.open_shard(tmp_path / "s.npy", digest, "Build it again")
        assert np.array_equal(shard, array)
        assert not shard.flags.writeable


def test_a_samples_shard_does_not_depend_on_the_others() -> None:
    found = [tables.shard_of(f"{n:06d}.jpg", 7) for n in range(2000)]
    assert set(found) == set(range(7))
    assert min(found.count(k) for k in range(7)) > 200
    assert tables.shard_of("000001.jpg", 7) == 1  # pinned: shards on disk depend on it


def test_nested_values_under_flat_keys() -> None:
    values = {"a": 1, "b": {"c": [2], "d": {"e": None}, "f": {}}}
    assert tables.dotted(values) == {"a": 1, "b.c": [2], "b.d.e": None}


def test_csv_has_empty_cells_for_none_and_quotes_what_needs_it(tmp_path: Path) -> None:
    tables.write_csv(tmp_path / "t.csv", ("a", "b"), iter([(None, 'x,"y"\n'), (1.5, "é")]))
    assert (tmp_path / "t.csv").read_bytes() == 'a,b\n,"x,""y""\n"\n1.5,é\n'.encode()


def test_what_cannot_be_read_while_a_file_is_written_is_not_called_unwritable(
    tmp_path: Path,
) -> None:
    with pytest.raises(IsADirectoryError), tables.atomic(tmp_path / "t") as file:
        file.write(tmp_path.read_bytes())
    assert list(tmp_path.iterdir()) == []


def _npy(array: np.ndarray, version: tuple[int, int] = (1, 0)) -> bytes:
    out = io.BytesIO()
    np.lib.format.write_array(out, array, version=version)
    return out.getvalue()


ARRAYS = {
    "crops": np.arange(24, dtype=np.uint8).reshape(2, 2, 2, 3),
    "none": np.empty((0, 2, 2, 3), np.uint8),
    "text": np.array(["3"]),
    "number": np.array(3),
    "landmarks": np.asfortranarray(np.arange(6.0).reshape(3, 2)),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_are_read_as_numpy_reads_them(name: str) -> None:
    for version in ((1, 0), (2, 0), (3, 0)):
        found = tables.from_npy(_npy(ARRAYS[name], version))
        assert (found.dtype, found.shape) == (ARRAYS[name].dtype, ARRAYS[name].shape)
        assert np.array_equal(found, ARRAYS[name])


@pytest.mark.parametrize("name", ARRAYS)
def test_fault_f9_each_byte_of_a_header_may_be_wrong(tmp_path: Path, name: str) -> None:
    """It is refused, or read as what it was, in another type or order at most."""
    whole = _npy(ARRAYS[name])
    size = len(whole) - ARRAYS[name].nbytes
    for place in range(size):
        for byte in {whole[place] ^ 1, whole[place] ^ 0x80, *b"\0(9-'{L"}:
            data = bytearray(whole)
            data[place] = byte
            try:
                found = tables.from_npy(bytes(data))
            except ValueError as error:
                assert f"{error}".startswith("it"), error  # noqa: PT017
                continue
            assert found.nbytes == ARRAYS[name].nbytes
    for end in range(len(whole)):
        with pytest.raises(ValueError, match="it"):
            tables.from_npy(whole[:end])


HEADERS = {
    "{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999,)}": "for 99,9",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (-1,)}": "its header is damaged",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (0, 99999999999999999999)}": "asks for ",
    "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}": "of type object, which are not read",
    "{'descr': '|V0', 'fortran_order': False, 'shape': (1,)}": "which are not read",
    "{'descr': '|u1', 'fortran_order': 0, 'shape': (4,)}": "its header is damaged",
    "{'descr': '|u1', 'shape': (4,)}": "its header is damaged",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (4L,)}": "its header is damaged",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (4,": "its header is damaged",
    "(" * 5000: "its header is damaged",
    "\\N{": "its header is damaged",
}


@pytest.mark.parametrize("header", HEADERS)
def test_fault_f9_a_header_that_asks_for_what_is_not_there(tmp_path: Path, header: str) -> None:
    start = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()
    file = tmp_path / "s.npy"
    body = b"" if "(0," in header else b"1234"
    file.write_bytes(start + body)
    with pytest.raises(DataError) as caught:
        tables.open_shard(file, None, "Build it again")
    said = str(caught.value)
    assert said.startswith(f"{file}: is not a readable NPY file (it")
    assert HEADERS[header] in said


def test_fault_f9_a_shard_that_is_no_file_or_empty(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot be read \(Is a directory\)"):
        tables.open_shard(tmp_path, "f" * 64, "Build it again")
    (tmp_path / "s.npy").touch()
    with pytest.raises(DataError, match="is not a readable NPY file"):
        tables.open_shard(tmp_path / "s.npy", None, "Build it again")


def test_a_reader_of_some_rows_is_given_those_and_the_header(tmp_path: Path) -> None:
    rows = [{"id": f"{k}", "frame": k, "shard": k % 3, "row": k, "clip": -1} for k in range(9)]
    file = tmp_path / "rows.parquet"
    tables.write_table(file, rows, tables.TEXTURE, {"kind": "ldp"})
    some = tables.read_table(file, tables.TEXTURE, only={"id": ["1", "4", "no row"]})
    assert some["frame"].to_pylist() == [1, 4]
    assert tables.metadata(some) == {"kind": "ldp"}
    assert tables.read_table(file, tables.TEXTURE, only={"id": []}).num_rows == 0
    tables.write_table(file, [], tables.TEXTURE)
    assert tables.read_table(file, tables.TEXTURE, only={"id": ["1"]}).num_rows == 0
