"""Run the command as ``python -m geodata``."""

from geodata.cli import program

if __name__ == "__main__":
    program()
