"""Serve a model over HTTP: OpenAI's chat completions with images and log-probabilities.

    georl serve out/tiny/final --port 8000

For trying things out and for tests, one request at a time; vLLM serves the same interface fast.
It listens on loopback and asks for no key, so nobody else reaches it.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
