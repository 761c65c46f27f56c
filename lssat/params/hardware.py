"""What a machine decides about its jobs: devices and the like, of a profile or the command line.

Each key stands once, in `Hardware`: its default, what may stand there, and what it is for. A
profile's machine.yaml, the options of commands, their help and their messages are made of it. No
result depends on it, so a rule that carried it as a parameter would train again for nothing: it
reaches `lssat train` through the environment.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from lssat.tables import DataError

WHERE = "machine"
_ENERGY_MIX = "data/private_infra/global_energy_mix.json"  # of codecarbon, by country


def _no_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("a truth value is no number")
    return value


Count = Annotated[int, BeforeValidator(_no_bool), Field(ge=1)]
Partition = Annotated[str, Field(min_length=1)] | None


def _known_country(code: Any) -> Any:
    if code is not None and code not in _countries():
        raise ValueError("no country of codecarbon's")
    return code


def _key(default: Any, what: str, values: str) -> Any:
    """Return a key of a machine: what it is for, and what may stand there."""
    return Field(default, title=what, description=values)


class Hardware(BaseModel):
    """The machine of a run; each key's title says what it is for, its description its values."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    device: Literal["cpu", "cuda"] = _key(
        "cpu", "Where it is computed; there is no fallback", "cpu or cuda"
    )
    devices: Count = _key(1, "How many devices", "a whole number from 1; several share each batch")
    strategy: Literal["auto", "ddp", "fsdp"] = _key(
        "auto", "How several devices work together", "auto, ddp or fsdp"
    )
    compile: bool = _key(False, "torch.compile the step", "true or false")
    minutes: Annotated[float, BeforeValidator(_no_bool), Field(ge=0, allow_inf_nan=False)] = _key(
        10.0, "Minutes of training", "a number from 0, between two saved states"
    )
    readers: Annotated[int, BeforeValidator(_no_bool), Field(ge=0)] | None = _key(
        None,
        "Who reads ahead, by default 2 for a GPU and none for a CPU",
        "a whole number of threads, 0 or more",
    )
    energy: bool = _key(True, "Measure energy, with codecarbon", "true or false")
    country: Annotated[str | None, AfterValidator(_known_country)] = _key(
        None,
        "Where the machine stands: CO2 is estimated as well",
        "three letters (ISO 3166-1), such as DEU",
    )
    gpu_partition: Partition = _key(None, "SLURM's, of jobs with a GPU", "a partition's name")
    cpu_partition: Partition = _key(None, "SLURM's, of the other jobs", "a partition's name")

    @property
    def threads_ahead(self) -> int:
        """How many threads read ahead, where nothing was said too."""
        if self.readers is None:
            return 0 if self.device == "cpu" else 2
        return self.readers


# What reaches `lssat train` by variables. The device stands in each command, partitions in none.
KEYS = tuple(name for name in Hardware.model_fields if name != "device" and "partition" not in name)


def variable(key: str) -> str:
    """Return the environment's variable for a key."""
    return f"LSSAT_{key.upper()}"


def explain(key: str) -> str:
    """Return what a key is for and what may stand there, for a command's help."""
    field = Hardware.model_fields[key]
    return f"{field.title}: {field.description}."


def read(config: Mapping[str, Any]) -> Hardware:
    """Return the machine that a configuration describes, where `problems` finds nothing wrong."""
    return Hardware.model_validate(dict(config))


def problems(
    config: Mapping[str, Any],
    batch_size: int | None = None,
    here: bool = True,
    partitions: bool = False,
    spelt: str = "{}={}",
) -> list[str]:
    """List what is wrong with a machine's configuration, each a line with the way out.

    Args:
        config: of a profile and the command line: key -> value.
        batch_size: of the recipe, which the devices share.
        here: the jobs run on this machine: look whether it has the devices. Where these are GPUs
            it takes some seconds.
        partitions: look whether SLURM has the partitions, where its `sinfo` is there.
        spelt: how a key and its value are written, for the message.
    """
    hardware, wrong = _usable(config)
    sound = hardware.model_fields_set | (Hardware.model_fields.keys() - config.keys())
    if {"strategy", "devices"} <= sound:
        wrong += _shared(hardware, batch_size)
    if here and {"device", "devices"} <= sound:
        wrong += _lacking(hardware)
    if partitions:
        wrong += _partitions(hardware)
    return [f"{spelt.format(name, value)}: {text}" for name, value, text in wrong]


Problem = tuple[str, Any, str]  # a key, what was written, and what to write


def _usable(config: Mapping[str, Any]) -> tuple[Hardware, list[Problem]]:
    """Return the machine without the keys that cannot be, and what is wrong with those."""
    try:
        return read(config), []
    except ValidationError as error:
        bad = dict.fromkeys(str(fault["loc"][0]) for fault in error.errors())
    rest = {name: value for name, value in config.items() if name not in bad}
    return read(rest), [(name, _shown(config[name]), _advice(name, config[name])) for name in bad]


def _shown(value: Any) -> str:
    return "" if value is None else str(value)


def _advice(name: str, value: Any) -> str:
    known = Hardware.model_fields
    if name not in known:
        close = get_close_matches(name.lower(), known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"
        return f"unknown key; {hint}"
    if name == "device":
        return f"no such device; write {_device(value)}"
    if name == "country":
        return _country(str(value))
    return f"write {known[name].description}"


def _device(value: Any) -> str:
    """Say how a device is spelt here, by what was written."""
    kind, _, number = str(value).strip().lower().partition(":")
    if kind in ("cuda", "gpu", "nvidia"):
        own = f" (and CUDA_VISIBLE_DEVICES={number} before the command)" if number else ""
        return f"cuda{own}"
    return "cpu" if kind == "cpu" else "cpu or cuda"


def count_gpus() -> int:
    """Return how many GPUs torch can use, asked in a process of its own: its import is slow."""
    code = "import torch; print(torch.cuda.is_available() * torch.cuda.device_count())"
    command = [sys.executable, "-W", "ignore", "-c", code]  # it warns of a driver that is too old
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        problem = f"torch cannot be asked for its GPUs ({''.join(last)})"
        raise DataError(WHERE, problem, "Build the environment again: `make .venv`")
    return int(done.stdout)


def _shared(hardware: Hardware, batch_size: int | None) -> Iterator[Problem]:
    """Hold the number of devices to what they share."""
    asked = hardware.devices
    if hardware.strategy == "fsdp" and asked == 1:
        text = "parts the weights among devices, and there is 1; give it more devices, or auto"
        yield "strategy", "fsdp", text
    if batch_size and batch_size % asked:
        text = f"train.batch_size {batch_size} of params.yaml is no multiple of it"
        yield "devices", asked, f"{text}; change one of them"


def _lacking(hardware: Hardware) -> Iterator[Problem]:
    """Say which devices this machine lacks."""
    asked = hardware.devices
    if hardware.device == "cpu":
        if asked > (there := os.cpu_count() or 1):
            yield "devices", asked, f"this machine has {there} processors; write at most {there}"
    elif not (there := count_gpus()):
        text = "torch finds no GPU on this machine; write cpu, or mend its driver"
        yield "device", hardware.device, text
    elif asked > there:
        yield "devices", asked, f"torch finds {there} on this machine; write at most {there}"


def _countries() -> dict[str, Any]:
    spec = find_spec("codecarbon")  # without importing it, which takes a second
    return json.loads((Path(str(spec and spec.origin)).parent / _ENERGY_MIX).read_text())


def _country(code: str) -> str:
    """Say what to write for a country that codecarbon does not know under this code."""
    import pycountry  # of codecarbon, with the names of all countries

    try:
        country = pycountry.countries.lookup(code.strip())
    except LookupError:
        return f"no such country; write {Hardware.model_fields['country'].description}"
    if country.alpha_3 in _countries():
        return f"write {country.alpha_3}"
    return f"codecarbon knows nothing of {country.name}'s electricity; leave it out"


def _partitions(hardware: Hardware) -> Iterator[Problem]:
    """Hold the partitions to those that SLURM has, where it can be asked."""
    named = {name: getattr(hardware, name) for name in ("gpu_partition", "cpu_partition")}
    if not any(named.values()) or shutil.which("sinfo") is None:
        return
    command = ["sinfo", "--noheader", "--format", "%R"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return  # SLURM cannot be asked; sbatch will say why
    there = list(dict.fromkeys(done.stdout.split()))
    for name, value in named.items():
        if value and there and not set(value.split(",")) <= set(there):
            yield name, value, f"this cluster has {', '.join(there)}; write one of them"


def tell(config: Mapping[str, Any], tracking: dict[str, Any]) -> None:
    """Set the variables that `lssat train` takes for its options where none is given.

    Args:
        config: as `problems` found it good: `devices: 2` becomes LSSAT_DEVICES. A key that is not
            there takes its variable away: what is planned is what the jobs are told.
        tracking: the section `tracking`: where a training that fails is logged.
    """
    for key in KEYS:
        os.environ.pop(variable(key), None)
        if config.get(key) is not None:
            os.environ[variable(key)] = str(config[key])
    os.environ["LSSAT_TRACKING"] = json.dumps(tracking)
