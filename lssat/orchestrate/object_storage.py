"""Where nodes share no files: Snakemake's copies of what lies in object storage, as the project's.

Snakemake brings a job's inputs from its default storage into a folder of its own, and takes the
outputs from there. Steps find and leave their files by the project's layout. A link makes both the
same place. Its object is Snakemake's `workflow`; nothing here imports Snakemake.
"""

import os
from pathlib import Path
from typing import Any

from lssat.tables import DataError


def used(workflow: Any) -> bool:
    """Say whether the files of the benchmark lie in a storage of Snakemake's."""
    return workflow.storage_registry.default_storage_provider is not None


def link(workflow: Any) -> None:
    """Let the local copies of the storage lie in the project's folder, the working directory.

    Raises:
        DataError: copies of a Snakemake that did without the link are in the way.
    """
    if not used(workflow):
        return
    provider = workflow.storage_registry.default_storage_provider
    prefix = workflow.storage_settings.default_storage_prefix.rstrip("/")
    place = Path(provider.object(f"{prefix}/any").local_path()).parent
    place.parent.mkdir(parents=True, exist_ok=True)
    here = os.path.relpath(Path.cwd(), place.parent.resolve())
    try:
        place.symlink_to(here, target_is_directory=True)
    except FileExistsError as error:
        if not place.is_symlink() or place.resolve() != Path.cwd():
            fix = "Move it away: it is a copy of what lies in the storage"
            raise DataError(place, "is not the link that steps need", fix) from error
