"""The sections of maps and embeddings, and the gallery that stays on its machine."""

import html
import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from helpers import ROOT, axe
from helpers import drawn_results as drawn
from helpers.chromium import PROGRAM, page

from lssat import report, tables
from lssat.evaluation import overlay
from lssat.params import Explain
from lssat.report import gallery
from lssat.report.kit.results import Task, read_task
from lssat.report.sections import explained
from lssat.tables import DataError

NASTY = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'


def task_of(root: Path, name: str = "celeba") -> Task:
    return read_task(name, drawn.draw(root, (name,), ("vit_micro",))[name])


def test_each_row_has_its_mean_maps_and_says_what_they_are_of(tmp_path: Path) -> None:
    task = task_of(tmp_path)
    found = explained.section(task)
    titles = [picture.title for picture in found["means"]]
    assert titles == [f"{r['backbone']}, {r['configuration']}" for r in task.explain["rows"]]
    assert "mean maps over 24 images of the test split, rollout, gradients" in found["means"][0].alt
    assert found["means"][0].width == 2 * explained.SIDE + 3
    assert found["rows"].best == 3
    assert "by a rank correlation of 0.300 (rollout) and – (gradients)" in found["rows"].notes[0]
    assert found["target"] == task.explain["target"]
    assert len(found["samples"]) == 4
    assert "(p = 0.90), wrong" in found["samples"][0]


def test_a_row_without_attention_says_why_and_shows_its_gradients(tmp_path: Path) -> None:
    files = drawn.draw(tmp_path, ("celeba",), ("vit_micro",))["celeba"]
    content = tables.read_json(files.explain)
    content["rows"][0] |= {"no_rollout": "a convolutional network has no attention"}
    with np.load(files.maps) as arrays:
        kept = {name: arrays[name] for name in arrays.files if name != "row0_rollout"}
    content["maps_sha256"] = tables.write_whole(files.maps, lambda file: np.savez(file, **kept))
    tables.write_json(files.explain, content)
    found = explained.section(read_task("celeba", files))
    assert found["means"][0].width == explained.SIDE
    assert found["rows"].rows[0][-1].text == "a convolutional network has no attention"


def test_maps_are_shown_relative_to_an_even_share() -> None:
    even = overlay.uneven(np.full((4, 4), 1 / 16))
    np.testing.assert_allclose(even, 0, atol=1e-12)
    assert (overlay.paint(even, top=1.0) == 255).all()
    twice = np.full((4, 4), 14 / 15 / 16)
    twice[0, 0] = 2 / 16
    assert overlay.uneven(twice / twice.sum())[0, 0] == pytest.approx(1)
    assert overlay.uneven(np.zeros((2, 2))).tolist() == [[0, 0], [0, 0]]


def test_maps_that_explain_json_does_not_vouch_for_are_refused(tmp_path: Path) -> None:
    task = task_of(tmp_path)
    data = bytearray(task.files.maps.read_bytes())
    data[-1] ^= 1
    task.files.maps.write_bytes(data)
    with pytest.raises(DataError, match=r"explain\.npz: has sha256 .*, explain\.json says"):
        explained.section(task)
    task.files.maps.unlink()
    with pytest.raises(DataError, match=r"explain\.npz: does not exist"):
        explained.section(task)


def test_the_scatter_has_each_sample_once_with_its_id_label_and_subset(tmp_path: Path) -> None:
    task = task_of(tmp_path, "ffpp")
    (figure,) = explained.embeddings(task)
    (plot,) = figure.plots
    found = task.explain["embeddings"][0]
    told = [text for trace in plot.traces for text in trace.hints]
    every = zip(found["ids"], found["subsets"], found["labels"], strict=True)
    wanted = [f"{id}, {subset}: {label}" for id, subset, label in every]
    assert sorted(told) == sorted(wanted)
    assert [key.label for key in figure.keys] == ["real", "fake"]
    assert [trace.colour for trace in plot.traces] == [0, 1]
    symbols = {symbol for trace in plot.traces for symbol in trace.shape}
    assert len(symbols) == 4
    assert "trustworthiness 0.900" in figure.caption
    assert "Symbols: circle Deepfakes, square Face2Face" in figure.caption


def gallery_of(root: Path, name: str = "ffpp", title: str = "Title") -> tuple[str, dict]:
    files = drawn.draw(root, (name,), ("vit_micro",))[name]
    where = {name: gallery.Files(files.explain, files.maps, *_folders(files))}
    gallery.write(title, where, root / "gallery.html")
    return (root / "gallery.html").read_text(encoding="utf-8"), tables.read_json(files.explain)


def _folders(files: report.TaskFiles) -> tuple[Path, Path]:
    return files.faces[0][0].parent, files.texture[0][0].parent


def test_the_gallery_shows_each_error_with_its_frame_and_probability(tmp_path: Path) -> None:
    source, found = gallery_of(tmp_path)
    assert source.count('src="data:image/png') == len(found["errors"]) == 4
    assert source.count("<span>crop</span><span>texture</span><span>rollout</span>") == 4
    for row in found["errors"]:
        frame = f", frame {row['frame']}" if row["frame"] else ""
        assert f"<code>{html.escape(row['id'])}{frame}</code>" in source
    assert "p = 0.90" in source
    assert "Keep it on this machine" in source
    assert "logits divided by 1.500, fitted on validation" in source


def test_the_gallery_asks_for_nothing(tmp_path: Path) -> None:
    source, _ = gallery_of(tmp_path)
    for name in ("src", "href"):
        assert all(
            value.startswith(("#", "data:")) for value in re.findall(rf'\b{name}="([^"]*)"', source)
        )
    assert "default-src 'none'" in html.unescape(source)


@pytest.mark.slow
def test_case_37_names_in_the_gallery_and_in_embeddings_are_escaped(tmp_path: Path) -> None:
    files = drawn.draw(tmp_path, ("ffpp",), ("vit_micro",))["ffpp"]
    content = tables.read_json(files.explain)
    for row in content["errors"] + content["examples"]:
        row |= dict.fromkeys(("id", "subset", "label", "predicted"), NASTY)
    content["embeddings"][0]["ids"] = [NASTY] * 24
    content["title"] = content["target"] = NASTY
    tables.write_json(files.explain, content)
    where = {"ffpp": gallery.Files(files.explain, files.maps, *_folders(files))}
    gallery.write(NASTY, where, tmp_path / "g.html")
    report.write(drawn.PARAMS, {"ffpp": files}, drawn.outputs(tmp_path))
    for page_ in (tmp_path / "g.html", drawn.outputs(tmp_path)["report"]):
        source = page_.read_text(encoding="utf-8")
        assert "<script>alert" not in source
        assert "<img src=x" not in source
        assert NASTY in html.unescape(source)


@pytest.mark.slow
def test_the_report_holds_no_error_and_names_the_gallery(tmp_path: Path) -> None:
    files = drawn.draw(tmp_path, ("ffpp",), ("vit_micro",))
    content = tables.read_json(files["ffpp"].explain)
    content["errors"] = [row | {"id": f"secret-{row['id']}"} for row in content["errors"]]
    tables.write_json(files["ffpp"].explain, content)
    report.write(drawn.PARAMS, files, drawn.outputs(tmp_path))
    source = drawn.outputs(tmp_path)["report"].read_text(encoding="utf-8")
    assert "secret-" not in source
    assert "results/local/gallery.html" in source


def test_dvc_never_keeps_the_gallery_and_git_ignores_it() -> None:
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    assert "results/local/gallery.html" in stages["gallery"]["cmd"]
    assert "outs" not in stages["gallery"]
    outs = [str(out) for s in stages.values() for out in s.get("do", s).get("outs", [])]
    assert not [out for out in outs if out.rstrip("/") in ("results", "results/local")]
    assert not [out for out in outs if out.startswith("results/local")]
    assert "/results/" in (ROOT / ".gitignore").read_text().split()


@pytest.mark.parametrize(("key", "value"), [("samples", 0), ("steps", 1), ("points", 2)])
def test_options_that_make_no_sense_are_refused(key: str, value: int) -> None:
    sound = dict(samples=4, steps=8, points=10, errors=0, seed=0)
    assert Explain.model_validate(sound)
    with pytest.raises(ValueError, match="greater than or equal"):
        Explain.model_validate(sound | {key: value})


@pytest.mark.browser
@pytest.mark.skipif(PROGRAM is None, reason="no chromium on this machine")
def test_the_gallery_opens_in_a_browser_and_asks_for_nothing(tmp_path: Path) -> None:
    gallery_of(tmp_path)
    with page(tmp_path / "profile") as tab:
        for width, dark in ((1400, False), (390, True)):
            tab.open((tmp_path / "gallery.html").as_uri(), width, dark=dark)
            assert axe.violations(tab) == []
            assert tab.run("document.querySelectorAll('.errors figure').length") == 4
            assert tab.run("[...document.images].every((image) => image.naturalWidth > 0)")
            assert tab.run("document.documentElement.scrollWidth") <= width
        assert tab.problems() == []
        assert tab.requests() == [(tmp_path / "gallery.html").as_uri()] * 2


@pytest.mark.slow
def test_fault_e8_incomplete_maps_are_said_in_the_report_and_the_gallery(tmp_path: Path) -> None:
    files = drawn.draw(tmp_path, ("ffpp",), ("vit_micro",))
    content = tables.read_json(files["ffpp"].explain)
    told = "3 of 24 samples have gradients that miss 5% or more of their logit"
    content["rows"][0] |= {"missed": 0.12, "incomplete": 3, "note": told}
    for name in ("examples", "errors"):
        content[name][0]["missed"] = 0.31
    tables.write_json(files["ffpp"].explain, content)
    report.write(drawn.PARAMS, files, drawn.outputs(tmp_path))
    source = html.unescape(drawn.outputs(tmp_path)["report"].read_text(encoding="utf-8"))
    assert told in source
    assert source.count("(incomplete)") == 1
    assert source.count("; its gradients miss 31") == 1
    made = gallery.Files(files["ffpp"].explain, files["ffpp"].maps, *_folders(files["ffpp"]))
    gallery.write("ffpp", {"ffpp": made}, tmp_path / "g.html")
    source = html.unescape((tmp_path / "g.html").read_text(encoding="utf-8"))
    assert source.count("; its gradients miss 31") == 1
