"""Deliberate faults: what they are, where they go, which tests could see them."""
