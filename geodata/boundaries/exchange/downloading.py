"""Download one file, going on where an earlier try was cut off.

What is there already lies in ``downloads`` beside the user's sets, under the SHA-256 that the whole
file must have. A server that cannot give the rest sends all again. Nothing here is believed: the
caller compares the SHA-256 of the whole.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

Progress = Callable[[int, int | None], None]

_TRIES = 20
_CHUNK = 1 << 12  # of what a cut throws away, at most


class Resuming:
    """What pooch takes as a downloader.

    Attributes
    ----------
    part : Path
        Where a file grows; it is moved away when it is whole.
    resumed : bool
        Whether the last file began with what was there before.
    """

    def __init__(self, part: Path, timeout_s: float, progress: Progress | None) -> None:
        self.part, self.resumed = part, False
        self._timeout_s, self._tell = timeout_s, progress or (lambda done, total: None)

    def __call__(self, url: str, output_file: str, _pooch: Any) -> None:
        """Download a file; a transfer that is cut off is taken up again while it gets further."""
        self.part.parent.mkdir(parents=True, exist_ok=True)
        self.resumed = _size(self.part) > 0
        for _ in range(_TRIES):
            before = _size(self.part)
            try:
                if self._get(url):
                    break
            except OSError as error:  # requests' errors are OSErrors
                if getattr(error, "response", None) is not None or _size(self.part) <= before:
                    raise
        else:
            msg = f"cut off {_TRIES} times; what came is kept, the next fetch goes on from there"
            raise OSError(msg)
        self.part.replace(output_file)

    def _get(self, url: str) -> bool:
        """Ask for what is missing; False if what is there cannot be the beginning of it."""
        import requests

        done = _size(self.part)
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={done}-"} if done else {})
        with requests.get(url, stream=True, timeout=self._timeout_s, headers=headers) as answer:
            if done and answer.status_code == requests.codes.requested_range_not_satisfiable:
                self.part.unlink()  # it is longer than what the server has
                return False
            answer.raise_for_status()
            if not answer.headers.get("Content-Range", "").startswith(f"bytes {done}-"):
                done = 0
            length = answer.headers.get("Content-Length")
            total = done + int(length) if length else None
            with self.part.open("ab" if done else "wb") as file:
                for chunk in answer.iter_content(_CHUNK):
                    file.write(chunk)
                    done += len(chunk)
                    self._tell(done, total)
        if total is not None and done < total:
            msg = f"cut off after {done:,} of {total:,} bytes"
            raise OSError(msg)
        return True


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
