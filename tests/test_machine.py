"""A profile's words about the machine reach `lssat train`, and no rule's parameters."""

import json
import os
import re
from pathlib import Path

import pytest

from lssat import machine

ROOT = Path(__file__).parent.parent


def test_what_a_profile_says_becomes_variables_that_train_reads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("LSSAT_")}
    monkeypatch.setattr(os, "environ", clean)  # what is set here reaches no other test's processes
    machine.tell({"devices": 2, "compile": True, "device": "cuda"}, {"experiment": "x"})
    source = "".join(file.read_text() for file in (ROOT / "lssat/cli").glob("*.py"))
    read = set(re.findall(r'envvar="(LSSAT_[A-Z]+)"', source))
    assert read == {f"LSSAT_{key.upper()}" for key in (*machine.KEYS, "tracking")}
    environment = os.environ
    assert environment["LSSAT_DEVICES"] == "2"
    assert environment["LSSAT_COMPILE"] == "True"
    assert "LSSAT_STRATEGY" not in environment
    assert json.loads(environment["LSSAT_TRACKING"]) == {"experiment": "x"}
