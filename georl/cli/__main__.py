"""``python -m georl.cli``, which launchers start."""

from georl.cli.application import program

program()
