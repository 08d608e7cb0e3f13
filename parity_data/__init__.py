"""parity-data: refresh staging from production, masked, proportional, verified and signed.

The package reads in the order in which data flows: ``catalog`` -> ``detect``/``rules`` -> ``subset`` ->
``transfer`` + ``mask`` -> ``release`` -> ``verify`` -> ``report``. A stage never imports a later one;
``refresh`` strings them together, and only ``assets`` and ``cli`` know all of them.
"""

__version__ = "0.1.0"
