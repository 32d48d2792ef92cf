"""Run the command as ``python -m georl``."""

from georl.cli import program

if __name__ == "__main__":
    program()
