"""lssat: the open benchmark of ViT backbones with a masked-autoencoder auxiliary task (L-SSAT)."""
