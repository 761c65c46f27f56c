"""The picture of the workflow has every rule, so that it does not lag behind them."""

import re
import runpy

from helpers import ROOT


def test_the_picture_of_the_graph_has_every_rule() -> None:
    picture = runpy.run_path(f"{ROOT}/docs/images/graph.py")
    files = [ROOT / "Snakefile", *(ROOT / "workflow/rules").glob("*.smk")]
    rules = re.findall(r"^ *rule (\w+):", "\n".join(f.read_text() for f in files), flags=re.M)
    drawn = {picture["ONE"].get(rule, rule) for rule in rules} - picture["NOT_DRAWN"]
    shown = set(re.findall(r"<title>(\w+)</title>", picture["OUT"].read_text())) - {"lssat"}
    assert shown == drawn, "python docs/images/graph.py draws it anew"
