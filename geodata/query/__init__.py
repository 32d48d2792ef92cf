"""SQL on the data: a DuckDB connection with the project's macros, and files and tables as views.

`connect` gives the connection, locked to what it was given: SQL that runs on it opens no other
file and no socket, loads no extension and changes no setting. `run` is for statements of
strangers: it takes one query and nothing else.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
