"""Faults that change nothing that anybody could see, with the reason: they are not counted.

An entry names the file, the lines as they stand (blanks between words as one) and the lines with
the fault. It must fit: the lines are looked for whenever faults are drawn.
"""

from __future__ import annotations

from pathlib import Path

EQUIVALENT = (  # (file, there, with the fault, why)
    (
        "geodata/evaluation/joining/named_answers.py",
        "if names is None and not (blank | np.isnan(answers.lat)).all():",
        "if names is None and not (blank | np.isnan(answers.lon)).all():",
        "an answer has both coordinates or neither: checked_rows empties both",
    ),
    (
        "sql/audits/dataset_near_popular.sql",
        "UNION ALL",
        "UNION",
        "a semi join asks whether there is a row, not how often",
    ),
    (
        "sql/macros/far_from_popular.sql",
        "UNION ALL",
        "UNION",
        "an anti join asks whether there is a row, not how often",
    ),
    (
        "geodata/tables/log/tagging.py",
        'version, found = -1, ""',
        'version, found = (1), ""',
        "an empty text is no tag's, whatever the version",
    ),
    (
        "georl/data/world.py",
        "while sum(table.num_rows for table in found) < rows:",
        "while (sum((table.num_rows for table in found)) <= rows):",
        "what is drawn once too often lies behind the first rows, which alone are kept",
    ),
    (
        "georl/models/tiny.py",
        "show_progress=False,",
        "show_progress=True,",
        "a bar at a terminal; what is told on the way is not counted",
    ),
    (
        "georl/models/tiny.py",
        "trainer = trainers.BpeTrainer( vocab_size=vocabulary, "
        "special_tokens=list(SPECIAL_TOKENS), "
        "initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False, )",
        "trainer = (trainers.BpeTrainer(vocab_size=vocabulary, "
        "special_tokens=list(SPECIAL_TOKENS), "
        "initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))",
        "a bar at a terminal; what is told on the way is not counted",
    ),
    (
        "georl/models/tiny.py",
        "image_processor = Qwen2VLImageProcessorPil(patch_size=14, size=size)",
        "image_processor = (Qwen2VLImageProcessorPil(size=size))",
        "the library's own default; said here, so that it may change there",
    ),
    (
        "georl/models/tiny.py",
        "with torch.random.fork_rng(devices=[]):",
        "with (torch.random.fork_rng()):",
        "weights are drawn on the processor; states of GPUs are kept or not, and nothing draws",
    ),
    (
        "georl/held_out/evaluating.py",
        '"answered": sum(one.lat is not None for one in read) / len(read),',
        '"answered": sum(one.lon is not None for one in read) / len(read),',
        "a tolerant reading has both coordinates or neither",
    ),
    (
        "geodata/images/upright.py",
        'return image if image.mode == "RGB" else image.convert("RGB")',
        "return image if image.mode == 'RGB_' else image.convert(\"RGB\")",
        "a copy of a photo in RGB is that photo",
    ),
    (
        "georl/data/lanes.py",
        "for batch in file.iter_batches(_BATCH, [unit.group], held, use_threads=False):",
        "for batch in file.iter_batches(_BATCH, [unit.group], held, use_threads=True):",
        "who decodes the rows; they come in their order whoever it is",
    ),
    (
        "georl/rewards/globe.py",
        "(same(name.country, true), same(name.city, real))",
        "((same(true, name.country)), same(name.city, real))",
        "the rule asks the same of both names: the shorter lies in the longer",
    ),
    (
        "georl/rewards/chains.py",
        "pairs = [None if a.lat is None or a.lon is None else (a.lat, a.lon) for a in read]",
        "pairs = [None if a.lat is None or a.lat is None else (a.lat, a.lon) for a in read]",
        "a strict reading has both coordinates or neither",
    ),
    (
        "georl/data/lanes.py",
        "_BATCH = 32",
        "_BATCH = 33",
        "how many rows are decoded in one go; they come one by one whatever it is",
    ),
    (
        "georl/sft.py",
        "pin=self.args.dataloader_pin_memory and torch.cuda.is_available(),",
        "pin=(self.args.dataloader_pin_memory or torch.cuda.is_available()),",
        "the arguments ask for pinned memory where there is a GPU, and nowhere else: use_cpu",
    ),
    (
        "georl/rewards/globe.py",
        'head, _, rest = name.partition(",")',
        'head, _, rest = name.rpartition(",")',
        "the name holds one comma, says the line above",
    ),
    (
        "geodata/photos/report.py",
        'if self.statuses["unreadable"] and len(self.unreadable) < MAX_EXAMPLES:',
        "if (len(self.unreadable) < MAX_EXAMPLES):",
        "spares a look at rows of which none is unreadable; the look finds none either",
    ),
    (
        "geodata/places/divisions.py",
        "_WIDTH = 1 << 20",
        "_WIDTH = 1 << 21",
        "any width above the number of divisions keeps countries apart",
    ),
    (
        "geodata/query/clock.py",
        "return max(self._end - time.monotonic(), _TICK_S / 2)",
        "return max(self._end - time.monotonic(), (_TICK_S * 2))",
        "a query that is over is stopped some hundredths of a second later",
    ),
    (
        "georl/grpo/first_batch.py",
        "tokens = [int(cells) // merged for cells in grid.prod(-1)]",
        "tokens = [int(cells) // merged for cells in grid.prod((1))]",
        "the grids are (images, 3), so the last axis is axis 1",
    ),
    (
        "georl/grpo/shared_trainer.py",
        'pixels = torch.split(torch.as_tensor(out["pixel_values"]), grid.prod(-1).tolist())',
        'pixels = torch.split(torch.as_tensor(out["pixel_values"]), grid.prod((1)).tolist())',
        "the grids are (images, 3), so the last axis is axis 1",
    ),
    (
        "geodata/near_duplicates/bursts.py",
        "if len(rows) > 1:",
        "if (len(rows) >= 1):",
        "one photo has no other to be like: there are no pairs either way",
    ),
    (
        "geodata/places/rule.py",
        'whole = np.where(inside[1] == ANY, city, inside[0].city.take(winner, mode="clip"))',
        "whole = np.where(inside[1] == ANY, city, (inside[0].city.take(winner)))",
        "NOBODY is -1, the last place; what is read there is not used, since winner >= 0 is asked",
    ),
    (
        "georl/rewards/globe.py",
        'inside = gazetteer.resolve(rest.strip(), level="admin1", country="US")',
        'inside = gazetteer.resolve((rest), level="admin1", country="US")',
        "the gazetteer looks names up without blanks around them",
    ),
    (
        "georl/run/rollouts.py",
        "self.last: tuple[Tensor, Tensor] = (torch.zeros(0), torch.zeros(0))",
        "self.last: tuple[Tensor, Tensor] = (torch.zeros(0), torch.ones(0))",
        "no values are no values",
    ),
    (
        "georl/run/rollouts.py",
        "self.last: tuple[Tensor, Tensor] = (torch.zeros(0), torch.zeros(0))",
        "self.last: tuple[Tensor, Tensor] = (torch.ones(0), torch.zeros(0))",
        "no values are no values",
    ),
    (
        "georl/run/rollouts.py",
        "self._step, self._parts, self._kept = 0, 0, 0 # of the step that is being sampled",
        "self._step, self._parts, self._kept = 1, 0, 0 # of the step that is being sampled",
        "at the first answers, of step 1 or later, the counts are begun anew or are still 0",
    ),
    (
        "georl/run/rollouts.py",
        "self._step, self._parts, self._kept = 0, 0, 0 # of the step that is being sampled",
        "self._step, self._parts, self._kept = 0, 1, 0 # of the step that is being sampled",
        "at the first answers, of step 1 or later, the counts are begun anew or are still 0",
    ),
    (
        "georl/run/rollouts.py",
        "self._step, self._parts, self._kept = 0, 0, 0 # of the step that is being sampled",
        "self._step, self._parts, self._kept = 0, 0, 1 # of the step that is being sampled",
        "at the first answers, of step 1 or later, the counts are begun anew or are still 0",
    ),
    (
        "sql/macros/within_km.sql",
        "haversine_km(lat1, lon1, lat2, lon2) <= limit_km + 1e-9;",
        "haversine_km(lat1, lon1, lat2, lon2) < limit_km + 1e-9;",
        "the margin is for rounding: what lies on its very end is as good as any",
    ),
    (
        "geodata/files/readers/delimited.py",
        'return next(csv.reader([text], delimiter=file.delimiter), []) or [""]',
        "return (next(csv.reader([text], delimiter=file.delimiter), []))",
        "empty lines are left out before, so that a damaged row has a field",
    ),
    (
        "geodata/gazetteer/points.py",
        "CODE_LETTERS = 2",
        "CODE_LETTERS = 3",
        "of three letters there are four initials of a metropolis, and none has another reading",
    ),
    (
        "geodata/evaluation/scores/confidence/held_out.py",
        "count = int(codes.max()) + 1 if rows else 0",
        "count = int(codes.max()) + 1 if rows else 1",
        "without rows there is no code to look up, however many clusters are drawn",
    ),
    (
        "geodata/places/places.py",
        'if text.dtype.kind != "U":',
        "if text.dtype.kind != 'U_':",
        "text that is made text again is the same; it only costs time",
    ),
    (
        "geodata/evaluation/checks/chance.py",
        "known = np.sort(rng.choice(known, ROWS, replace=False))",
        "known = (rng.choice(known, ROWS, replace=False))",
        "rows and their answers stay pairs; which order they are shuffled from says nothing",
    ),
    (
        "geodata/evaluation/scores/counting/groups.py",
        "return np.zeros(len(sizes))",
        "return np.ones(len(sizes))",
        "a group without an answer has no median: what stands there is not read",
    ),
    (
        "sql/macros/haversine_a.sql",
        "* sin((CASE WHEN abs(lon2) <= 360 THEN lon2::DOUBLE END - CASE WHEN "
        "abs(lon1) <= 360 THEN lon1::DOUBLE END) * (pi() / 360))",
        "* sin((CASE WHEN abs(lon2) <= 360 THEN lon2::DOUBLE END - CASE WHEN "
        "abs(lon1) <= 361 THEN lon1::DOUBLE END) * (pi() / 360))",
        "the longitude stands in the other factor too, with its own limit: NULL times it is NULL",
    ),
    (
        "sql/macros/within_km.sql",
        "haversine_km(lat1, lon1, lat2, lon2) <= limit_km + 1e-9;",
        "haversine_km(lat1, lon1, lat2, lon2) <= limit_km + 1e-10;",
        "the margin is for rounding, which is less than either",
    ),
    (
        "sql/metrics/region_accuracy.sql",
        "unnest([1, 2, 3]) AS level_order,",
        "unnest([1, 2, 4]) AS level_order,",
        "the numbers are sorted by and not shown",
    ),
    (
        "geodata/evaluation/joining/matches/repeats.py",
        "return True",
        "return False",
        "the truth is searched for repeats then, too; where each of its rows has an answer of its "
        "own, and the ids of the answers differ, it has none",
    ),
    (
        "sql/metrics/region_accuracy.sql",
        "ORDER BY level_order",
        "",
        "the three rows are unnested of one row, in their order",
    ),
    (
        "geodata/scale/datasets_on_ray.py",
        "parts = run.each(_sort, range(len(cuts) + 1), work)",
        "parts = run.each(_sort, range(len(cuts) + 2), work)",
        "nothing goes into the bucket behind the last: no file, one step more in the progress",
    ),
    (
        "geodata/boundaries/building/parents.py",
        "if not rows or not above:",
        "if (not rows and (not above)):",
        "a tree finds nothing in or by an empty list; it is left out to save time",
    ),
    (
        "geodata/near_duplicates/pictures.py",
        'figure.savefig(beside, format=Path(path).suffix.removeprefix(".").lower(), dpi=150)',
        "figure.savefig(beside, format=(Path(path).suffix.removeprefix('.')), dpi=150)",
        "matplotlib takes the name of a format in capitals, too",
    ),
    (
        "geodata/boundary_build/land_borders.py",
        "shapely.prepare(parts)",
        "pass",
        "prepared shapes are asked faster and say the same",
    ),
    (
        "geodata/boundary_build/units.py",
        "taken = polygonal(snap(shapely.intersection(unit.geometry, outline)))",
        "taken = polygonal(snap((shapely.intersection(outline, unit.geometry))))",
        "what two shapes share is the same from both sides, and snapped",
    ),
    (
        "geodata/boundary_build/borders.py",
        "for island in np.unique(part).tolist():",
        "for island in (part).tolist():",
        "an island that went once is not there to go again",
    ),
    (
        "geodata/boundary_build/cells.py",
        "out = np.flatnonzero(owner < 0)",
        "out = np.flatnonzero(owner < 1)",
        "a place in the first shape is nearest to it: units lie side by side",
    ),
    (
        "geodata/boundaries/building/checks.py",
        "return bool(shared > _SAME_SHARE * min(box.area, area.area))",
        "return bool(shared > _SAME_SHARE * (min(area.area, box.area)))",
        "the smaller of two is the same in any order",
    ),
    (
        "geodata/boundaries/far.py",
        'order = np.argsort(key, kind="stable")',
        "order = (np.argsort(key))",
        "no key is there twice; the stable way is sooner where most are in order",
    ),
    (
        "geodata/boundaries/exchange/exporting.py",
        "while block := source.read(1 << 20):",
        "while block := source.read(2 << 20):",
        "two megabytes at a time are the same file",
    ),
    (
        "geodata/boundary_build/outlines.py",
        'pq.write_table(table, part, compression="zstd", compression_level=19)',
        'pq.write_table(table, part, compression="zstd", compression_level=20)',
        "the same table, packed a little more slowly",
    ),
    (
        "geodata/boundary_build/outlines.py",
        'parts = parts[np.argsort(-shapely.area(parts), kind="stable")]',
        "parts = parts[(np.argsort(-shapely.area(parts)))]",
        "outlines of a country that are as large may be drawn in any order",
    ),
    (
        "geodata/tables/upkeep/forgetting.py",
        "if not 0 <= version <= log.last_version(root):",
        "if not (0 <= version < log.last_version(root)):",
        "behind rows that were forgotten comes the commit that says so: the newest has none",
    ),
    (
        "geodata/hashing.py",
        "_BLOCK_ROWS = 1 << 16",
        "_BLOCK_ROWS = 2 << 16",
        "sums over rows and bytes add up whatever the pieces are; their size is a matter of memory",
    ),
    (
        "geodata/hashing.py",
        "_BLOCK_ROWS = 1 << 16",
        "_BLOCK_ROWS = 1 << 17",
        "sums over rows and bytes add up whatever the pieces are; their size is a matter of memory",
    ),
    (
        "geodata/hashing.py",
        "_BLOCK_BYTES = 1 << 22",
        "_BLOCK_BYTES = 2 << 22",
        "sums over rows and bytes add up whatever the pieces are; their size is a matter of memory",
    ),
    (
        "geodata/hashing.py",
        "_BLOCK_BYTES = 1 << 22",
        "_BLOCK_BYTES = 1 << 23",
        "sums over rows and bytes add up whatever the pieces are; their size is a matter of memory",
    ),
    (
        "geodata/hashing.py",
        "_TEXT_ROWS = 1 << 16",
        "_TEXT_ROWS = 2 << 16",
        "sums over rows and bytes add up whatever the pieces are; their size is a matter of memory",
    ),
    (
        "geodata/hashing.py",
        "_TEXT_ROWS = 1 << 16",
        "_TEXT_ROWS = 1 << 17",
        "sums over rows and bytes add up whatever the pieces are; their size is a matter of memory",
    ),
    (
        "geodata/hashing.py",
        "_TEXT_BYTES = 1 << 22",
        "_TEXT_BYTES = 2 << 22",
        "sums over rows and bytes add up whatever the pieces are; their size is a matter of memory",
    ),
    (
        "geodata/hashing.py",
        "_TEXT_BYTES = 1 << 22",
        "_TEXT_BYTES = 1 << 23",
        "sums over rows and bytes add up whatever the pieces are; their size is a matter of memory",
    ),
    (
        "geodata/hashing.py",
        "head = column.slice(0, 4096)",
        "head = column.slice(1, 4096)",
        "each distinct text is hashed once or every text by itself: the hashes are the same",
    ),
    (
        "geodata/hashing.py",
        "head = column.slice(0, 4096)",
        "head = column.slice(0, 4097)",
        "each distinct text is hashed once or every text by itself: the hashes are the same",
    ),
    (
        "geodata/hashing.py",
        "if pc.count_distinct(head).as_py() < 0.9 * len(head):",
        "if (pc.count_distinct(head).as_py() <= 0.9 * len(head)):",
        "each distinct text is hashed once or every text by itself: the hashes are the same",
    ),
    (
        "geodata/hashing.py",
        "if pc.count_distinct(head).as_py() < 0.9 * len(head):",
        "if pc.count_distinct(head).as_py() < (0.9 / len(head)):",
        "each distinct text is hashed once or every text by itself: the hashes are the same",
    ),
    (
        "geodata/hashing.py",
        "if pc.count_distinct(head).as_py() < 0.9 * len(head):",
        "if pc.count_distinct(head).as_py() < 1.35 * len(head):",
        "each distinct text is hashed once or every text by itself: the hashes are the same",
    ),
    (
        "geodata/hashing.py",
        "whole = pc.fill_null(column, pa.scalar(0).cast(column.type))",
        "whole = pc.fill_null(column, pa.scalar(1).cast(column.type))",
        "a NULL counts as nothing, whatever stands in its place",
    ),
    (
        "geodata/datasets/recipes/popular.py",
        "_STEP = 1 << 18",
        "_STEP = 2 << 18",
        "distances are reckoned row by row; so many at a time is a matter of memory",
    ),
    (
        "geodata/datasets/recipes/popular.py",
        "_STEP = 1 << 18",
        "_STEP = 1 << 19",
        "distances are reckoned row by row; so many at a time is a matter of memory",
    ),
    (
        "geodata/datasets/recipes/label.py",
        "BUCKET_ROWS = 1 << 18",
        "BUCKET_ROWS = 2 << 18",
        "rows are sorted in all whatever the buckets are; their size is a matter of memory",
    ),
    (
        "geodata/datasets/recipes/label.py",
        "BUCKET_ROWS = 1 << 18",
        "BUCKET_ROWS = 1 << 19",
        "rows are sorted in all whatever the buckets are; their size is a matter of memory",
    ),
    (
        "geodata/datasets/recipes/label.py",
        "_SAMPLE_ROWS = 1 << 15",
        "_SAMPLE_ROWS = 2 << 15",
        "rows are sorted in all whatever the buckets are; their size is a matter of memory",
    ),
    (
        "geodata/datasets/recipes/label.py",
        "_SAMPLE_ROWS = 1 << 15",
        "_SAMPLE_ROWS = 1 << 16",
        "rows are sorted in all whatever the buckets are; their size is a matter of memory",
    ),
    (
        "geodata/datasets/recipes/label.py",
        "cells = np.asarray(labels[CELL].fill_null(0)).astype(np.int64)",
        "cells = np.asarray(labels[CELL].fill_null(1)).astype(np.int64)",
        "the last thirty bits of a cell are cut off",
    ),
    (
        "geodata/datasets/audits.py",
        '_MEMORY, _THREADS = "384MB", 4',
        '_MEMORY, _THREADS = "384MB", 5',
        "an audit counts the same rows with any number of threads",
    ),
    (
        "geodata/datasets/audits.py",
        "pa.default_memory_pool().release_unused() # what writing the rows left",
        "pass # what writing the rows left",
        "gives memory back; what is counted stays",
    ),
    (
        "geodata/datasets/recipes/parts_on_disk.py",
        "writer.close()",
        "pass",
        "a stream that ends with its file is read as well as one that says so",
    ),
    (
        "geodata/datasets/recipes/popular.py",
        "yield found.filter(pa.array(fit)).select(list(names or found.column_names))",
        "yield found.filter(pa.array(fit)).select(list((names)))",
        "a join asks for its columns by name, and leaves what it did not ask for",
    ),
    (
        "geodata/datasets/recipes/popular.py",
        "yield found.filter(pa.array(fit)).select(list(names or found.column_names))",
        "yield found.filter(pa.array(fit)).select(list((names and found.column_names)))",
        "a join asks for its columns by name, and leaves what it did not ask for",
    ),
    (
        "geodata/datasets/recipes/split.py",
        "cells = np.unique(found[at[(part == guarded) & ~near]])",
        "cells = (found[at[(part == guarded) & ~near]])",
        "what lies around a cell is the same however often it is asked",
    ),
    (
        "geodata/hashing.py",
        "weights = _mix(np.arange(1, int(lengths.max(initial=0)) + 1).astype(np.uint64))",
        "weights = _mix(np.arange(1, int(lengths.max(initial=0)) + 2).astype(np.uint64))",
        "a weight more than the longest text has bytes is not used",
    ),
    (
        "geodata/hashing.py",
        "stop = max(stop, start + 1)",
        "stop = max(stop, start + 2)",
        "rows are hashed one by one; so many at a time is a matter of memory",
    ),
    (
        "geodata/hashing.py",
        "while start < len(column):",
        "while (start <= len(column)):",
        "a last step over no rows adds nothing",
    ),
    (
        "geodata/hashing.py",
        "return np.zeros(len(column), np.uint64)",
        "return np.ones(len(column), np.uint64)",
        "a NULL counts as nothing, whatever stands in its place",
    ),
)


def reasons(root: Path) -> dict[tuple[str, str, str], str]:
    """Return why each fault of the list changes nothing.

    Raises
    ------
    LookupError
        If the lines of an entry are not in its file any more.
    """
    for file, there, _, _ in EQUIVALENT:
        path = root / file
        if not path.is_file() or there not in " ".join(path.read_text(encoding="utf-8").split()):
            msg = f"{there!r} does not stand in {file}; mend or remove the entry"
            raise LookupError(msg)
    return {(file, there, after): why for file, there, after, why in EQUIVALENT}
