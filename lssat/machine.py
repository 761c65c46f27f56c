"""What a machine decides about training: passed through the environment, not as parameters.

No result depends on it, so a rule that carried it as a parameter would train again for nothing.
"""

import json
import os
from typing import Any

# Of a profile's `config`.
KEYS = ("devices", "strategy", "minutes", "readers", "country", "compile")


def tell(config: dict[str, Any], tracking: dict[str, Any]) -> None:
    """Set the variables that `lssat train` takes for its options where none is given.

    Args:
        config: Snakemake's, from the profile: `devices: 2` becomes LSSAT_DEVICES.
        tracking: the section `tracking`: where a training that fails is logged.
    """
    for key in KEYS:
        if key in config:
            os.environ[f"LSSAT_{key.upper()}"] = str(config[key])
    os.environ["LSSAT_TRACKING"] = json.dumps(tracking)
