"""What maskers are built from, for those of a team's own.

``tokens`` and ``integers`` give the keyed bijections of a masking domain; ``valid_or_not``, ``walk`` and
``by_kind`` make bijections among values of one kind out of them; ``matches`` and ``passes`` say what is of a
kind; ``each`` lifts a function of one text.
"""

from parity_data.mask._common import by_kind, each, integers, matches, passes, tokens, valid_or_not, walk

__all__ = ["by_kind", "each", "integers", "matches", "passes", "tokens", "valid_or_not", "walk"]
