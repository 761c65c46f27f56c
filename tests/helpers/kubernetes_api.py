"""A Kubernetes API server of one program, for tests: holds what it is sent to the API's schema.

Its pods are shell commands on this machine, each in an empty folder in place of the container's
/workdir: what a pod needs and is not sent, it lacks. It has no images, nodes or volumes: a volume
below /workdir is a folder of this machine.
"""

import base64
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import yaml

from helpers.project import BIN

Work = Callable[[dict[str, Any], dict[str, str]], int]
_QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?")
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


def model(kind: str, body: dict[str, Any]) -> Any:
    """Return a model of the API's schema; what it does not know, or lacks, is an error."""
    from kubernetes import client

    api = client.ApiClient()
    made = api.deserialize(SimpleNamespace(data=json.dumps(body)), kind)
    assert api.sanitize_for_serialization(made) == body, "has keys that the schema lacks"
    return made


def check_job(body: dict[str, Any]) -> Any:
    """Hold a job to the schema, and to what the server says no to besides; return its model."""
    made = model("V1Job", body)
    assert _NAME.fullmatch(made.metadata.name)
    assert len(made.metadata.name) <= 63
    pod = made.spec.template.spec
    assert pod.restart_policy in ("Never", "OnFailure")
    volumes = [volume.name for volume in pod.volumes]
    assert len(set(volumes)) == len(volumes)
    for container in pod.containers:
        assert container.image
        assert " " not in container.image
        assert {mount.name for mount in container.volume_mounts} <= set(volumes)
        asked, limits = container.resources.requests, container.resources.limits or {}
        for name, value in [*asked.items(), *limits.items()]:
            assert _QUANTITY.fullmatch(value), (name, value)
        for name in {*asked, *limits}:
            if "/" in name:  # "limit must be set for non overcommitable resources", and be equal
                assert asked.get(name) == limits.get(name), name
    return made


@dataclass
class Server:
    """What it was sent, and how it does the work."""

    folder: Path
    work: Work | None = None  # in place of running a pod's command; returns its exit code
    volumes: dict[str, Path] = field(default_factory=dict)  # claim -> its folder
    jobs: dict[str, Any] = field(default_factory=dict)  # name -> model
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)  # name of an ended job -> exit code
    wrong: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)

    def create(self, body: dict[str, Any]) -> None:
        """Take a job, and begin to do it."""
        job = check_job(body)
        self.jobs[job.metadata.name] = job
        Thread(target=self._do, args=(job, body), daemon=True).start()

    def environment(self, job: Any) -> dict[str, str]:
        """The variables of a job's container."""
        found = {}
        for variable in job.spec.template.spec.containers[0].env:
            key = variable.value_from.secret_key_ref
            found[variable.name] = base64.b64decode(self.secrets[key.name][key.key]).decode()
        return found

    def _do(self, job: Any, body: dict[str, Any]) -> None:
        name = job.metadata.name
        try:
            work = self.work or self._run
            self.codes[name] = work(job, self.environment(job))
        except Exception as error:  # its thread has nobody else to tell
            self.wrong.append(repr(error))
            self.codes[name] = 1

    def _run(self, job: Any, environment: dict[str, str]) -> int:
        pod = job.spec.template.spec
        container = pod.containers[0]
        place = self.folder / job.metadata.name
        place.mkdir()
        for mount in container.volume_mounts:
            if mount.name != "workdir":
                mounted = place / Path(mount.mount_path).relative_to("/workdir")
                mounted.parent.mkdir(parents=True, exist_ok=True)
                mounted.symlink_to(self.volumes[mount.name], target_is_directory=True)
        # Snakemake installs its plugin again in each pod; the Dockerfile says where from.
        pip = self.folder / "bin/pip"
        pip.parent.mkdir(exist_ok=True)
        pip.write_text("#!/bin/sh\n")
        pip.chmod(0o755)
        kept = {"PATH": f"{pip.parent}:{BIN}:/usr/bin:/bin", "HOME": str(place)}
        with open(self.folder / f"{job.metadata.name}.log", "wb") as told:
            return subprocess.run(
                [*container.command, *container.args],
                cwd=place, env=kept | environment, stdout=told, stderr=subprocess.STDOUT,
            ).returncode  # fmt: skip

    def status(self, name: str) -> dict[str, Any]:
        """A job's status, as the API tells it."""
        code = self.codes.get(name)
        state = {"active": 1} if code is None else {"failed": 1} if code else {"succeeded": 1}
        metadata = {"name": name, "namespace": "default"}
        return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "status": state}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        kind, name = self._asked()
        if kind == "jobs":
            self._answer(self.made.status(name))
        else:  # pods: the job's own status says it
            self._answer({"apiVersion": "v1", "kind": "PodList", "metadata": {}, "items": []})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        kind, _ = self._asked()
        try:
            if kind == "jobs":
                self.made.create(body)
            else:
                secret = model("V1Secret", body)
                self.made.secrets[secret.metadata.name] = secret.data
        except (AssertionError, ValueError) as error:
            self.made.wrong.append(repr(error))
            return self._answer({"message": repr(error)}, 422)
        self._answer(body, 201)

    def do_DELETE(self) -> None:
        self.made.deleted.append("/".join(self._asked()))
        self._answer({"apiVersion": "v1", "kind": "Status", "status": "Success"})

    def _asked(self) -> tuple[str, str]:
        words = self.path.split("?")[0].strip("/").split("/")
        rest = words[words.index("namespaces") + 2 :]
        return rest[0], rest[1] if len(rest) > 1 else ""

    def _answer(self, body: dict[str, Any], code: int = 200) -> None:
        sent = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    @property
    def made(self) -> Server:
        return self.server.made  # type: ignore[attr-defined]


@contextmanager
def server(folder: Path, work: Work | None = None, **volumes: Path) -> Iterator[Server]:
    """Start a server with its files in an empty folder; end it.

    `folder/config` is what KUBECONFIG must name.
    """
    made = Server(folder, work, volumes)
    http = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    http.made = made  # type: ignore[attr-defined]
    url = f"http://127.0.0.1:{http.server_port}"
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [{"name": "test", "cluster": {"server": url}}],
        "users": [{"name": "test", "user": {}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
    }  # fmt: skip
    (folder / "config").write_text(yaml.safe_dump(config))
    Thread(target=http.serve_forever, daemon=True).start()
    try:
        yield made
    finally:
        http.shutdown()
        http.server_close()
