"""Format-preserving encryption: keyed bijections on strings of one shape, evaluated in bulk."""

from parity_data.mask.cipher.integers import IntegerCipher
from parity_data.mask.cipher.token_cipher import TokenCipher

__all__ = ["IntegerCipher", "TokenCipher"]
