"""Whether released weights are in the local cache or can be fetched, by huggingface_hub."""

import os
import urllib.request
from pathlib import Path

SECONDS = 5.0  # that the hub has for an answer


def problem(source: str, repository: str, files: list[str]) -> str | None:
    """Say why weights cannot be had, or None.

    Args:
        source: timm's name.
        repository: the hub's name.
        files: names to try, the first that exists counts; if empty, `repository` is the address
            of the one file.
    """
    if not files:
        return _problem_of_address(source, repository)
    import huggingface_hub as hub
    from huggingface_hub import constants, errors

    if any(isinstance(hub.try_to_load_from_cache(repository, name), str) for name in files):
        return None
    away = f"{source} is not in the local cache ({constants.HF_HUB_CACHE})"
    fix = "connect this machine, or fetch the file elsewhere and name its path here"
    if constants.HF_HUB_OFFLINE:
        return f"{away}, and HF_HUB_OFFLINE forbids to fetch it; {fix}"
    for name in files:
        try:
            hub.get_hf_file_metadata(hub.hf_hub_url(repository, name), timeout=SECONDS)
        except errors.EntryNotFoundError:
            continue
        except errors.HfHubHTTPError as error:
            answer = str(error).splitlines()[0]
            return f"{away}, and the hub refuses {repository}: {answer}; {fix}"
        except Exception as error:  # the client's own errors of connection are of many types
            return f"{away}, and the hub cannot be reached ({type(error).__name__}); {fix}"
        return None
    return f"{away}, and {repository} holds neither {' nor '.join(files)}; {fix}"


def _problem_of_address(source: str, address: str) -> str | None:
    """Say why the file at an address cannot be had; torch.hub caches what it has fetched."""
    home = os.environ.get("TORCH_HOME") or Path(
        os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "torch"
    )
    kept = Path(home, "hub/checkpoints", address.rsplit("/", 1)[-1])
    if kept.is_file():
        return None
    fix = f"connect this machine, or fetch {address} elsewhere to {kept}"
    try:
        request = urllib.request.Request(address, method="HEAD")
        with urllib.request.urlopen(request, timeout=SECONDS):
            return None
    except (OSError, ValueError) as error:  # of the address, the connection, the server
        return f"{source} is not at {kept}, and cannot be fetched ({error}); {fix}"
