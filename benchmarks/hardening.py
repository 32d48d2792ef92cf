"""R1-R18 at full figures: what was asked, what was reached, passed or not (`make hardening`).

A row is met by tests of the project. Those that take a figure (the fixture `figure`) take the full
one here; each row is one run of pytest, and the figures that its tests recorded are compared with
those that the row asks.

    python benchmarks/hardening.py             all rows
    python benchmarks/hardening.py --only R6   one row, or several with commas between

Exit status: 0 if every row is met, 1 if one is not, 2 for an unknown row.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import textwrap
import xml.etree.ElementTree as ET
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]


class Row(NamedTuple):
    """A property, the figures asked, and the tests that meet it."""

    what: str
    asked: str
    least: dict[str, float]
    """What the tests must have reached, by the name under which they record it."""
    tests: tuple[str, ...]
    """Files or tests below tests/."""


ROWS = {
    "R1": Row(
        "distance",
        "500k pairs beside pyproj <= 1e-6 m; 1M antipodes, no NaN; SQL = numpy",
        {},
        (
            "sql/test_objects.py::test_distances_agree_with_pyproj_and_numpy",
            "sql/test_objects.py::test_antipodes_are_numbers",
            "sql/test_objects.py::test_narrow_types_are_computed_in_double",
            "test_relations.py::test_one_distance_everywhere",
        ),
    ),
    "R2": Row(
        "partition",
        ">= 1M points: one leaf each, no parent contradicted",
        {"labelled points": 1_000_000},
        (
            "locate/test_index.py::test_r2_every_point_of_a_tiling_has_exactly_one_owner",
            "cor/test_labels.py::test_every_admin1_lies_in_its_country",
        ),
    ),
    "R3": Row(
        "label correctness",
        "0 differences from plain shapely, 1M points and 200k at borders",
        {"points": 1_000_000, "points at borders": 200_000},
        (
            "locate/test_world.py::test_r3_bundled_boundaries",
            "locate/test_world.py::test_r3_osm_boundaries_in_full",
            "locate/test_world.py::test_r3_the_compiled_set_says_what_its_polygons_say",
            "locate/test_index.py::test_r3_same_as_a_plain_shapely_loop",
        ),
    ),
    "R4": Row(
        "bad coordinates",
        "200 examples a property: typed errors only, no silent label",
        {},
        (
            "cor/test_labels.py::test_r4_any_pair_is_labelled_or_refused",
            "cor/test_labels.py::test_r4_a_bad_scalar_is_refused_with_its_value",
            "places/test_places.py::test_refuses_what_is_not_on_earth",
            "photos/test_importing.py::test_any_table_with_a_mapping",
        ),
    ),
    "R5": Row(
        "equivalence",
        "scalar = array = Arrow = file, any batch size, any threads",
        {},
        (
            "cor/test_labels.py::test_r5_scalar_array_arrow_and_frames_agree",
            "cor/test_labels.py::test_r5_rows_do_not_depend_on_their_neighbours",
            "cor/test_files.py::test_r5_a_file_gives_what_a_table_gives_in_any_batch_size",
            "cor/test_files.py::test_every_format_into_every_format",
            "places/test_places.py::test_scalar_is_the_array_bit_for_bit",
            "locate/test_index.py::test_r5_one_point_gives_what_arrays_give",
            "test_relations.py",
        ),
    ),
    "R6": Row(
        "answer parser and reward fuzz",
        "1M grammar, 100k mutated: no error, finite; 1 MB <= 10 ms, doubled <= 2.5x",
        {"grammar texts": 1_000_000, "mutated texts": 100_000, "rewarded texts": 1_000_000},
        (
            "answers/test_answers.py::test_r6_fuzz",
            "answers/test_answers.py::test_r6_time_does_not_grow_with_the_text",
            "answers/test_answers.py::test_any_text_gives_a_sound_answer",
            "answers/test_answers.py::test_hostile_repetition_gives_sound_answers",
            "georl/rewards/test_rewards.py::test_r6_rewards_are_finite_shares",
            "georl/rewards/test_rewards.py::test_r6_fuzzed_batches_are_finite",
        ),
    ),
    "R7": Row(
        "reward hacking",
        ">= 50 written attacks: none beats the honest answer",
        {},
        (
            "georl/rewards/test_rewards.py::test_r7_attacks_earn_what_their_single_coordinate_deserves",
            "georl/rewards/test_rewards.py::test_r7_there_are_enough_attacks",
            "georl/rewards/test_rewards.py::test_r7_tolerant_reading_pays_no_doubtful_answer",
            "georl/rewards/test_rewards.py::test_r7_released_form_pays_one_answer",
            "georl/rewards/test_rewards.py::test_r7_adding_guesses_never_pays",
        ),
    ),
    "R8": Row(
        "prediction-file reader fuzz",
        "20k mutants: typed errors, no wrong score; 60 oddities; bombs 10 s, 1 GiB",
        {"csv mutants": 7000, "jsonl mutants": 7000, "Parquet mutants": 6000},
        (
            "evaluation/joining/test_joining.py::test_mutants_give_typed_errors_or_right_rows",
            "evaluation/joining/test_joining.py::test_parquet_mutants_give_typed_errors",
            "evaluation/joining/test_joining.py::test_there_are_sixty_oddities",
            "evaluation/joining/test_joining.py::test_oddity_reads_as_expected",
            "evaluation/joining/test_joining.py::test_bombs_end_soon_and_small",
            "test_bombs.py",
        ),
    ),
    "R9": Row(
        "SQL",
        "60 escapes and 300 writes: no file or socket touched outside",
        {},
        (
            "query/test_connection.py",
            "query/test_writes.py",
        ),
    ),
    "R10": Row(
        "kill -9 during a commit",
        "200 kills: old or new version whole; a resumed build has the same hash",
        {"kills": 200},
        (
            "tables/test_tables.py::test_kill_during_commits",
            "datasets/test_recipes.py::test_a_killed_build_leaves_the_old_version_or_the_new",
        ),
    ),
    "R11": Row(
        "full disk, short write",
        "typed error, old version intact, no partial final name",
        {},
        (
            "tables/test_tables.py::test_a_full_disk_is_one_error_and_changes_nothing",
            "tables/test_tables.py::test_a_full_disk_on_the_first_append_leaves_nothing",
            "datasets/test_recipes.py::test_a_full_disk_stops_a_build_and_changes_nothing",
            "records/test_records.py::test_a_record_that_fails_leaves_the_file_as_it_was",
        ),
    ),
    "R12": Row(
        "concurrency",
        "8 readers, 5 writers x 20 commits: none mixed, none lost",
        {},
        (
            "tables/test_tables.py::test_writers_and_readers_at_once",
            "tables/test_tables.py::test_8_readers_and_5_writers",
        ),
    ),
    "R13": Row(
        "memory",
        "labelling 100M rows from Parquet: <= 1 GiB and flat",
        {"rows": 100_000_000},
        ("locate/test_world.py::test_r13_memory_is_flat",),
    ),
    "R14": Row(
        "determinism",
        "one hash for 1 and 8 threads and any PYTHONHASHSEED",
        {},
        (
            "tables/test_tables.py::test_content_hash_is_the_same_for_any_files_threads_and_hash_seed",
            "datasets/test_recipes.py::test_threads_and_hash_seeds_change_nothing",
            "datasets/test_recipes.py::test_a_sample_does_not_depend_on_the_order_of_rows",
            "datasets/test_recipes.py::test_every_recipe_replays",
            "places/test_places.py::test_rebuild_is_byte_identical",
            "boundary_build/test_sources_and_bundled.py::test_rebuild_gives_the_same_bytes",
        ),
    ),
    "R15": Row(
        "corruption",
        "1,000 flips in a table, 1,000 in checkpoints, 200 in boundaries: all found",
        {"flips in a table": 1000},
        (
            "tables/test_tables.py::test_verify_finds_flipped_bits",
            "georl/run/test_checkpoints.py::test_every_flipped_bit_of_1000_is_found",
            "boundaries/test_exchange.py::test_verify_finds_two_hundred_corruptions",
            "cor/test_labels.py::test_bundled_files_match_their_provenance",
        ),
    ),
    "R16": Row(
        "training resume",
        "kill and resume = uninterrupted, bit for bit; damaged checkpoints refused",
        {},
        (
            "georl/run/test_resume.py",
            "georl/run/test_checkpoints.py",
        ),
    ),
    "R17": Row(
        "downloads",
        "truncated, flipped, redirected, slow: nothing unverified in place",
        {},
        (
            "boundaries/test_exchange.py::test_fetch_brings_the_set_that_was_exported",
            "boundaries/test_exchange.py::test_nothing_unverified_is_ever_used",
            "boundaries/test_exchange.py::test_a_failed_fetch_leaves_the_set_that_was_there",
            "boundaries/test_exchange.py::test_a_pinned_archive_that_is_no_set_is_refused",
        ),
    ),
    "R18": Row(
        "supply chain",
        "versions pinned, with hashes; bundled files licensed and hashed; no pickle",
        {},
        (
            "test_supply_chain.py",
            "cor/test_labels.py::test_bundled_files_match_their_provenance",
            "georl/models/test_models.py",
        ),
    ),
}


class Outcome(NamedTuple):
    """What a run of pytest came to."""

    passed: int
    failed: list[str]
    skipped: int
    reached: dict[str, float]
    seconds: float
    """Of processors, of all processes together: a shared machine changes it little."""


def run(row: Row) -> Outcome:
    """Run the tests of a row at full figures."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--full"]
        command += [f"--junitxml={report}", "-o", "junit_family=xunit1"]
        begun = spent()
        done = subprocess.run(
            [*command, *(f"tests/{test}" for test in row.tests)],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        seconds = spent() - begun
        if not report.is_file():
            return Outcome(0, [done.stdout[-500:] + done.stderr[-500:]], 0, {}, seconds)
        return read(report, seconds)


def spent() -> float:
    """Return the processor seconds of all processes that this one started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def read(report: Path, seconds: float) -> Outcome:
    """Read pytest's report: which failed, and the figures that tests recorded."""
    failed, skipped, passed = [], 0, 0
    reached: dict[str, list[float]] = defaultdict(list)
    for case in ET.parse(report).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(f"{case.get('classname')}::{case.get('name')}")
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
        for told in case.iter("property"):
            reached[str(told.get("name"))].append(float(str(told.get("value"))))
    return Outcome(passed, failed, skipped, {k: max(v) for k, v in reached.items()}, seconds)


def met(row: Row, found: Outcome) -> bool:
    """Return whether all tests passed, some did, and at the figures that the row asks."""
    figures = all(found.reached.get(name, 0) >= least for name, least in row.least.items())
    return bool(found.passed and not found.failed and figures)


def shown(name: str, row: Row, found: Outcome) -> str:
    """Return the lines of a row, 80 columns."""
    verdict = "passed" if met(row, found) else "FAILED"
    tests = f"{found.passed} tests" + (f", {found.skipped} skipped" if found.skipped else "")
    reached = [f"{k} {v:,.10g}" for k, v in sorted(found.reached.items())]
    lines = [f"{name:<4}{verdict}  {row.what}  ({found.seconds:,.0f} CPU s)"]
    for head, text in (("asked", row.asked), ("reached", "; ".join([*reached, tests]))):
        lines += textwrap.wrap(
            text, 80, initial_indent=f"    {head:<8}", subsequent_indent=" " * 12
        )
    return "\n".join(lines + [f"    failed  {test[-68:]}" for test in found.failed])


def main() -> int:
    """Run the rows that were asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", default=",".join(ROWS), help="rows, with commas between")
    names = parser.parse_args().only.split(",")
    unknown = [name for name in names if name not in ROWS]
    if unknown:
        print(f"no row {', '.join(unknown)}; there are {', '.join(ROWS)}", file=sys.stderr)
        return 2
    failed, seconds = [], 0.0
    for name in names:
        found = run(ROWS[name])
        print(shown(name, ROWS[name], found), flush=True)
        failed += [] if met(ROWS[name], found) else [name]
        seconds += found.seconds
    print(f"{len(names) - len(failed)} of {len(names)} rows met in {seconds / 60:,.1f} CPU minutes")
    if failed:
        print(f"not met: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
