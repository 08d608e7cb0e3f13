"""Subkeys from the one masking key: HKDF-SHA-256 (RFC 5869), one per purpose and masking domain."""

from __future__ import annotations

import hashlib
import hmac

from parity_data.secret import Secret

_SALT = b"parity-data masking key"


class KeyRing:
    """Everything keyed is derived here. Picklable, so that worker processes can have it; shows no key.

    key_id: a fingerprint (16 hexadecimal digits) that tells keys apart in reports and reveals none.
    """

    __slots__ = ("_root", "key_id")

    def __init__(self, key: Secret) -> None:
        self._root = hmac.digest(_SALT, key.reveal().encode("utf-8"), "sha256")
        self.key_id = self.subkey("key id", length=8).hex()

    def subkey(self, purpose: str, domain: str = "", length: int = 32) -> bytes:
        """HKDF-Expand. length: bytes, at most 8160. Different (purpose, domain) give unrelated keys."""
        name = purpose.encode("utf-8")
        info = len(name).to_bytes(4, "big") + name + domain.encode("utf-8")
        block, out = b"", b""
        for counter in range(1, -(-length // hashlib.sha256().digest_size) + 1):
            block = hmac.digest(self._root, block + info + bytes([counter]), "sha256")
            out += block
        return out[:length]

    def __repr__(self) -> str:
        return f"KeyRing(key_id={self.key_id!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KeyRing) and hmac.compare_digest(self._root, other._root)

    def __hash__(self) -> int:
        return hash(self.key_id)

    def __getstate__(self) -> tuple[bytes, str]:
        return self._root, self.key_id

    def __setstate__(self, state: tuple[bytes, str]) -> None:
        self._root, self.key_id = state
