"""Beyond one machine: functions of one Arrow batch, shards of a file, and engines that run them.

A batch function is small and can be pickled. What it needs (boundary index, places, popular
points) is opened once a worker where the worker finds it, and known by hash: a worker that finds
something else than the driver had refuses before it does anything. The rows that any split into
batches gives together are those of one process.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
