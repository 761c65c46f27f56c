"""Tables of other programs' scores: what is read, what is refused, and with which line."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lssat import grid, metrics, tables
from lssat.data import external
from lssat.data.external import rows
from lssat.grid import releases
from lssat.tables import DataError
from lssat.tables.project import Splits

LABELS = {"ffpp": [1], "celeba": [0] * 40, "affectnet": [3]}
TEST = ("t0", "t1", "t2")


def splits(root: Path, task: str) -> Splits:
    """Write splits: of ids t0 to t2 the test split, v0 and v1 val; t9 is listed without a crop."""
    made = Splits(root / "splits")
    ids = {"train": ["r0"], "val": ["v0", "v1"], "test": [*TEST, "t9"], "unused": ["u0"]}
    frames = (0, 5) if task == "ffpp" else (0,)
    for name, file in made.tables.items():
        found = [
            dict(id=id, frame=frame, clip=-1, shard=0, row=0, labels=LABELS[task], subset="",
                 split=name, group=id, seed=0)
            for id in ids[name] if id != "t9" for frame in frames
        ]  # fmt: skip
        tables.write_table(file, found, tables.SPLITS, releases.TASKS[task].header())
    for name, own in ids.items():
        tables.write_text(made.files[f"{name}_ids"], "".join(f"{id}\n" for id in own))
    return made


def written(root: Path, text: str) -> Path:
    file = root / "scores.csv"
    file.write_text(text)
    return file


def made(root: Path, task: str, file: Path) -> pa.Table:
    run = grid.Run(task, "theirs", grid.EXTERNAL, 0)
    out = root / "out.parquet"
    external.write(run, external.Files(file, splits(root, task), out))
    return tables.read_table(out, tables.PREDICTIONS)


def test_scores_of_videos_become_rows_that_give_them_back(tmp_path: Path) -> None:
    file = written(tmp_path, "id,score\nt2,1\nt0,0.25\nt1,0\nt9,0.5\nv1,0.75\nv0,0.125\n")
    table = made(tmp_path, "ffpp", file)
    assert table["id"].to_pylist() == ["v0", "v1", "t0", "t1", "t2"]  # t9 has no crop
    assert set(table["level"].to_pylist()) == {"video"}
    back = metrics.probabilities("binary", np.array(table["logits"].to_pylist()))
    assert back[:, 0].tolist() == pytest.approx([0.125, 0.75, 0.25, 0, 1], rel=1e-6)
    assert json.loads(tables.metadata(table)["external"])["sha256"] == tables.sha256(file)


def test_a_data_set_that_is_only_tested_on_has_no_validation_split(tmp_path: Path) -> None:
    of = splits(tmp_path, "affectnet")
    header = releases.TASKS["affectnet"].header()
    tables.write_table(of.tables["val"], [], tables.SPLITS, header)
    names = releases.TASKS["affectnet"].classes
    lines = [["id", *names], *([id, 1, *[0] * (len(names) - 1)] for id in TEST)]
    file = written(tmp_path, "".join(",".join(map(str, line)) + "\n" for line in lines))
    external.check(file, of)


def test_the_order_of_scores_stays_to_their_very_ends() -> None:
    sorted_scores = np.array([0, 5e-324, 1e-300, 0.5, 1 - 2**-53, 1])[:, None]
    assert (np.diff(rows.logits("binary", sorted_scores)[:, 0].astype(np.float32)) > 0).all()
    three = np.array([[0, 0.25, 0.75], [1, 0, 0]])
    back = metrics.probabilities("multiclass", rows.logits("multiclass", three))
    assert back == pytest.approx(three, abs=1e-12)


def test_frames_are_those_of_the_runs(tmp_path: Path) -> None:
    body = "".join(f"{id},{frame},0.5\n" for id in TEST for frame in (0, 5))
    table = made(tmp_path, "ffpp", written(tmp_path, "id,frame,score\n" + body))
    assert set(table["level"].to_pylist()) == {"frame"}
    other = written(tmp_path, "id,frame,score\n" + body + "t1,7,0.5\n")
    with pytest.raises(DataError, match=r"scores.csv:8: t1 frame 7 is none of the frames that"):
        made(tmp_path, "ffpp", other)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_classes_and_attributes_are_columns_by_name(tmp_path: Path, suffix: str) -> None:
    for task in ("affectnet", "celeba"):
        names = list(releases.TASKS[task].classes)
        values = np.random.default_rng(0).dirichlet(np.ones(len(names)), 3)
        columns = dict(zip(names, values.T, strict=True))
        table = pa.table({"id": list(TEST), **dict(sorted(columns.items()))})
        file = tmp_path / f"{task}.{suffix}"
        if suffix == "parquet":
            pq.write_table(table, file)
        else:
            lines = [table.column_names, *([row[n] for n in row] for row in table.to_pylist())]
            file.write_text("".join(",".join(map(str, line)) + "\n" for line in lines))
        found = made(tmp_path / task / suffix, task, file)
        back = metrics.probabilities(
            releases.TASKS[task].kind, np.array(found["logits"].to_pylist())
        )
        assert back == pytest.approx(values, abs=1e-6)


FAULTS = {
    "id,score\nt0,0.5\nt1,0.5\n": "scores.csv: lacks 1 (t2) of the 3 samples of the test split. "
    "Score each; ",
    "id,score\nt0,0.5\nt1,nan\nt2,1\n": "scores.csv:3: score of t1 is 'nan', no number from 0 to "
    "1. Write probabilities: logits through a sigmoid or softmax.",
    "id,score\nt0,0.5\nt1,0_1\nt2,1\n": "scores.csv:3: score of t1 is '0_1', no number from 0 to ",
    "id,score\nt0,0.5\nt1,\nt2,1\n": "scores.csv:3: score of t1 is '', no number from 0 to 1.",
    "id,score\nt0,-0.5\nt1,1.5\nt2,1\n": "scores.csv:2: score of t0 is '-0.5', no number from 0 "
    "to 1, as 1 more.",
    "id,score\nt0,0.5\nt1,1\n\nt0,0.5\n": "scores.csv:5: t0 stands in line 2 too. Keep one row of "
    "each sample; the mean of a video's frames, or number them in a column frame.",
    "id,score\nt0,0\nt1,0\nt2,0\nt3,0\n": "scores.csv:5: t3 is no sample of the data set. Write "
    "ids as ",
    "id,score\nr0,0\nt0,0\nt1,0\nt2,0\n": "scores.csv:2: r0 is of the split train, which is not "
    "scored. Leave it out.",
    "id,score\nt0,0\nt1,0\nt2,0\nv1,0\n": "scores.csv: has 1 samples of the validation split and "
    "lacks 1 (v0). Give all of them, for the calibration, or none.",
    "id,scores\nt0,0\n": "scores.csv:1: has no column score; has an unknown column 'scores'; did "
    "you mean score?. ffpp is binary: its columns are id, frame, score.",
    "id;score\nt0;0\n": "scores.csv:1: is separated by semicolons, not by commas.",
    "id,score\n": "scores.csv: holds no row but its header.",
    "id,frame,score\nt0,a,0\n": "scores.csv:2: the frame 'a' is no whole number.",
    "id,score\n,0\n": "scores.csv:2: the id is empty. Name the sample, or drop the row.",
}


@pytest.mark.parametrize("text", FAULTS)
def test_a_fault_is_said_with_its_line_and_value(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError) as caught:
        made(tmp_path, "ffpp", written(tmp_path, text))
    assert FAULTS[text] in str(caught.value)
    assert not (tmp_path / "out.parquet").exists()


def test_classes_that_do_not_add_up_to_1_are_no_probabilities(tmp_path: Path) -> None:
    names = ",".join(releases.TASKS["affectnet"].classes)
    ends = zip(TEST, (0, 0.005, 1), strict=True)
    body = "".join(f"{id},1,0,0,0,0,0,0,{last}\n" for id, last in ends)
    with pytest.raises(DataError, match=r"scores.csv:4: the classes of t2 add up to 2"):
        made(tmp_path, "affectnet", written(tmp_path, f"id,{names}\n{body}"))


def test_ids_that_lost_their_zeros_and_files_that_are_none_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "scores.parquet"
    pq.write_table(pa.table({"id": [1, 2], "score": [0.5, 0.5]}), file)
    with pytest.raises(DataError, match=r"its column id holds int64, not text\. Write ids as text"):
        made(tmp_path, "ffpp", file)
    file.write_bytes(b"PAR1")
    with pytest.raises(DataError, match="is no Parquet file"):
        made(tmp_path, "ffpp", file)
    with pytest.raises(DataError, match="does not exist; it is a table of scores"):
        made(tmp_path, "ffpp", tmp_path / "none.csv")
    (tmp_path / "scores.pickle").write_bytes(b"")
    with pytest.raises(DataError, match=r"is no .csv and no .parquet"):
        made(tmp_path, "ffpp", tmp_path / "scores.pickle")


def _of_bytes(text: bytes) -> pa.Array:
    """A column of one text, which is what these bytes are said to be."""
    starts = np.array([0, len(text)], np.int32).tobytes()
    return pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(starts), pa.py_buffer(text)])


@pytest.mark.parametrize(
    ("names", "columns", "said"),
    [
        (
            ["id", "score", "score"],
            [["a"], [0.5], [0.5]],
            "names the column 'score' twice. Keep one",
        ),
        (["id", "id", "score"], [["a"], ["a"], [0.5]], "names the column 'id' twice. Keep"),
        (["id", "score"], [["a", None], [0.5, 0.5]], "the id is empty. Name the sample"),
        (["id", "frame", "score"], [["a"], [np.inf], [0.5]], "the frame inf is no whole number"),
        (
            ["id", "score"],
            [["a"], [[0.5]]],
            r"score of a \(row 1\) is \[0.5\], no number from 0 to 1",
        ),
        (
            ["id", "score"],
            [["a"], [[0.5, 0.5]]],
            r"score of a \(row 1\) is \[0.5, 0.5\], no number",
        ),
        (["id", "score"], [_of_bytes(b"\xff"), [0.5]], r"is no Parquet file \(.*[Ii]nvalid UTF"),
    ],
)
def test_what_parquet_holds_and_a_csv_cannot(
    tmp_path: Path, names: list[str], columns: list, said: str
) -> None:
    file = tmp_path / "scores.parquet"
    pq.write_table(pa.Table.from_arrays([pa.array(column) for column in columns], names), file)
    with pytest.raises(DataError, match=said):
        external.read(file, releases.TASKS["ffpp"])
