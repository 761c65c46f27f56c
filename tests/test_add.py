"""What the pages "add a ..." say is enough: each is followed, word for word, in a copy."""

import json
import shutil
from pathlib import Path

import pytest
from helpers import ROOT, pages
from helpers import drawn_results as drawn

from lssat import grid, report, texture
from lssat.tables import source


@pytest.mark.slow
def test_add_a_metric(tmp_path: Path) -> None:
    """It is measured, has an interval, stands in the report, and may choose the epoch."""
    code = """
import numpy as np
from lssat import metrics
from lssat.evaluation.slices import measures
from lssat.params.names import problems
from lssat.report.kit import words
from helpers import scored

labels, scores = np.arange(60) % 2, np.random.default_rng(0).random(60)
truth = np.mean(scores[labels == 0] < 0.5)
assert metrics.measure("binary", labels, scores)["specificity"] == truth
assert words.heading("specificity") == "Specificity"

moved = metrics.influence("binary", labels, scores)["specificity"]
weights = np.full((1, 60), 10000)
weights[0, 0] += 1
changed = metrics.prepare("binary", labels, scores)(weights)["specificity"][0] - truth
assert np.isclose(changed, moved[0] / 10000, rtol=1e-3) and moved[0]

many = metrics.measure("multilabel", np.c_[labels, 1 - labels], np.c_[scores, scores])
assert many["each"]["specificity"][0] == truth
assert metrics.trivial("binary", labels, labels, 2)["specificity"] == 0.5
assert "specificity" in measures.names("binary", "auc")
asked = {("train", "select_metric"): "specificity", ("benchmark", "tasks"): ["ffpp", "celeba"]}
assert not list(problems(lambda *key: asked.get(key)))

content = scored.summarise(scored.deepfake_rows(scored.runs_of("MRGB-RLDP-CRGB", seeds=5), 40))
rows = [row for row in content["table"] if row["metric"] == "specificity"]
assert rows and all(row["low"] < row["mean"] < row["high"] for row in rows)
assert {row["baseline"] for row in rows} == {0.5}
print("done")
"""
    assert pages.run(pages.follow("add-a-metric.md", tmp_path), code) == "done\n"


@pytest.mark.slow
def test_add_a_texture(tmp_path: Path) -> None:
    """Its forms agree; configurations, params.yaml, the digest of code and readers know it."""
    code = """
import numpy as np, torch
from lssat import grid, params, texture
from lssat.tables import source
from lssat.texture import tensors

imgs = np.random.default_rng(0).integers(0, 256, (3, 24, 20, 3), dtype=np.uint8)
imgs[1] //= 64  # many ties
codes = texture.codes(imgs, "census")
assert codes.shape == imgs.shape[:3] and len(np.unique(codes)) > 50
assert np.array_equal(texture.codes(imgs, "census", bulk=True), codes)
found = tensors.codes(torch.from_numpy(imgs).permute(0, 3, 1, 2), "census")
assert np.array_equal(found[:, 0].numpy(), codes)

assert grid.parse("MRGB-RCENSUS-CRGB").texture == "census"
assert params.Texture(kind="census", k=3, encoding="code").kind == "census"
assert texture.named("census", 3) == "CENSUS"
assert {"texture.kinds.census", "texture.kinds.ldp"} <= set(source.modules("texture"))
assert "texture.kinds.census" not in source.modules("manifest")
print("done")
"""
    assert pages.run(pages.follow("add-a-texture.md", tmp_path), code) == "done\n"


def test_each_texture_has_a_module_and_a_name() -> None:
    assert set(texture.KINDS) == {name.lower() for name in grid.TEXTURES}


@pytest.mark.slow
def test_add_a_report_section(tmp_path: Path) -> None:
    """It stands in the page at its place, with a link, its text escaped; the rest is as ever."""
    code = """
import html, re
from pathlib import Path

import pytest
from lssat import report
from helpers import drawn_results as drawn

files = drawn.draw(Path("drawn"), ("affectnet",), ("vit_micro",), seeds=(0,))
report.write(drawn.PARAMS, files, drawn.outputs(Path("drawn")))
page = drawn.outputs(Path("drawn"))["report"].read_text()
assert '<a href="#epochs">Best epochs</a>' in page
section = page.split('<section id="epochs"><h2>Best epochs</h2>')[1].split('<section id="recon')[0]
assert "Chosen by validation." in section and 'id="epochs-affectnet"' in section
assert section.count("<tr") == 1 + len(drawn.CONFIGURATIONS)
print(len(re.findall('<section id=', page)))
"""
    files = drawn.draw(tmp_path / "before", ("affectnet",), ("vit_micro",), seeds=(0,))
    report.write(drawn.PARAMS, files, drawn.outputs(tmp_path / "before"))
    before = drawn.outputs(tmp_path / "before")["report"].read_text().count("<section id=")
    said = pages.run(pages.follow("add-a-report-section.md", tmp_path / "copy"), code)
    assert said == f"{before + 1}\n"


@pytest.mark.slow
def test_add_a_data_set(tmp_path: Path) -> None:
    """Doctor, init, manifest and Snakemake know it; only its own steps see other code."""
    code = """
import json, os, subprocess, sys
from pathlib import Path

import pytest
from helpers import trees
from lssat import params
from lssat.data import datasets, doctor
from lssat.params import init
from lssat.tables import MANIFEST, REJECTS, read_table, source

raw, lines = Path("raw/wild"), ["a.mp4 ann fake", "b.mp4 bob real", "c.mp4 ann real"]
(raw / "videos").mkdir(parents=True)
for line in lines[:2]:
    (raw / "videos" / line.split()[0]).write_bytes(trees.BEGINNING)
(raw / "videos.txt").write_text(os.linesep.join(lines))
seen = doctor.inspect("wild", doctor.stand_in("wild", raw), configured=False)
(count,) = [row for row in seen.counts if row.split == "test"]
assert (count.official, count.found) == (4, 2)
errors = [each.problem for each in seen.findings if each.severity == "error"]
assert errors == ["1 file of the lists is missing"], errors

roots = {"ffpp": Path("raw"), "wild": raw}
written, _ = init.write("paper", roots, Path("params.yaml"), trial=True)
assert written.benchmark.cross == {"wild": "ffpp"} and written.datasets.wild.frames == 2
own = written.datasets.wild.model_copy(update={"rejects_limit": 0.5})
datasets.manifest("wild", own, Path("m.parquet"), Path("r.parquet"))
rows = read_table(Path("m.parquet"), MANIFEST).to_pylist()
assert [(row["id"], row["labels"], row["split"]) for row in rows] == [
    ("a", [1], "test"), ("b", [0], "test")
]
assert [row["reason"] for row in read_table(Path("r.parquet"), REJECTS).to_pylist()] == ["missing"]

command = [sys.executable, "-m", "snakemake", "-n", "--cores", "1", "--quiet", "host"]
planned = subprocess.run(command, capture_output=True, text=True)
assert planned.returncode == 0, planned.stdout + planned.stderr
assert "results/tasks/ffpp/cross/wild/metrics.json" in planned.stdout + planned.stderr
print(json.dumps({rule: source.digest(rule) for rule in source.ENTRY}))
"""
    folder = pages.follow("add-a-data-set.md", tmp_path)
    for name in ("workflow", "profiles", "presets", "docs"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "Snakefile", folder)
    digests = json.loads(pages.run(folder, code).splitlines()[-1])
    changed = {rule for rule, digest in digests.items() if digest != source.digest(rule)}
    assert changed == {"manifest", "splits", "audit", "external", "slices", "slices_listed"}


@pytest.mark.slow
def test_add_a_backbone(tmp_path: Path) -> None:
    """Its record refuses what does not fit, and a run of two epochs is trained by the command."""
    code = """
import json, subprocess, sys
from pathlib import Path

import pytest
import torch
from helpers import ROOT, drawn_data, training
from lssat import grid, params
from lssat.grid import parse
from lssat.models import ssat

said = grid.backbone_problem("reg_micro", 50, 0.5)
assert said.startswith("50 px is not a multiple of the patch size 20"), said
assert grid.weights_problem("reg_micro", "timm") == (
    "timm has no weights for reg_micro; write scratch, or the path of a safetensors file"
)
model = ssat.SSAT("reg_micro", parse("MRGB-RLDP-CRGB"), 40, 1)
assert (model.encoder.num_prefix_tokens, model.num_patches) == (5, 4)
assert model.decoder is not None and model.decoder.mask_token.shape[-1] == 64

text = (ROOT / "params.yaml").read_text()
text = text.replace("[vit_micro, vit_mini]", "[reg_micro, vit_mini]")
Path("params.yaml").write_text(text.replace("backbones: [vit_micro]", "backbones: [reg_micro]"))
assert params.load("params.yaml").benchmark.backbones[0] == "reg_micro"

data, out = Path("data"), Path("out")
drawn_data.write(data, {"train": 32, "val": 16, "test": 8})
training.EPOCHS, run = 2, training.RUN._replace(backbone="reg_micro")
subprocess.run(training.command(data, out, run=run), check=True, stdout=subprocess.DEVNULL)
record = json.loads((out / "record.json").read_text())
assert (record["backbone"], len(training.curve(out))) == ("reg_micro", 2), record
print("done")
"""
    assert pages.run(pages.follow("add-a-backbone.md", tmp_path), code) == "done\n"
