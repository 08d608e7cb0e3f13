"""Addresses: hosts written with the length of their network, beside the network itself."""

from __future__ import annotations

import ipaddress

import polars as pl
import pytest

from parity_data.mask import KeyRing, MaskSpec, compile_mask
from parity_data.mask.testing import KEYS

WHOLE = [f"{net}.{host}/24" for net in ("81.2.69", "10.1.2") for host in range(256)]
PARTS = [f"81.2.69.{host}/28" for host in range(256)]
LONG = [f"2a02:2e0:3fe::{host:x}/120" for host in range(256)]


@pytest.mark.parametrize("key", KEYS)
def test_a_host_never_becomes_its_network(key: KeyRing) -> None:
    values = pl.Series([*WHOLE, *PARTS, *LONG, *(text.split("/")[0] for text in WHOLE)])
    masked = compile_mask(MaskSpec("ip", {}), keys=key, type_name="inet")(values)
    assert masked.n_unique() == len(values)
    for before, after in zip(values, masked, strict=True):
        if "/" in before:
            old, new = ipaddress.ip_interface(before), ipaddress.ip_interface(after)
            assert (old.ip == old.network[0]) == (new.ip == new.network[0])
