from .cards import card as card, write_card as write_card
from .exporting import export as export
from .mapping import draw_map as draw_map
