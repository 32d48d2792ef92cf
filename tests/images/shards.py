"""WebDataset shards with the members that a test names."""

import io
import json
import tarfile


def shard(path, *members):
    """Write a tar of (name, bytes) and return its path."""
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, "w") as made:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            made.addfile(info, io.BytesIO(data))
    return path


def text(**fields):
    """Return fields as the JSON of a member."""
    return json.dumps(fields).encode()
