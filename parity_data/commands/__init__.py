"""The verbs of ``parity`` by theme. Each reads settings, calls one function, and prints what came back.

A module has a Typer application named ``app``; ``parity_data.cli`` puts them together.
"""
