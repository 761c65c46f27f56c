"""An S3 server on this machine, and what reaches it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest


@dataclass
class Bucket:
    """A bucket of a running server."""

    url: str  # of the server
    name: str
    client: Any

    @property
    def keys(self) -> set[str]:
        """What lies in it."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name)
        return {each["Key"] for page in pages for each in page.get("Contents", [])}

    def put(self, *keys: object, body: bytes = b"") -> None:
        """Put objects."""
        for key in keys:
            self.client.put_object(Bucket=self.name, Key=str(key), Body=body)


@contextmanager
def bucket(name: str = "lssat") -> Iterator[Bucket]:
    """Start a server with a bucket; its keys are those of this process's environment."""
    import boto3
    from moto.server import ThreadedMotoServer

    names = {f"AWS_{name}": "test" for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY")}
    names |= {"AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    logging.getLogger("werkzeug").disabled = True
    with pytest.MonkeyPatch.context() as patch:
        for key, value in names.items():
            patch.setenv(key, value)
        server.start()
        url = "http://{}:{}".format(*server.get_host_and_port())
        client = boto3.client("s3", endpoint_url=url)
        client.create_bucket(Bucket=name)
        yield Bucket(url, name, client)
        server.stop()
