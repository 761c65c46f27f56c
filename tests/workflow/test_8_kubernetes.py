"""Jobs of Kubernetes, as the profile and Snakemake's executor send them to the API."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from helpers import ROOT, kubernetes_api
from helpers.object_storage import Bucket, bucket
from helpers.project import Project, copy

from lssat.orchestrate import guard
from lssat.tables.project import Project as Files

pytest.importorskip("snakemake_executor_plugin_kubernetes")
pytestmark = pytest.mark.slow
RUNS = [f"celeba/vit_micro/none-none-CRGB/seed{seed}" for seed in (0, 1)]
HERE = Files()
DATA, RESULTS = HERE.data("celeba"), HERE.results.task("celeba")
Job = tuple[Any, dict[str, str]]  # a job's model, the variables of its container


@dataclass(frozen=True)
class Sent:
    """What the API got, by rule, and what Snakemake said."""

    project: Project
    jobs: dict[str, Job]
    told: str


@pytest.fixture(scope="module")
def storage() -> Iterator[Bucket]:
    with bucket() as made:
        yield made


def put(storage: Bucket, *files: Path) -> None:
    storage.put(*(f"project/{file}" for file in files), body=b"stands for what a step makes")


def rule(job: Any) -> str:
    """The target of a job, such as `train:task=celeba,...`."""
    (command,) = job.spec.template.spec.containers[0].args[1:]
    found = re.search(r"--target-jobs '?(\S+?)'? ", command)
    assert found, command
    return found[1]


@pytest.fixture(scope="module")
def sent(storage: Bucket, tmp_path_factory: pytest.TempPathFactory) -> Sent:
    """What the profile sends, by rule: codes, trainings and evaluation of data that are there.

    A pod that does its work in no time stands for each.
    """
    project = copy(tmp_path_factory.mktemp("on_kubernetes"))
    project.params(benchmark={"configurations": ["none-none-CRGB"], "seeds": [0, 1]})
    crops, codes = DATA.faces.first(1)[0], DATA.texture("ldp").first(1)[0]
    there = [HERE.sample.inventory("celeba"), HERE.sample.annotations("celeba")]
    there += [DATA.manifest, DATA.rejects, *crops, *DATA.splits.files.values()]
    put(storage, *there, *DATA.found("audit"))
    made = {"texture": codes[:2], "evaluate": (RESULTS.predictions, RESULTS.metrics)}
    found: dict[str, Job] = {}

    def work(job: Any, environment: dict[str, str]) -> int:
        name, _, wildcards = rule(job).partition(":")
        values = dict(pair.split("=") for pair in wildcards.split(","))
        run = "{task}/{backbone}/{configuration}/seed{seed}"
        files = made[name] if name in made else HERE.runs.run(run.format(**values))
        put(storage, *files)
        found[name] = job, environment
        return 0

    folder = tmp_path_factory.mktemp("api")
    with kubernetes_api.server(folder, work) as api:
        told = project.run(
            "snakemake", "--profile", "profiles/kubernetes", "--seconds-between-status-checks",
            "1", "--group-components", "trainings=1", "--", str(RESULTS.metrics),
            **variables(storage, folder),
        )  # fmt: skip
        assert not api.wrong
        assert len(api.jobs) == 4, told
        assert {f"jobs/{name}" for name in api.jobs} < {*api.deleted}
    return Sent(project, found, told)


def variables(storage: Bucket, folder: Path) -> dict[str, str]:
    own = {"ENDPOINT_URL": storage.url, "ACCESS_KEY": "test", "SECRET_KEY": "not to be read"}
    found = {f"SNAKEMAKE_STORAGE_S3_{name}": value for name, value in own.items()}
    return found | {"KUBECONFIG": str(folder / "config"), "LSSAT_TOGETHER": "no"}


@pytest.mark.parametrize(("step", "memory"), [("train", "64000M"), ("evaluate", "32000M")])
def test_a_step_that_uses_a_gpu_asks_for_it(sent: Sent, step: str, memory: str) -> None:
    job, _ = sent.jobs[step]
    (container,) = job.spec.template.spec.containers
    asked, limits = container.resources.requests, container.resources.limits
    assert asked["nvidia.com/gpu"] == limits["nvidia.com/gpu"] == "1"
    assert asked["memory"] == limits["memory"] == memory
    (tolerated,) = job.spec.template.spec.tolerations
    assert tolerated.key == "nvidia.com/gpu"
    assert re.search(rf"exec lssat {step} .*--device cuda", sent.told)


def test_a_step_without_one_does_not(sent: Sent) -> None:
    job, _ = sent.jobs["texture"]
    (container,) = job.spec.template.spec.containers
    assert not {"nvidia.com/gpu"} & {*container.resources.requests, *container.resources.limits}
    assert job.spec.template.spec.tolerations is None


@pytest.mark.parametrize("step", ["texture", "train", "evaluate"])
def test_each_pod_has_the_image_and_what_it_needs_to_begin(sent: Sent, step: str) -> None:
    """The code, the keys of the storage as a secret, and the folder of saved states."""
    job, environment = sent.jobs[step]
    pod = job.spec.template.spec
    (container,) = pod.containers
    assert container.image == profile()["container-image"] == "lssat:0.1.0"
    (command,) = container.args[1:]
    assert "-m snakemake --deploy-sources s3://lssat/project/" in command
    assert re.search(r"--configfiles '?profiles/kubernetes/machine.yaml", command)
    assert environment["SNAKEMAKE_STORAGE_S3_SECRET_KEY"] == "not to be read"
    assert "not to be read" not in command + sent.told
    mounts = {mount.name: mount.mount_path for mount in container.volume_mounts}
    assert mounts == {"workdir": "/workdir", "lssat-states": f"/workdir/{HERE.states}"}
    assert job.spec.backoff_limit == 0
    assert pod.restart_policy == "Never"


def test_what_dvc_would_keep_is_elsewhere_and_dvc_is_left_alone(sent: Sent) -> None:
    assert not (sent.project.path / guard.FILE).exists()
    place = sent.project.path / ".snakemake/storage/s3/lssat/project"
    assert place.is_symlink()
    assert place.resolve() == sent.project.path


def test_the_profiles_of_clusters_name_rules_that_there_are_and_group_them_alike() -> None:
    rules = "".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    names = {*re.findall(r"^rule (\w+):", rules, flags=re.M)}
    for cluster in ("slurm", "kubernetes"):
        told = profile(cluster)
        assert {*told["set-resources"]} <= names
        assert {each.partition("=")[0] for each in told["groups"]} <= names
    assert profile()["groups"] == profile("slurm")["groups"]


def profile(name: str = "kubernetes") -> dict[str, Any]:
    return yaml.safe_load((ROOT / f"profiles/{name}/profile.yaml").read_text())
