"""Functions of the lmms-eval task beside this file: ask, read, and write what was answered.

lmms-eval calls these by the names in ``geolocation.yaml``. Its own table shows how many answers lie
within 25 km; the file that `write_answers` leaves goes to ``geodata evaluate``, which counts with
intervals, and tells refused from unreadable and missing.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from geodata import answers, files, sphere

QUESTION = (
    "Where was this photo taken? Name the country, the region and the city, and end with the "
    "coordinates in decimal degrees as (latitude, longitude)."
)
NEAR_KM = 25.0


def doc_to_visual(doc: dict[str, Any]) -> list[Any]:
    """Return the photo of a row, from the folder that the variable PHOTOS names."""
    from PIL import Image

    return [Image.open(Path(os.environ.get("PHOTOS", ".")) / doc["image"]).convert("RGB")]


def doc_to_text(
    doc: dict[str, Any], lmms_eval_specific_kwargs: dict[str, str] | None = None
) -> str:
    """Return the question, between the texts that the task's settings put around it."""
    around = lmms_eval_specific_kwargs or {}
    return f"{around.get('pre_prompt', '')}{QUESTION}{around.get('post_prompt', '')}"


def doc_to_target(doc: dict[str, Any]) -> str:
    """Return the truth as an answer is asked for."""
    return f"({doc['lat']}, {doc['lon']})"


def process_results(doc: dict[str, Any], results: list[str]) -> dict[str, Any]:
    """Return the metrics of one row: whether it is near, and the words as they are."""
    words = results[0]
    answer = answers.parse_tolerant(words)
    near = (
        answer.lat is not None
        and answer.lon is not None
        and (sphere.haversine_km(doc["lat"], doc["lon"], answer.lat, answer.lon) <= NEAR_KM)
    )
    return {"within_25_km": float(near), "answers": {"id": str(doc["id"]), "response": words}}


def write_answers(results: list[dict[str, str]], args: Any = None) -> int:
    """Write all answers as JSON lines beside the other outputs; return how many they are."""
    out = Path(getattr(args, "output_path", None) or ".") / "submissions"
    out.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(row, ensure_ascii=False) for row in results]
    files.write_text(out / "geolocation_answers.jsonl", "\n".join(lines) + "\n")
    return len(lines)
