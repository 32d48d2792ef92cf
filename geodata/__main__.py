"""Run the command as ``python -m geodata``."""

from geodata.cli import main

if __name__ == "__main__":
    main()
