"""The readers of the official releases: a raw tree becomes a manifest and a list of rejects."""

from lssat.data.datasets.manifests import listed, manifest, no_loss, reader, task, whole, write

__all__ = ["listed", "manifest", "no_loss", "reader", "task", "whole", "write"]
