"""Draw the map of the page about the bundled set."""

from pathlib import Path

from geodata import boundaries

if __name__ == "__main__":
    print(boundaries.draw_map("bundled", Path(__file__).with_name("bundled-map.png")))
