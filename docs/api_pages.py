"""Pages of the reference, one a public module: its idea, a table of its names, then each name."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path

# Module -> its public names; those in another list are for other packages only.
MODULES: dict[str, str] = {
    "geodata.cor": "label label_table label_file RegionChain LabelReport",
    "geodata.boundaries": "load build available home BoundarySet verify_set describe draw_map diff "
    "rows_changed export fetch fetch_overture known_sets",
    "geodata.gazetteer": "resolve resolve_many geocode codes places same_by_string Place Region",
    "geodata.places": "Places PlaceMatch radius_km",
    "geodata.locate": "Index load build",
    "geodata.answers": "render question parse_strict parse_tolerant strict_pair is_refusal Answer",
    "geodata.evaluation": "evaluate compare table Evaluation Comparison ModelTable Options",
    "geodata.evaluation.joining": "read_predictions read_truth join Predictions Truth Joined",
    "geodata.evaluation.scores": "Scoring Scorer Scores Group Interval Paired RegionAccuracy "
    "CandidateScores Confidence Models Published published_for Preset preset_of",
    "geodata.evaluation.findings": "Finding PredictionError",
    "geodata.photos": "read import_ ImportReport AlreadyImportedError open_archive open_image",
    "geodata.tables": "append write open open_rows history names path_of verify repair diff tag "
    "tags untag vacuum compact restore checkpoint forget lake_salt card write_card draw_map "
    "export write_part commit_parts Part TableVersion Commit History Report Diff Forgotten",
    "geodata.datasets": "build rebuild audit register Built Audit EmptyDatasetError",
    "geodata.records": "sft grpo batches write read_llava Options Written",
    "geodata.popular": "within_km exclude cells cell_points PopularRegions",
    "geodata.near_duplicates": "hash_photos report markdown write draw near burst_of fingerprint "
    "Leakage Overlap Bursts Hashed Pairs Fingerprint",
    "geodata.leakage": "*",
    "geodata.query": "connect run load_sql sql_folder QueryError QueryLimitError",
    "geodata.files": "open_source Source Batch read_table coordinate_columns writing write_table "
    "replacing FileError",
    "geodata.maps": "WorldMap project great_circle cap count_cells outlines",
    "geodata.scale": "Label Exclude Popular Filter Records Score ScoreSums label_shard "
    "records_shard join_shards Shard Sharded JoinedShards ShardError label_on_ray "
    "build_on_ray map_dataset score_dataset score_file write_dataset WorkerMismatchError "
    "RayClusterError",
    "geodata.sphere": "*",
    "geodata.coords": "*",
    "georl.config": "* -is_first -missing_package -plain -world_size",
    "georl.data": "* -checked -trainer_inputs",
    "georl.models": "* -base_name -base_revision -halve",
    "georl.rewards": "*",
    "georl.sft": "* -GeoSFTTrainer",
    "georl.grpo": "* -GeoGRPOTrainer",
    "georl.run": "* -ExactResume -RolloutLog -save_figure -delete -join_processes -seal_model",
    "georl.held_out": "* -attach",
    "georl.predict": "*",
    "georl.reasoning": "*",
    "georl.calibration": "*",
    "georl.serve": "*",
    "georl.endpoints": "*",
    "georl.http": "*",
    "georl.plan": "*",
    "georl.demo": "*",
}


def write(folder: Path) -> None:
    """Write a page a module into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = {module: _page(module, members(module)) for module in MODULES}
    for path in folder.glob("*.md"):
        if path.stem not in pages:
            path.unlink()
    for module, text in pages.items():
        path = folder / f"{module}.md"
        if not path.exists() or path.read_text() != text:  # an unchanged page is not built again
            path.write_text(text)


def members(module: str) -> list[str]:
    """Return the public names of a module, in the order of its page."""
    given = MODULES[module].split()
    if given[0] != "*":
        return given
    found = importlib.import_module(module)
    left_out = {name.removeprefix("-") for name in given[1:]}
    names = getattr(found, "__all__", None) or [
        name
        for name, value in vars(found).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module
    ]
    return [name for name in names if name not in left_out and _is_documented(found, name)]


def _is_documented(module: object, name: str) -> bool:
    value = getattr(module, name)
    return inspect.isclass(value) or inspect.isroutine(value)


def _page(module: str, names: list[str]) -> str:
    found = importlib.import_module(module)
    parts = [
        f"# {module}",
        "```{eval-rst}",
        f".. automodule:: {module}",
        f".. currentmodule:: {module}",
    ]
    classes = [name for name in names if inspect.isclass(getattr(found, name))]
    errors = [name for name in classes if issubclass(getattr(found, name), Exception)]
    groups = {
        "Functions": [name for name in names if name not in classes],
        "Classes": [name for name in classes if name not in errors],
        "Errors": errors,
    }
    for title, group in groups.items():
        if group:
            rows = "\n".join(f"   {name}" for name in group)
            parts.append(f"\n.. rubric:: {title}\n\n.. autosummary::\n   :nosignatures:\n\n{rows}")
    for title, group in groups.items():
        kind = "function" if title == "Functions" else "class"
        for name in group:
            body = "" if kind == "function" else "\n   :members:"
            parts.append(f"\n.. auto{kind}:: {name}{body}")
    return "\n".join([*parts, "```", ""])


def split_grouped(app, what, name, obj, options, lines: list[str]) -> None:  # noqa: ANN001
    """Give each of several parameters or attributes that share a description a line of its own."""
    del app, what, name, obj, options
    made: list[str] = []
    at = 0
    while at < len(lines):
        grouped = re.fullmatch(r"(\w+(?:, \*{0,2}\w+)+)( : .*)?", lines[at])
        if grouped is None or at + 1 >= len(lines) or not lines[at + 1].startswith("    "):
            made.append(lines[at])
            at += 1
            continue
        end = at + 1
        while end < len(lines) and (lines[end].startswith("    ") or not lines[end].strip()):
            end += 1
        for one in grouped[1].split(", "):
            made += [one + (grouped[2] or ""), *lines[at + 1 : end]]
        at = end
    lines[:] = made
