"""The models: backbones, the two-branch model, losses, weights and checkpoints."""
