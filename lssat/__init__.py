"""lssat: the open benchmark of ViT backbones with a masked-autoencoder auxiliary task (L-SSAT)."""

__version__: str  # of the installed package; pyproject.toml says it, and nothing else


def __getattr__(name: str) -> str:
    """Look the version up where it is asked for: few need it, and every import would wait."""
    if name != "__version__":
        raise AttributeError(f"module 'lssat' has no attribute {name!r}")
    from importlib.metadata import version

    return version("lssat")
