"""Snakemake's own report of the workflow: made without a network, with our results and captions."""

import zipfile

from helpers.project import Project

NOWHERE = "http://127.0.0.1:9"  # nothing listens there: any download fails


def test_snakemakes_report_holds_results_and_captions_without_a_network(
    by_snakemake: Project,
) -> None:
    away = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), NOWHERE)
    by_snakemake.run("snakemake", "--report", "results/snakemake.zip", **away)
    with zipfile.ZipFile(by_snakemake.path / "results/snakemake.zip") as made:
        names = made.namelist()
        (page,) = [name for name in names if name == "snakemake/report.html"]
        text = made.read(page).decode()
    for file in ("report.html", "figures.pdf", "table.csv", "costs.csv"):
        assert any(name.endswith(f"/{file}") for name in names if name != page), file
    for caption in ("deepfake detection, face attributes", "ROC curves and the headline"):
        assert caption in text
