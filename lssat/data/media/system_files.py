"""What systems leave in folders beside the files of a data set; it is no sample and no frame."""

_WINDOWS = {"thumbs.db", "ehthumbs.db", "desktop.ini"}


def hidden(name: str) -> bool:
    """Say whether a name is a system's: it begins with a dot, as do macOS's `._0001.png`."""
    return name.startswith(".") or name.lower() in _WINDOWS
