"""The textures, a module each, found by their names: docs/add-a-texture.md."""
