"""A table of a few photos that recipes choose from."""

import pyarrow as pa


def rows(n=8, **more):
    """Photos p0, p1, ... at latitudes 0, 1, ..."""
    return pa.table({"photo_id": [f"p{i}" for i in range(n)], "lat": [float(i) for i in range(n)],
                     "lon": [2.0] * n, **more})  # fmt: skip
