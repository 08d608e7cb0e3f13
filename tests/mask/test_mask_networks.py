"""Networks and the addresses within them stay apart, and networks join across types."""

from __future__ import annotations

import ipaddress

import polars as pl
import pytest

from parity_data.mask import MaskSpec, compile_mask
from parity_data.mask.testing import KEYS


def masked(values: list[str], type_name: str, key: int) -> list[str]:
    return compile_mask(MaskSpec("ip", {}), KEYS[key], type_name=type_name)(pl.Series(values)).to_list()


@pytest.mark.parametrize("key", range(4))
@pytest.mark.parametrize("network", ["10.2.7.0/24", "84.132.7.64/26", "2a02:8109:9340::/120"])
def test_a_network_and_its_addresses_stay_apart(network: str, key: int) -> None:
    whole = ipaddress.ip_network(network)
    values = [f"{address}/{whole.prefixlen}" for address in whole]
    new = masked(values, "inet", key)
    assert len(set(new)) == len(values)
    assert new[:1] == masked([network], "cidr", key) == masked([network], "text", key)
    networks = [ipaddress.ip_interface(text) for text in new]
    assert [n.ip == n.network.network_address for n in networks] == [True] + [False] * (len(values) - 1)
