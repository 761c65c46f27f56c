"""Snakemake and DVC from the command line, and what keeps them from harming each other.

`run` and `sync` are commands. The rest serves the Snakefile: one run at a time holds the folder
(`owner`), what it makes is saved for DVC at its end (`hooks`, `save`), DVC refuses to work until
then (`guard`), a step asks DVC's run cache before it works (`restore`), ends with its run (`steps`)
and need not import what another has imported (`warm`).
"""
