"""Draw graph.svg: the rules of the workflow, as Snakemake orders them. Needs Graphviz.

Typed in the project's folder: python docs/images/graph.py
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
OUT = Path(__file__).with_name("graph.svg")
# Rules that the picture shows as one, by the name of their first.
ONE = {
    "slices_listed": "slices",
    "track_cross": "track",
    "track_slices": "track",
    "sensitivity_table": "sensitivity",
    "sensitivity_variant": "sensitivity",
}
NOT_DRAWN = {"all", "shared", "code", "repeat", "external"}  # no work of their own, or on request
STYLE = """digraph lssat {
graph [rankdir=LR, nodesep=0.15, ranksep=0.3, bgcolor=transparent];
node [shape=box, style="rounded,filled", fillcolor="#eef3fb", color="#4a6fa5", height=0.32,
      fontcolor="#22324a", fontname="Helvetica,Arial,sans-serif", fontsize=10];
edge [color="#7a8aa0", arrowsize=0.6];
"""


def rules() -> set[tuple[str, str]]:
    """Return which rule waits for which, with a data set that is only tested on."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        for name in ("Snakefile", "params.yaml"):
            shutil.copy(ROOT / name, here)
        for name in ("workflow", "lssat", "profiles"):
            (here / name).symlink_to(ROOT / name)
        params = yaml.safe_load((here / "params.yaml").read_text())
        params["benchmark"]["cross"] = {"ffpp_c40": "ffpp"}
        section = dict(params["datasets"]["ffpp"])
        del section["compression"]
        params["datasets"]["ffpp_c40"] = section
        (here / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
        command = ["snakemake", "--rulegraph", "dot", "--", "sensitivity", "all"]
        made = subprocess.run(command, cwd=here, stdout=subprocess.PIPE, text=True, check=True)
    names: dict[str, str] = dict(re.findall(r'(\d+)\[label = "(\w+)"', made.stdout))
    edges = re.findall(r"(\d+) -> (\d+)", made.stdout)
    drawn = {(ONE.get(names[a], names[a]), ONE.get(names[b], names[b])) for a, b in edges}
    return {(a, b) for a, b in drawn if a != b and not {a, b} & NOT_DRAWN}


def main() -> None:
    """Write the picture, without the edges that follow from others."""
    if not shutil.which("dot"):
        sys.exit("dot: is not installed. Install Graphviz (Debian: graphviz).")
    text = STYLE + "".join(f"{a} -> {b};\n" for a, b in sorted(rules())) + "}\n"
    reduced = subprocess.run(["tred"], input=text, capture_output=True, text=True, check=True)
    svg = subprocess.run(
        ["dot", "-Tsvg"], input=reduced.stdout, capture_output=True, text=True, check=True
    )
    OUT.write_text(svg.stdout)


if __name__ == "__main__":
    main()
