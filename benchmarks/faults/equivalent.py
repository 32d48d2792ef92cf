"""Faults that change nothing that anybody could see, with the reason: they are not counted.

An entry names the file, the lines as they stand (blanks between words as one) and the lines with
the fault. It must fit: the lines are looked for whenever faults are drawn.
"""

from __future__ import annotations

from pathlib import Path

EQUIVALENT = (  # (file, there, with the fault, why)
    (
        "georl/demo/runs.py",
        "time.sleep(POLL_S)",
        "pass",
        "how often runs are looked at; a loop without a pause sees the same",
    ),
    (
        "georl/demo/runs.py",
        'return Progress( TextColumn("{task.description}"), BarColumn(bar_width=24), '
        'TextColumn("step {task.completed:.0f}/{task.total:.0f} {task.fields[shown]}"), '
        "TimeElapsedColumn(), console=console, transient=True, disable=not "
        "console.is_terminal, )",
        "return (Progress(TextColumn('{task.description}'), BarColumn(bar_width=24), "
        "TextColumn('step {task.completed:.0f}/{task.total:.0f} {task.fields[shown]}'), "
        "TimeElapsedColumn(), transient=True, disable=not console.is_terminal))",
        "a console of its own, or the library's: both write to this process's output",
    ),
    (
        "georl/demo/cities.py",
        'return "".join(c for c in plain if "A" <= c <= "Z")[:LETTERS]',
        'return "".join(c for c in plain if "A" <= c <= \'Z_\')[:LETTERS]',
        "no letter lies between Z and Z with something behind it",
    ),
    (
        "georl/demo/telling/report.py",
        "{float(km): float(share or 0.0) for km, share in result.accuracy.items()},",
        "{float(km): float((share)) for km, share in result.accuracy.items()},",
        "there is a share wherever there are rows, and the demo's held-out places are some",
    ),
    (
        "georl/demo/teaching.py",
        'seen = images(drawn, return_tensors="pt")',
        "seen = (images(drawn))",
        "the lines below make tensors of what comes either way",
    ),
    (
        "georl/reasoning/seeing.py",
        "visible = [thing for thing in named if any(is_part(thing, other) for other in seen)]",
        "visible = [thing for thing in named if any((is_part(other, thing)) for other in seen)]",
        "one of two things is named in the other, whichever comes first",
    ),
    (
        "georl/reasoning/stepping.py",
        "_BATCH = 1024",
        "_BATCH = 1025",
        "how many rows are judged in one go; each is judged by itself",
    ),
    (
        "georl/reasoning/stepping.py",
        'table = pq.read_table(path, columns=["step", "reason"])',
        "table = (pq.read_table(path))",
        "columns that are read and not looked at",
    ),
    (
        "georl/reasoning/stepping.py",
        'rows = pq.read_table(path, columns=["id", "step", "reason", "detail"])',
        "rows = (pq.read_table(path))",
        "columns that are read and not looked at",
    ),
    (
        "georl/reasoning/stepping.py",
        "return key_of(step, asked, photos.opened(config.photos).identity())",
        "return (key_of(asked, step, photos.opened(config.photos).identity()))",
        "a name that is compared with one made in the same way",
    ),
    (
        "georl/reasoning/photos.py",
        "_READ_ROWS = 1 << 12",
        "_READ_ROWS = 2 << 12",
        "how many rows are read in one go; each is judged by itself",
    ),
    (
        "georl/reasoning/photos.py",
        "_READ_ROWS = 1 << 12",
        "_READ_ROWS = 1 << 13",
        "how many rows are read in one go; each is judged by itself",
    ),
    (
        "georl/reasoning/asking.py",
        "pool.shutdown(cancel_futures=True) # what is under way is paid for: it is kept",
        "(pool.shutdown()) # what is under way is paid for: it is kept",
        "servers are asked nothing more either way: only time, for photos decoded in vain",
    ),
    (
        "georl/reasoning/asking.py",
        "pool.shutdown(cancel_futures=True) # what is under way is paid for: it is kept",
        "pool.shutdown(cancel_futures=False) # what is under way is paid for: it is kept",
        "servers are asked nothing more either way: only time, for photos decoded in vain",
    ),
    (
        "georl/reasoning/judging.py",
        "elif spot.lat is None:",
        "elif spot.lon is None:",
        "a place has both coordinates or neither",
    ),
    (
        "georl/reasoning/judging.py",
        "_disagree(a, b, config.agree.place_km) for a, b in combinations(said.values(), 2)",
        "(_disagree(b, a, config.agree.place_km)) for a, b in combinations(said.values(), 2)",
        "two answers disagree as much as they do the other way round",
    ),
    (
        "georl/reasoning/calls.py",
        "break",
        "continue",
        "only the last line of a file has no end",
    ),
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
        "georl/endpoints.py",
        'state, problem, tries = self._state, "", 0',
        'state, problem, tries = self._state, "", 1',
        "the first try sets it, and there is one: retries are not below 0",
    ),
    (
        "georl/http.py",
        "content = response.read(MAX_REPLY_BYTES + 1)",
        "content = response.read(MAX_REPLY_BYTES + 2)",
        "a byte more is read of what is refused",
    ),
    (
        "georl/http.py",
        "self.timeout = max(call._ends - time.monotonic(), 0.001)",
        "self.timeout = max(call._ends - time.monotonic(), 0.0015)",
        "a moment for what is late already; none would mean to wait without end",
    ),
    (
        "georl/calibration/judging.py",
        "_READ_ROWS = 256",
        "_READ_ROWS = 257",
        "how many rows are judged in one go; they keep their order whatever it is",
    ),
    (
        "georl/plan/parts.py",
        "return image + max(TEXT_TOKENS, asked) + config.grpo.max_tokens",
        "return image + (max(asked, TEXT_TOKENS)) + config.grpo.max_tokens",
        "the larger of two numbers, whichever is named first",
    ),
    (
        "georl/plan/parts.py",
        "again = kept + max(layer, seen)",
        "again = kept + (max(seen, layer))",
        "the larger of two numbers, whichever is named first",
    ),
    (
        "georl/plan/sharing.py",
        "held = [0] * rows(len(lengths), best)",
        "held = [1] * rows(len(lengths), best)",
        "the shortest row is looked for, and all begin alike",
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
        "georl/config/checks.py",
        "near = difflib.get_close_matches(train.best_metric, EVAL_SCORES, 1, 0.0)[0]",
        "near = difflib.get_close_matches(train.best_metric, EVAL_SCORES, 2, 0.0)[0]",
        "the nearest alone is told, which comes first",
    ),
    (
        "georl/config/checks.py",
        "if train.eval_steps < 0 or data.eval_rows < 1:",
        "if train.eval_steps < 1 or data.eval_rows < 1:",
        "steps of 0 returned above, and there is none between",
    ),
    (
        "georl/config/checks.py",
        "near = difflib.get_close_matches(name, TRACKERS, 1, 0.5)",
        "near = difflib.get_close_matches(name, TRACKERS, 2, 0.5)",
        "the nearest alone is told, which comes first",
    ),
    (
        "georl/config/checks.py",
        'numbers = tuple(int(part) for part in re.findall(r"[0-9]+", version)[:2])',
        'numbers = tuple(int(part) for part in re.findall(r"[0-9]+", version)[:3])',
        "a third number changes no order between bounds of two",
    ),
    (
        "georl/config/tree.py",
        "near = difflib.get_close_matches(path.name, [*bundled(kind)], 1)",
        "near = difflib.get_close_matches(path.name, [*bundled(kind)], 2)",
        "the nearest alone is told, which comes first",
    ),
    (
        "georl/config/tree.py",
        "near = difflib.get_close_matches(str(key), [*_hints(cls)], 1, 0.4)",
        "near = difflib.get_close_matches(str(key), [*_hints(cls)], 2, 0.4)",
        "the nearest alone is told, which comes first",
    ),
    (
        "georl/config/tree.py",
        'near = [] if "." in key else difflib.get_close_matches(key, blocks, 1, 0.6)',
        'near = [] if "." in key else difflib.get_close_matches(key, blocks, 2, 0.6)',
        "the nearest alone is told, which comes first",
    ),
    (
        "georl/config/tree.py",
        "near = near or difflib.get_close_matches(key, known, 1, 0.4)",
        "near = near or difflib.get_close_matches(key, known, 2, 0.4)",
        "the nearest alone is told, which comes first",
    ),
    (
        "georl/config/untrusted.py",
        "content = file.read(MAX_BYTES + 1)",
        "content = file.read(MAX_BYTES + 2)",
        "one byte too many is as refused as two",
    ),
    (
        "georl/rewards/binding.py",
        "near = difflib.get_close_matches(name, known, 1, 0.3)",
        "near = difflib.get_close_matches(name, known, 2, 0.3)",
        "the nearest alone is told, which comes first",
    ),
    (
        "georl/rewards/binding.py",
        'function(["(0.0, 0.0)"], lat=[0.0], lon=[0.0], **arguments)',
        'function(["(0.0, 0.0)"], lat=[1.0], lon=[0.0], **arguments)',
        "only whether it refuses its arguments is asked; any place will do",
    ),
    (
        "georl/rewards/binding.py",
        'function(["(0.0, 0.0)"], lat=[0.0], lon=[0.0], **arguments)',
        'function(["(0.0, 0.0)"], lat=[0.0], lon=[1.0], **arguments)',
        "only whether it refuses its arguments is asked; any place will do",
    ),
    (
        "georl/rewards/by_path.py",
        "near = difflib.get_close_matches(attribute, callables, 1, 0.3)",
        "near = difflib.get_close_matches(attribute, callables, 2, 0.3)",
        "the nearest alone is told, which comes first",
    ),
    (
        "georl/rewards/globe.py",
        "(same(name.country, true), same(name.city, real))",
        "(same(name.country, true), (same(real, name.city)))",
        "the rule asks the same of both names: the shorter lies in the longer",
    ),
    (
        "georl/rewards/inputs.py",
        "plain = isinstance(column, list) and set(map(type, column)) == {float}",
        "plain = (set(map(type, column)) == {float})",
        "what is no list of numbers is the same numbers; it spares a walk over arrays",
    ),
    (
        "georl/rewards/chains.py",
        "pairs = [None if a.lat is None or a.lon is None else (a.lat, a.lon) for a in read]",
        "pairs = [None if (a.lat is None and a.lon is None) else (a.lat, a.lon) for a in read]",
        "a strict reading has both coordinates or neither",
    ),
    (
        "georl/rewards/chains.py",
        "pairs = [None if a.lat is None or a.lon is None else (a.lat, a.lon) for a in read]",
        "pairs = [None if (a.lon is None) else (a.lat, a.lon) for a in read]",
        "a strict reading has both coordinates or neither",
    ),
    (
        "georl/rewards/chains.py",
        "pairs = [None if a.lat is None or a.lon is None else (a.lat, a.lon) for a in read]",
        "pairs = [None if (a.lat is None) else (a.lat, a.lon) for a in read]",
        "a strict reading has both coordinates or neither",
    ),
    (
        "georl/rewards/chains.py",
        "pairs = [None if a.lat is None or a.lon is None else (a.lat, a.lon) for a in read]",
        "pairs = [None if a.lon is None or a.lon is None else (a.lat, a.lon) for a in read]",
        "a strict reading has both coordinates or neither",
    ),
    (
        "georl/rewards/chains.py",
        'found = gazetteer.resolve(name, level="country")',
        "found = (gazetteer.resolve(name))",
        "countries are what is looked for where no level is named",
    ),
    (
        "georl/rewards/globe.py",
        "right = [a is not None and a == b for a, b in zip(codes, true_codes, strict=True)]",
        "right = [(a == b) for a, b in zip(codes, true_codes, strict=True)]",
        "a truth without a country is no reward at the end, whatever stands here",
    ),
    (
        "georl/rewards/globe.py",
        "right = [a is not None and a == b for a, b in zip(codes, true_codes, strict=True)]",
        "right = [a is not None and a == b for a, b in (zip(true_codes, codes, strict=True))]",
        "two codes are the same from both sides",
    ),
    (
        "georl/rewards/globe.py",
        "(a is not None and a == b) or _same_key(name.city, real)",
        "(a is not None and a == b) or (_same_key(real, name.city))",
        "two names are the same from both sides",
    ),
    (
        "georl/rewards/inputs.py",
        "return [None if a.lat is None or a.lon is None or a.ambiguous else (a.lat, "
        "a.lon) for a in read]",
        "return [None if (a.lon is None or a.ambiguous) else (a.lat, a.lon) for a in read]",
        "a tolerant reading has both coordinates or neither",
    ),
    (
        "georl/rewards/inputs.py",
        "return [None if a.lat is None or a.lon is None or a.ambiguous else (a.lat, "
        "a.lon) for a in read]",
        "return [None if (a.lat is None or a.ambiguous) else (a.lat, a.lon) for a in read]",
        "a tolerant reading has both coordinates or neither",
    ),
    (
        "georl/rewards/inputs.py",
        "return [None if a.lat is None or a.lon is None or a.ambiguous else (a.lat, "
        "a.lon) for a in read]",
        "return [None if a.lon is None or a.lon is None or a.ambiguous else (a.lat, "
        "a.lon) for a in read]",
        "a tolerant reading has both coordinates or neither",
    ),
    (
        "georl/rewards/inputs.py",
        "return [None if a.lat is None or a.lon is None or a.ambiguous else (a.lat, "
        "a.lon) for a in read]",
        "return [None if a.lat is None or a.lat is None or a.ambiguous else (a.lat, "
        "a.lon) for a in read]",
        "a tolerant reading has both coordinates or neither",
    ),
    (
        "georl/config/checks.py",
        "if train.eval_steps < 0 or data.eval_rows < 1:",
        "if (train.eval_steps <= 0) or data.eval_rows < 1:",
        "steps of 0 returned above",
    ),
    (
        "georl/config/checks.py",
        "if min(config.train.save_steps, grpo.iterations) > 0:",
        "if (min(grpo.iterations, config.train.save_steps)) > 0:",
        "the smaller of two is the same in any order",
    ),
    (
        "georl/held_out/evaluating.py",
        'found = evaluation.evaluate(said, truth.select(["id", "lat", "lon"]), EVAL_KM, '
        "regions=False)",
        "found = (evaluation.evaluate(said, truth.select(['id', 'lat', 'lon']), EVAL_KM))",
        "regions are not among the scores of a run; they are left out to save time",
    ),
    (
        "georl/held_out/evaluating.py",
        'found = evaluation.evaluate(said, truth.select(["id", "lat", "lon"]), EVAL_KM, '
        "regions=False)",
        'found = evaluation.evaluate(said, truth.select(["id", "lat", "lon"]), EVAL_KM, '
        "regions=True)",
        "regions are not among the scores of a run; they are left out to save time",
    ),
    (
        "georl/held_out/evaluating.py",
        'shares = {f"accuracy_{km:g}km": float(share or 0.0) for km, share in '
        "found.accuracy.items()}",
        'shares = {f"accuracy_{km:g}km": float((share)) for km, share in found.accuracy.items()}',
        "only a truth without rows has no share, and it is refused before",
    ),
    (
        "georl/rewards/binding.py",
        "found = [bool(a or b) for a, b in zip(found, mine, strict=True)]",
        "found = [bool(a or b) for a, b in (zip(mine, found, strict=True))]",
        "one of two is true whatever their order",
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
        "geodata/near_duplicates/bursts.py",
        "if len(rows) > 1:",
        "if (len(rows) >= 1):",
        "one photo has no other to be like: there are no pairs either way",
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
        "the truth is searched for repeats then, too; where each of its rows has an answer "
        "of its own, and the ids of the answers differ, it has none",
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
        "geodata/evaluation/scores/counting/outcomes.py",
        "CHUNK_ROWS = 1 << 15",
        "CHUNK_ROWS = 2 << 15",
        "how many rows are worked on in one go; what is counted is the same",
    ),
    (
        "geodata/evaluation/scores/counting/outcomes.py",
        "CHUNK_ROWS = 1 << 15",
        "CHUNK_ROWS = 1 << 16",
        "how many rows are worked on in one go; what is counted is the same",
    ),
    (
        "geodata/evaluation/scores/counting/outcomes.py",
        "if scoring.thresholds_km[-1] > A_LIMIT_KM:",
        "if (scoring.thresholds_km[-1] >= A_LIMIT_KM):",
        "at 20,000 km the haversine has its digits still: both measures decide alike",
    ),
    (
        "geodata/evaluation/scores/counting/thresholds.py",
        "if scoring.thresholds_km[-1] > A_LIMIT_KM:",
        "if (scoring.thresholds_km[-1] >= A_LIMIT_KM):",
        "at 20,000 km the haversine has its digits still: both measures decide alike",
    ),
    (
        "geodata/evaluation/scores/counting/groups.py",
        "narrow = np.uint16 if len(sizes) <= 1 << 16 else np.int32 # NumPy sorts 16 bits by radix",
        "narrow = np.uint16 if (len(sizes) < 1 << 16) else np.int32 # NumPy sorts 16 bits by radix",
        "65,536 codes fit either type",
    ),
    (
        "geodata/evaluation/scores/counting/shown_rows.py",
        "at = np.flatnonzero(answered & (key > cut))",
        "at = np.flatnonzero(answered & ((key >= cut)))",
        "a row that is level with the last one kept stands behind it, and is cut off",
    ),
    (
        "geodata/evaluation/scores/counting/shown_rows.py",
        "if len(at) > most: # the last that can be kept, and all that are level with it",
        "if (len(at) >= most): # the last that can be kept, and all that are level with it",
        "of just so many the least is the bar, and all are kept",
    ),
    (
        "geodata/evaluation/scores/intervals/closed_form.py",
        "return float(surplus / max(variance, 1e-300) ** 0.5)",
        "return float(surplus / max(variance, 1.5e-300) ** 0.5)",
        "any tiny number: the surplus above it is 0",
    ),
    (
        "geodata/evaluation/scores/intervals/closed_form.py",
        "edge = 1 - 1e-12",
        "edge = 1 - 1.5e-12",
        "how near to 1 an end is looked for, far beyond the digits that are told",
    ),
    (
        "geodata/evaluation/scores/intervals/closed_form.py",
        "inside = beyond(edge) < -quantile # else the end lies in the last digits before 1",
        "inside = (beyond(edge) <= -quantile) # else the end lies in the last digits before 1",
        "where both are level the end is the edge, which is 1 to twelve digits",
    ),
    (
        "geodata/evaluation/scores/intervals/closed_form.py",
        "first = max(0, middle - int(8 * n**0.5))",
        "first = max(0, middle - int(9 * n**0.5))",
        "sixteen standard deviations out nothing is left to add, nor eighteen",
    ),
    (
        "geodata/evaluation/scores/intervals/closed_form.py",
        "first = max(0, middle - int(8 * n**0.5))",
        "first = max(0, middle - int(8 * n**0.75))",
        "sixteen standard deviations out nothing is left to add, nor farther",
    ),
    (
        "geodata/evaluation/scores/intervals/clusters.py",
        "freedom = HEAVY * self.effective / np.maximum(kurtosis - 1, 1e-9)",
        "freedom = HEAVY * self.effective / np.maximum(kurtosis - 1, 1.5000000000000002e-09)",
        "either is cut to the number of clusters less one",
    ),
    (
        "geodata/evaluation/scores/published.py",
        "float(km): None if percent is None else round(percent / 100, 6)",
        "float(km): None if percent is None else round(percent / 100, 7)",
        "percentages are printed with two decimals",
    ),
    (
        "geodata/evaluation/scores/candidates.py",
        "out = np.full(len(several.lat), np.nan)",
        "out = np.full(len(several.lon), np.nan)",
        "there are as many longitudes as latitudes",
    ),
    (
        "geodata/evaluation/scores/candidates.py",
        "key = np.asarray(key).ravel()",
        "key = (np.asarray(key))",
        "NumPy 2.0 alone gives another shape",
    ),
    (
        "geodata/evaluation/checks/chance.py",
        "FIRST_SHUFFLES = 9",
        "FIRST_SHUFFLES = 10",
        "spares shuffles where answers are far better than chance; all of them say so too",
    ),
    (
        "geodata/evaluation/checks/chance.py",
        "if own > max(shuffled) + 10 * np.std(shuffled):",
        "if (own >= max(shuffled) + 10 * np.std(shuffled)):",
        "spares shuffles where answers are far better than chance; all of them say so too",
    ),
    (
        "geodata/evaluation/checks/chance.py",
        "if own > max(shuffled) + 10 * np.std(shuffled):",
        "if own > min(shuffled) + 10 * np.std(shuffled):",
        "spares shuffles where answers are far better than chance; all of them say so too",
    ),
    (
        "geodata/evaluation/checks/chance.py",
        "if own > max(shuffled) + 10 * np.std(shuffled):",
        "if own > max(shuffled) + (10 / np.std(shuffled)):",
        "spares shuffles where answers are far better than chance; all of them say so too",
    ),
    (
        "geodata/evaluation/checks/chance.py",
        "if own > max(shuffled) + 10 * np.std(shuffled):",
        "if own > max(shuffled) + 11 * np.std(shuffled):",
        "spares shuffles where answers are far better than chance; all of them say so too",
    ),
    (
        "geodata/evaluation/checks/linting.py",
        "beside = np.maximum(np.abs(lat - y), np.abs(lon - x)) <= 1 # nearer than FAR_KM, wherever",
        "beside = (np.maximum(np.abs(lat - y), np.abs(lon - x)) < 1) # nearer than FAR_KM, "
        "wherever",
        "spares a measure of rows that are near; the measure says so too",
    ),
    (
        "geodata/evaluation/checks/own_words.py",
        "return abs(float(number) - value) <= slack + 1e-9",
        "return abs(float(number) - value) <= slack + 1.5000000000000002e-09",
        "room for rounding: nobody writes a tenth decimal",
    ),
    (
        "geodata/evaluation/checks/linting.py",
        "beside = np.maximum(np.abs(lat - y), np.abs(lon - x)) <= 1 # nearer than FAR_KM, wherever",
        "beside = np.maximum(np.abs(lat - y), np.abs(lon - x)) <= 2 # nearer than FAR_KM, wherever",
        "spares a measure of rows that are near; the measure says so too",
    ),
    (
        "geodata/evaluation/checks/linting.py",
        "mirrored = np.abs(np.abs(lat) - np.abs(y)) <= NEAR_KM / 110",
        "mirrored = (np.abs(np.abs(lat) - np.abs(y)) < NEAR_KM / 110)",
        "which rows are measured at all: a wider choice, or one that is wide enough",
    ),
    (
        "geodata/evaluation/checks/linting.py",
        "mirrored = np.abs(np.abs(lat) - np.abs(y)) <= NEAR_KM / 110",
        "mirrored = (np.abs(lat) - np.abs(y)) <= NEAR_KM / 110",
        "which rows are measured at all: a wider choice, or one that is wide enough",
    ),
    (
        "geodata/evaluation/checks/linting.py",
        "mirrored = np.abs(np.abs(lat) - np.abs(y)) <= NEAR_KM / 110",
        "mirrored = np.abs(np.abs(lat) - np.abs(y)) <= (NEAR_KM * 110)",
        "which rows are measured at all: a wider choice, or one that is wide enough",
    ),
    (
        "geodata/evaluation/checks/linting.py",
        "mirrored = np.abs(np.abs(lat) - np.abs(y)) <= NEAR_KM / 110",
        "mirrored = np.abs(np.abs(lat) - np.abs(y)) <= NEAR_KM / 111",
        "which rows are measured at all: a wider choice, or one that is wide enough",
    ),
    (
        "geodata/evaluation/checks/linting.py",
        "crossed = (np.abs(lat - x) <= NEAR_KM / 110) & (np.abs(x) <= 90)",
        "crossed = ((np.abs(lat - x) < NEAR_KM / 110)) & (np.abs(x) <= 90)",
        "which rows are measured at all: a wider choice, or one that is wide enough",
    ),
    (
        "geodata/evaluation/checks/linting.py",
        "crossed = (np.abs(lat - x) <= NEAR_KM / 110) & (np.abs(x) <= 90)",
        "crossed = ((lat - x) <= NEAR_KM / 110) & (np.abs(x) <= 90)",
        "which rows are measured at all: a wider choice, or one that is wide enough",
    ),
    (
        "geodata/evaluation/checks/linting.py",
        "crossed = (np.abs(lat - x) <= NEAR_KM / 110) & (np.abs(x) <= 90)",
        "crossed = (np.abs(lat - x) <= (NEAR_KM * 110)) & (np.abs(x) <= 90)",
        "which rows are measured at all: a wider choice, or one that is wide enough",
    ),
    (
        "geodata/evaluation/checks/linting.py",
        "crossed = (np.abs(lat - x) <= NEAR_KM / 110) & (np.abs(x) <= 90)",
        "crossed = (np.abs(lat - x) <= NEAR_KM / 111) & (np.abs(x) <= 90)",
        "which rows are measured at all: a wider choice, or one that is wide enough",
    ),
    (
        "geodata/evaluation/checks/chance.py",
        'where = "later" if shift > 0 else "earlier"',
        'where = "later" if (shift >= 0) else "earlier"',
        "no shift is 0",
    ),
    (
        "geodata/evaluation/checks/own_words.py",
        "country += [name if y == y else None for name, y in zip(named, rows.lat, strict=True)]",
        "country += [name if y == y else None for name, y in zip(named, rows.lon, strict=True)]",
        "an answer has both coordinates or neither: checked_rows empties both",
    ),
    (
        "geodata/evaluation/checks/own_words.py",
        "_words(value) if y == y else None for value, y in zip(words, rows.lat, strict=True)",
        "_words(value) if y == y else None for value, y in zip(words, rows.lon, strict=True)",
        "an answer has both coordinates or neither: checked_rows empties both",
    ),
    (
        "geodata/evaluation/checks/own_words.py",
        "if len(text) >= max_rows:",
        "if (len(text) > max_rows):",
        "how far a file is read; what is behind the first rows is cut off",
    ),
    (
        "geodata/evaluation/checks/own_words.py",
        "break",
        "continue",
        "how far a file is read; what is behind the first rows is cut off",
    ),
    (
        "geodata/evaluation/checks/reviewing.py",
        "bits = [np.ascontiguousarray(values + 0.0).view(np.uint64) for values in truth] # no -0.0",
        "bits = [np.ascontiguousarray(values + 1.0).view(np.uint64) for values in truth] # no -0.0",
        "a quick look whether rows may repeat at all; what decides comes after it",
    ),
    (
        "geodata/evaluation/checks/reviewing.py",
        "keys = np.sort(mix(bits[0]) ^ bits[1])",
        "keys = np.sort(mix(bits[1]) ^ bits[1])",
        "a quick look whether rows may repeat at all; what decides comes after it",
    ),
    (
        "geodata/evaluation/checks/reviewing.py",
        "if 2 * np.count_nonzero(same) < max(REPEATED_ROWS, REPEATED_SHARE * len(keys)):",
        "if 3 * np.count_nonzero(same) < max(REPEATED_ROWS, REPEATED_SHARE * len(keys)):",
        "a quick look whether rows may repeat at all; what decides comes after it",
    ),
    (
        "geodata/evaluation/checks/reviewing.py",
        "if 2 * np.count_nonzero(same) < max(REPEATED_ROWS, REPEATED_SHARE * len(keys)):",
        "if 2 * np.count_nonzero(same) < min(REPEATED_ROWS, REPEATED_SHARE * len(keys)):",
        "a quick look whether rows may repeat at all; what decides comes after it",
    ),
    (
        "geodata/evaluation/checks/reviewing.py",
        "if 2 * np.count_nonzero(same) < max(REPEATED_ROWS, REPEATED_SHARE * len(keys)):",
        "if 2 * np.count_nonzero(same) < max(REPEATED_ROWS, (REPEATED_SHARE / len(keys))):",
        "a quick look whether rows may repeat at all; what decides comes after it",
    ),
    (
        "geodata/evaluation/scores/confidence/risk.py",
        'order = np.argsort(-sure, kind="stable")',
        "order = (np.argsort(-sure))",
        "of answers that are as sure only how many are wrong is kept",
    ),
    (
        "geodata/popular/centres.py",
        "self._tree: Any = cKDTree(unit_vectors(self.lat, self.lon), balanced_tree=False)",
        "self._tree: Any = (cKDTree(unit_vectors(self.lat, self.lon)))",
        "how a tree is built is seen by how long it takes",
    ),
    (
        "geodata/popular/centres.py",
        "self._tree: Any = cKDTree(unit_vectors(self.lat, self.lon), balanced_tree=False)",
        "self._tree: Any = cKDTree(unit_vectors(self.lat, self.lon), balanced_tree=True)",
        "how a tree is built is seen by how long it takes",
    ),
    (
        "geodata/evaluation/report/pictures/plots.py",
        "_, (low, high) = project([self.south, self.north], [0.0, 0.0])",
        "_, (low, high) = project([self.south, self.north], [1.0, 0.0])",
        "how far up a latitude lies does not hang on the longitude",
    ),
    (
        "geodata/evaluation/report/pictures/plots.py",
        "_, (low, high) = project([self.south, self.north], [0.0, 0.0])",
        "_, (low, high) = project([self.south, self.north], [0.0, 1.0])",
        "how far up a latitude lies does not hang on the longitude",
    ),
    (
        "geodata/evaluation/report/pictures/plots.py",
        "top = float(project(self.north, 0.0)[1])",
        "top = float(project(self.north, 1.0)[1])",
        "how far up a latitude lies does not hang on the longitude",
    ),
    (
        "geodata/maps/projection.py",
        "side = 180.0 if lon[i] > 0 else -180.0",
        "side = 180.0 if (lon[i] >= 0) else -180.0",
        "from the first meridian no longitude is more than half the globe away",
    ),
    (
        "geodata/evaluation/joining/sides/checked_rows.py",
        "elif columns.lat is None:",
        "elif columns.lon is None:",
        "a file has columns of both coordinates or of neither",
    ),
    (
        "geodata/evaluation/joining/sides/joined.py",
        "return self.columns.lat is not None",
        "return self.columns.lon is not None",
        "a file has columns of both coordinates or of neither",
    ),
    (
        "geodata/evaluation/joining/several/reading.py",
        "keep = ~np.isnan(several.lat)",
        "keep = ~np.isnan(several.lon)",
        "an answer has both coordinates or neither: where it is no place both are emptied",
    ),
    (
        "geodata/answers/finding/choosing.py",
        "return next((one for one in others if _differs(chosen, one)), None)",
        "return next((one for one in others if (_differs(one, chosen))), None)",
        "two places are as far from each other either way",
    ),
    (
        "geodata/answers/finding/choosing.py",
        "and _differs(chosen, c)",
        "and (_differs(c, chosen))",
        "two places are as far from each other either way",
    ),
    (
        "geodata/answers/finding/choosing.py",
        "return a.place != b.place and float(sphere.haversine_km(*a.place, *b.place)) > "
        "SAME_PLACE_KM",
        "return (float(sphere.haversine_km(*a.place, *b.place)) > SAME_PLACE_KM)",
        "equal places are 0 km apart; it only costs time",
    ),
    (
        "geodata/answers/declining/refusals.py",
        "return isinstance(text, str) and parse_tolerant(text).lat is None and declines(text)",
        "return isinstance(text, str) and parse_tolerant(text).lon is None and declines(text)",
        "a tolerant reading has both coordinates or neither",
    ),
    (
        "geodata/answers/finding/candidates.py",
        "return min(first.decimals, second.decimals)",
        "return (min(second.decimals, first.decimals))",
        "the smaller of two is the same in any order",
    ),
    (
        "geodata/answers/finding/keyed.py",
        "(one, (*above, *words_of(key)) if key else above, depth + 1)",
        "(one, (*above, *words_of(key)) if key else above, depth + 2)",
        "depths are compared; twice as deep is as deep beside the others",
    ),
    (
        "geodata/answers/finding/keyed.py",
        "start, end = min(lat.start, lon.start), max(lat.end, lon.end)",
        "start, end = (min(lon.start, lat.start)), max(lat.end, lon.end)",
        "the smaller of two is the same in any order",
    ),
    (
        "geodata/answers/finding/keyed.py",
        "start, end = min(lat.start, lon.start), max(lat.end, lon.end)",
        "start, end = min(lat.start, lon.start), (max(lon.end, lat.end))",
        "the larger of two is the same in any order",
    ),
    (
        "geodata/images/webdataset.py",
        "while part := list(islice(found, min(rows, _BATCH))):",
        "while part := list(islice(found, (min(_BATCH, rows)))):",
        "the smaller of two is the same in any order",
    ),
    (
        "geodata/photos/importing.py",
        'own = [opened.path] if opened.format in ("exif", "takeout") and opened.path is '
        "not None else []",
        "own = [opened.path] if (opened.format in ('exif', 'takeout')) else []",
        "pictures always have a path; said for the types",
    ),
    (
        "geodata/photos/formats/yfcc.py",
        'con = sqlite3.connect(f"file:{urllib.parse.quote(str(path.absolute()))}?mode=ro", '
        "uri=True)",
        "con = (sqlite3.connect(f'file:{urllib.parse.quote(str(path.absolute()))}?mode=ro'))",
        "a SQLite that was built with URIs on takes them unasked; others do not",
    ),
    (
        "geodata/photos/formats/yfcc.py",
        'con = sqlite3.connect(f"file:{urllib.parse.quote(str(path.absolute()))}?mode=ro", '
        "uri=True)",
        'con = sqlite3.connect(f"file:{urllib.parse.quote(str(path.absolute()))}?mode=ro", '
        "uri=False)",
        "a SQLite that was built with URIs on takes them unasked; others do not",
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
    (
        "geodata/cor/cities.py",
        "owners = self.boundaries.locate( self.places.lat, self.places.lon, "
        "max_offset_km=PLACE_OFFSET_KM )",
        "owners = (self.boundaries.locate(self.places.lat, self.places.lon))",
        "the set's own default; said here, so that it may change there",
    ),
    (
        "geodata/cor/points.py",
        "if known.equals(_WGS84, ignore_axis_order=True):",
        "if (known.equals(_WGS84)):",
        "degrees that are brought to degrees stay as they are; it only costs time",
    ),
    (
        "geodata/gazetteer/cities.py",
        "for number in np.unique(group):",
        "for number in (group):",
        "a division that votes again votes the same",
    ),
    (
        "geodata/gazetteer/columns.py",
        "packed = np.unique(packed * size + index, return_inverse=True)[1]",
        "packed = np.unique((packed * size - index), return_inverse=True)[1]",
        "either is one number for each pair; only which rows are alike is read",
    ),
    (
        "geodata/places/divisions.py",
        "_PROBES = 4 # places above and below in latitude that bound the search",
        "_PROBES = 5 # places above and below in latitude that bound the search",
        "a narrower bound of the same search",
    ),
    (
        "geodata/places/divisions.py",
        "_LANE = 1000.0 # between groups on the one axis that holds all latitudes",
        "_LANE = 1500.0 # between groups on the one axis that holds all latitudes",
        "any length above all latitudes keeps the groups apart",
    ),
    (
        "geodata/places/divisions.py",
        "_SLACK_KM = 1e-3",
        "_SLACK_KM = 0.0015",
        "a bound that is half a metre wider lets in places that lose",
    ),
    (
        "geodata/places/places.py",
        "_PART = 1 << 14 # places whose positions are worked out at a time",
        "_PART = 1 << 15 # places whose positions are worked out at a time",
        "how many at a time; each has its own position",
    ),
    (
        "geodata/places/places.py",
        "_PART = 1 << 14 # places whose positions are worked out at a time",
        "_PART = 2 << 14 # places whose positions are worked out at a time",
        "how many at a time; each has its own position",
    ),
    (
        "geodata/places/rule.py",
        "_CHUNK = 1 << 17 # points a time: the fastest of 2**11 to 2**20",
        "_CHUNK = 1 << 18 # points a time: the fastest of 2**11 to 2**20",
        "how many at a time; each has its own city",
    ),
    (
        "geodata/places/rule.py",
        "_CHUNK = 1 << 17 # points a time: the fastest of 2**11 to 2**20",
        "_CHUNK = 2 << 17 # points a time: the fastest of 2**11 to 2**20",
        "how many at a time; each has its own city",
    ),
    (
        "geodata/places/rule.py",
        "_ROUNDS = 8 # candidates weighed for all points at once; later ones are few",
        "_ROUNDS = 9 # candidates weighed for all points at once; later ones are few",
        "what is not weighed in rounds is weighed in one go",
    ),
    (
        "geodata/places/divisions.py",
        "_WIDTH = 1 << 20",
        "_WIDTH = 2 << 20",
        "any width above the number of divisions keeps countries apart",
    ),
    (
        "geodata/places/divisions.py",
        "wide = np.degrees(2.0 * np.arcsin(np.minimum(chord / (2.0 * EARTH_RADIUS_KM), 1.0)))",
        "wide = np.degrees(3.0 * np.arcsin(np.minimum(chord / (2.0 * EARTH_RADIUS_KM), 1.0)))",
        "a wider search finds the same place",
    ),
    (
        "geodata/places/divisions.py",
        "small = 5.0 * inner * inner <= outer * outer",
        "small = (5.0 * inner * inner < outer * outer)",
        "the root of five is no fraction: only rounding makes these equal",
    ),
    (
        "geodata/places/grid.py",
        "MAX_SHIFT = 5",
        "MAX_SHIFT = 6",
        "points are counted in finer units, of which the same cells are made",
    ),
    (
        "geodata/buffers.py",
        "if absent is not None and absent.any():",
        "if (absent is not None):",
        "a column of which nothing is absent, with the bits that say so",
    ),
    (
        "geodata/coords.py",
        "if -180.0 <= lon < 180.0:",
        "if (-180.0 < lon < 180.0):",
        "-180 is turned to -180",
    ),
    (
        "geodata/coords.py",
        "out = (x < -180.0) | (x >= 180.0)",
        "out = ((x <= -180.0)) | (x >= 180.0)",
        "-180 is turned to -180",
    ),
    (
        "geodata/coords.py",
        "out, ok = np.zeros(len(array)), np.zeros(len(array), bool)",
        "out, ok = np.ones(len(array)), np.zeros(len(array), bool)",
        "what stands in an invalid row is made 0 where rows are put together",
    ),
    (
        "geodata/coords.py",
        "return np.zeros(len(column)), np.zeros(len(column), bool)",
        "return np.ones(len(column)), np.zeros(len(column), bool)",
        "what stands in an invalid row is made 0 where rows are put together",
    ),
    (
        "geodata/coords.py",
        "out = np.array(buffers.numbers(pc.cast(column, pa.float64(), safe=False), absent=0.0))",
        "out = np.array(buffers.numbers(pc.cast(column, pa.float64(), safe=False), absent=1.0))",
        "what stands in an invalid row is made 0 where rows are put together",
    ),
    (
        "geodata/coords.py",
        'trimmed = pc.utf8_trim(pc.if_else(plain, column, pa.nulls(1, column.type)[0]), " \\t+")',
        'trimmed = pc.utf8_trim(pc.if_else(plain, column, pa.nulls(2, column.type)[0]), " \\t+")',
        "one NULL or two: the first is taken",
    ),
    (
        "geodata/gazetteer/points.py",
        'rows = pq.read_table(folder / "countries.parquet", columns=["code", "geometry"])',
        "rows = (pq.read_table(folder / 'countries.parquet'))",
        "other columns are read and not used",
    ),
    (
        "geodata/gazetteer/points.py",
        'rows = pq.read_table(folder / "units.parquet", columns=["geometry"])',
        "rows = (pq.read_table(folder / 'units.parquet'))",
        "other columns are read and not used",
    ),
    (
        "georl/grpo/curriculum.py",
        "swap = inside & (rng.random(len(groups)) >= self.config.keep)",
        "swap = inside & ((rng.random(len(groups)) > self.config.keep))",
        "a draw in [0, 1) is that very number once in 2**53",
    ),
    (
        "georl/grpo/curriculum.py",
        "stay |= rng.random(picked.shape) < self.config.keep",
        "stay |= (rng.random(picked.shape) <= self.config.keep)",
        "a draw in [0, 1) is that very number once in 2**53",
    ),
    (
        "georl/data/lanes.py",
        "with pq.ParquetFile(unit.path, pre_buffer=False, page_checksum_verification=True) "
        "as file:",
        "with (pq.ParquetFile(unit.path, page_checksum_verification=True)) as file:",
        "pyarrow's own default, written where it matters",
    ),
    (
        "georl/data/world_reasons.py",
        "image = _cloud(image, rng) if rng.random() < 0.5 else _open_sea(earth, rng)",
        "image = _cloud(image, rng) if (rng.random() <= 0.5) else _open_sea(earth, rng)",
        "a draw in [0, 1) is that very number once in 2**53",
    ),
    (
        "georl/data/images.py",
        '_AT_ONCE = getattr(os, "O_NONBLOCK", 0)',
        '_AT_ONCE = getattr(os, "O_NONBLOCK", 1)',
        "the other value is that of systems without the flag",
    ),
    (
        "georl/data/images.py",
        "if not head or head.startswith(_KNOWN):",
        "if (not head):",
        "the whole file is read and begins the same",
    ),
    (
        "georl/data/opening.py",
        "if chats and table.num_rows:",
        "if (table.num_rows):",
        "a table of photos asks what is configured, which is then compared with itself",
    ),
    (
        "georl/data/images.py",
        "content: bytes = response.read(MAX_IMAGE_BYTES + 1)",
        "content: bytes = response.read(MAX_IMAGE_BYTES + 2)",
        "one byte too many is enough to refuse it",
    ),
    (
        "geodata/locate/building.py",
        'order = np.argsort(cell, kind="stable")',
        "order = (np.argsort(cell))",
        "in which order the edges of a cell stand changes no answer",
    ),
    (
        "geodata/locate/contents.py",
        "_CHUNK_PAIRS = 1 << 22",
        "_CHUNK_PAIRS = 2 << 22",
        "so many at a time is a matter of memory",
    ),
    (
        "geodata/locate/contents.py",
        "_CHUNK_PAIRS = 1 << 22",
        "_CHUNK_PAIRS = 1 << 23",
        "so many at a time is a matter of memory",
    ),
    (
        "geodata/locate/contents.py",
        "for i in np.flatnonzero(np.abs(at - near) < 1e-6):",
        "for i in np.flatnonzero((np.abs(at - near) <= 1e-06)):",
        "near a line the exact rule decides; far enough from it both say the same",
    ),
    (
        "geodata/locate/contents.py",
        "for i in np.flatnonzero(np.abs(at - near) < 1e-6):",
        "for i in np.flatnonzero(np.abs(at - near) < 1.5e-06):",
        "near a line the exact rule decides; far enough from it both say the same",
    ),
    (
        "geodata/locate/contents.py",
        "east = np.flatnonzero(end > west + CELL + MARGIN)",
        "east = np.flatnonzero((end >= west + CELL + MARGIN))",
        "no corner lies so near a border but on it, and there all its edges are in the cell",
    ),
    (
        "geodata/locate/contents.py",
        "east = np.flatnonzero(end > west + CELL + MARGIN)",
        "east = np.flatnonzero(end > (west + CELL - MARGIN))",
        "no corner lies so near a border but on it, and there all its edges are in the cell",
    ),
    (
        "geodata/locate/contents.py",
        "east = heads.west[head] + (column + 1) * (CELL / k) + MARGIN",
        "east = (heads.west[head] + (column + 1) * (CELL / k) - MARGIN)",
        "no corner lies so near a border but on it, and there all its edges are in the cell",
    ),
    (
        "geodata/locate/contents.py",
        "mask |= np.where(ends[:, 0] > east, LOW_EAST, np.uint16(0))",
        "mask |= np.where((ends[:, 0] >= east), LOW_EAST, np.uint16(0))",
        "no corner lies just there: borders and the margin add up to no vertex",
    ),
    (
        "geodata/locate/contents.py",
        "mask |= np.where(ends[:, 2] > east, HIGH_EAST, np.uint16(0))",
        "mask |= np.where((ends[:, 2] >= east), HIGH_EAST, np.uint16(0))",
        "no corner lies just there: borders and the margin add up to no vertex",
    ),
    (
        "geodata/locate/contents.py",
        "_, group = np.unique(group * (int(column.max()) + 1) + column, return_inverse=True)",
        "_, group = np.unique((group * (int(column.max()) + 1) - column), return_inverse=True)",
        "each pair of group and value has a number of its own; only which rows are alike is read",
    ),
    (
        "geodata/locate/contents.py",
        "_, group = np.unique(group * (int(column.max()) + 1) + column, return_inverse=True)",
        "_, group = np.unique(group * (int(column.max()) + 2) + column, return_inverse=True)",
        "each pair of group and value has a number of its own; only which rows are alike is read",
    ),
    (
        "geodata/locate/index.py",
        "_CHUNK = 1 << 16",
        "_CHUNK = 2 << 16",
        "so many at a time is a matter of speed",
    ),
    (
        "geodata/locate/index.py",
        "_CHUNK = 1 << 16",
        "_CHUNK = 1 << 17",
        "so many at a time is a matter of speed",
    ),
    (
        "geodata/locate/index.py",
        "_UNCERTAIN = 4e-16",
        "_UNCERTAIN = 6e-16",
        "more is decided by fractions, which say the same",
    ),
    (
        "geodata/locate/index.py",
        "unsure = np.flatnonzero(spans & (np.abs(det) <= _UNCERTAIN * (np.abs(t1) + np.abs(t2))))",
        "unsure = np.flatnonzero((spans | (np.abs(det) <= _UNCERTAIN * (np.abs(t1) + "
        "np.abs(t2)))))",
        "where both sides are zero the point is on no side, as fractions say; more "
        "fractions change nothing",
    ),
    (
        "geodata/locate/index.py",
        "unsure = np.flatnonzero(spans & (np.abs(det) <= _UNCERTAIN * (np.abs(t1) + np.abs(t2))))",
        "unsure = np.flatnonzero(spans & ((np.abs(det) < _UNCERTAIN * (np.abs(t1) + np.abs(t2)))))",
        "where both sides are zero the point is on no side, as fractions say; more "
        "fractions change nothing",
    ),
    (
        "geodata/locate/index.py",
        "if abs(det) <= _UNCERTAIN * (abs(t1) + abs(t2)):",
        "if (abs(det) < _UNCERTAIN * (abs(t1) + abs(t2))):",
        "where both sides are zero the point is on no side, as fractions say",
    ),
    (
        "geodata/query/hearing.py",
        "_TICK_S = 0.05",
        "_TICK_S = 0.07500000000000001",
        "how often it is interrupted again until it hears",
    ),
    (
        "geodata/query/hearing.py",
        "wait([made], _TICK_S)",
        "pass",
        "it is then interrupted without a pause until it hears",
    ),
    (
        "geodata/query/hearing.py",
        'self._beside = ThreadPoolExecutor(1, "geodata-query")',
        'self._beside = ThreadPoolExecutor(2, "geodata-query")',
        "steps come one at a time",
    ),
    (
        "geodata/query/held_files.py",
        "super().__init__()",
        "pass",
        "what the base class prepares, a cache of listings, is not used",
    ),
    (
        "geodata/query/views.py",
        "table = files.read_table(Path(source), list(kinds) or None)",
        "table = files.read_table(Path(source), (None))",
        "the reader looks for the kinds itself, once more",
    ),
    (
        "geodata/tables/log/newest.py",
        "with pq.ParquetFile(path, pre_buffer=False) as file:",
        "with (pq.ParquetFile(path)) as file:",
        "a matter of speed",
    ),
    (
        "geodata/tables/log/newest.py",
        "with pq.ParquetFile(path, pre_buffer=False) as file:",
        "with pq.ParquetFile(path, pre_buffer=True) as file:",
        "a matter of speed",
    ),
    (
        "geodata/tables/log/newest.py",
        "rows = file.read(columns=_COLUMNS, use_threads=False)",
        "rows = (file.read(use_threads=False))",
        "a matter of speed",
    ),
    (
        "geodata/tables/log/newest.py",
        "rows = file.read(columns=_COLUMNS, use_threads=False)",
        "rows = (file.read(columns=_COLUMNS))",
        "a matter of speed",
    ),
    (
        "geodata/tables/log/newest.py",
        "rows = file.read(columns=_COLUMNS, use_threads=False)",
        "rows = file.read(columns=_COLUMNS, use_threads=True)",
        "a matter of speed",
    ),
    (
        "geodata/files/readers/parquet.py",
        "head = self._opened(tuple(self._texts)).iter_batches( rows, "
        "row_groups=[group], columns=left, use_threads=False )",
        "head = (self._opened(tuple(self._texts)).iter_batches(rows, "
        "row_groups=[group], columns=left))",
        "a matter of speed",
    ),
    (
        "geodata/files/readers/parquet.py",
        "rows, row_groups=[group], columns=left, use_threads=False",
        "rows, row_groups=[group], columns=left, use_threads=True",
        "a matter of speed",
    ),
    (
        "geodata/locate/building.py",
        "safe = np.where(flat, 1.0, rise)",
        "safe = np.where(flat, 1.5, rise)",
        "what stands there for a flat edge is not used",
    ),
    (
        "geodata/locate/building.py",
        "t0 = np.where(flat, 0.0, np.clip((low - ay) / safe, 0.0, 1.0))",
        "t0 = np.where(flat, 0.0, np.clip((low - ay) / safe, 0.0, 1.5))",
        "no row begins above an edge but by the margin; a cell more may then know it",
    ),
    (
        "geodata/locate/building.py",
        "c1 = np.minimum(np.floor((np.maximum(xa, xb) + 2 * MARGIN - west_) / "
        "step_), columns[who] - 1)",
        "c1 = np.minimum(np.floor(((np.maximum(xb, xa)) + 2 * MARGIN - west_) / "
        "step_), columns[who] - 1)",
        "the larger of two is the same whichever is named first",
    ),
    (
        "geodata/locate/building.py",
        "c0 = np.maximum(np.floor((np.minimum(xa, xb) - 2 * MARGIN - west_) / step_), 0)",
        "c0 = np.maximum(np.floor(((np.minimum(xb, xa)) - 2 * MARGIN - west_) / step_), 0)",
        "the smaller of two is the same whichever is named first",
    ),
    (
        "geodata/locate/contents.py",
        "for i in np.flatnonzero(np.abs(at - near) < 1e-6):",
        "for i in np.flatnonzero((at - near) < 1e-6):",
        "the exact rule decides oftener, and says the same",
    ),
    (
        "geodata/locate/contents.py",
        "return row[0::2][run] * COLUMNS + column, region[0::2][run]",
        "return row[1::2][run] * COLUMNS + column, region[0::2][run]",
        "both crossings of a pair are of one row and one region",
    ),
    (
        "geodata/locate/contents.py",
        "return row[0::2][run] * COLUMNS + column, region[0::2][run]",
        "return row[0::2][run] * COLUMNS + column, region[1::2][run]",
        "both crossings of a pair are of one row and one region",
    ),
    (
        "geodata/cor/labelling.py",
        "return pa.DictionaryArray.from_arrays(indices, words, safe=False) # all are in range",
        "return (pa.DictionaryArray.from_arrays(indices, words)) # all are in range",
        "indices that are all in range are looked at for nothing",
    ),
    (
        "geodata/cor/labelling.py",
        "return pa.DictionaryArray.from_arrays(indices, words, safe=False) # all are in range",
        "return pa.DictionaryArray.from_arrays(indices, words, safe=True) # all are in range",
        "indices that are all in range are looked at for nothing",
    ),
    (
        "geodata/cor/labelling.py",
        "return pc.take(words, indices, boundscheck=False)",
        "return (pc.take(words, indices))",
        "indices that are all in range are looked at for nothing",
    ),
    (
        "geodata/cor/labelling.py",
        "return pc.take(words, indices, boundscheck=False)",
        "return pc.take(words, indices, boundscheck=True)",
        "indices that are all in range are looked at for nothing",
    ),
    (
        "geodata/cor/naming.py",
        'self.__dict__["_pairs"] = np.array([*self._number] or [(-1, -1)], np.int32).T.copy()',
        'self.__dict__["_pairs"] = (np.array([*self._number] or [(-1, -1)], np.int32).T)',
        "the same numbers, only not side by side in memory",
    ),
    (
        "geodata/tables/commits/tidying.py",
        "recorded = log.recorded(root, found.version, since=order)",
        "recorded = (log.recorded(root, found.version))",
        "commits before the first of the files record none of them",
    ),
    (
        "geodata/tables/exports/cards.py",
        'countries = pq.read_table(_COUNTRIES, columns=["code", "continent"])',
        "countries = (pq.read_table(_COUNTRIES))",
        "columns that nobody asks for are read, and nothing else",
        "sql/audits/dataset_near_popular.sql",
        "covered.lat IS NULL",
        "covered.lon IS NULL",
        "a cell stands there without a point, and a point has both coordinates",
    ),
    (
        "sql/macros/far_from_popular.sql",
        "covered.lat IS NULL",
        "covered.lon IS NULL",
        "a cell stands there without a point, and a point has both coordinates",
    ),
    (
        "geodata/gazetteer/cities.py",
        "if found is kept and len(kept) < len(folded):",
        "if found is kept and (len(kept) <= len(folded)):",
        "a key that found nothing finds nothing again",
    ),
    (
        "geodata/boundary_build/cells.py",
        "made = {name for name, _ in parts}.union(codes, known)",
        "made = ({name for name, _ in parts}.union(known, codes))",
        "a union is the same in any order",
    ),
    (
        "geodata/boundary_build/outlines.py",
        'pq.write_table(table, part, compression="zstd", compression_level=19)',
        "(pq.write_table(table, part, compression='zstd'))",
        "the file is smaller or larger; what is read of it is the same",
    ),
    (
        "geodata/boundary_build/outlines.py",
        'source = pq.read_table(chosen.folder / "countries.parquet", columns=["code", "geometry"])',
        "source = (pq.read_table(chosen.folder / 'countries.parquet'))",
        "other columns are read and not used",
    ),
    (
        "geodata/boundary_build/country_names.py",
        "spellings[key(reading)][code, reading] += 1",
        "spellings[key(reading)][code, reading] += 2",
        "counts are compared with each other: twice of each is as much more",
    ),
    (
        "geodata/boundary_build/land_borders.py",
        "for strip in over[(shapely.area(over) > LEAST) & (shapely.area(over) < most)]",
        "for strip in over[((shapely.area(over) >= LEAST)) & (shapely.area(over) < most)]",
        "an area of snapped corners is that very number by its rounding alone",
    ),
    (
        "geodata/boundary_build/naming.py",
        'admin1_aliases=(unit.admin1_aliases | extra.get(unit.admin1[1] or "", frozenset()))',
        "admin1_aliases=(unit.admin1_aliases | extra.get((unit.admin1[1]), frozenset()))",
        "the table names no unit that has no code, by None or by ''",
    ),
    (
        "geodata/boundary_build/naming.py",
        'for name in unit.aliases | extra.get(code or "", frozenset())',
        "for name in unit.aliases | extra.get((code), frozenset())",
        "the table names no unit that has no code, by None or by ''",
    ),
    (
        "geodata/boundary_build/naming.py",
        'name = boundaries.unit_names().get(code or "") or (fix.name if fix else "")',
        'name = boundaries.unit_names().get((code)) or (fix.name if fix else "")',
        "the table names no unit that has no code, by None or by ''",
    ),
    (
        "geodata/boundary_build/naming.py",
        "if code is not None and rank == best.get(code)",
        "if (rank == best.get(code))",
        "what has no code has no best rank either",
    ),
    (
        "geodata/boundary_build/cells.py",
        "out = np.flatnonzero(owner < 0)",
        "out = np.flatnonzero((owner <= 0))",
        "a place in the first shape is at no distance from that: it is found again",
    ),
    (
        "geodata/boundaries/building/checks.py",
        "anywhere = np.array([-180.0, -90.0, 180.0, 90.0])",
        "anywhere = np.array([-180.0, -90.0, 180.0, 135.0])",
        "there is no latitude above 90",
    ),
    (
        "geodata/boundaries/building/checks.py",
        "anywhere = np.array([-180.0, -90.0, 180.0, 90.0])",
        "anywhere = np.array([-180.0, -90.0, 270.0, 90.0])",
        "there is no longitude above 180",
    ),
    (
        "geodata/boundaries/building/checks.py",
        "anywhere = np.array([-180.0, -90.0, 180.0, 90.0])",
        "anywhere = np.array([(180.0), -90.0, 180.0, 90.0])",
        "a longitude that is a latitude is nowhere then, either way: nothing is refused",
    ),
    (
        "geodata/boundaries/building/checks.py",
        "_refuse_two_files([first, *(one for one in others if _same_place(first, one))])",
        "_refuse_two_files([first, *(one for one in others if (_same_place(one, first)))])",
        "two boxes share the same from both sides",
    ),
    (
        "sql/metrics/region_accuracy.sql",
        "unnest([1, 2, 3]) AS level_order,",
        "unnest([2, 2, 3]) AS level_order,",
        "two that tie come in the order in which they are listed",
    ),
    (
        "sql/metrics/region_accuracy.sql",
        "unnest([1, 2, 3]) AS level_order,",
        "unnest([1, 3, 3]) AS level_order,",
        "two that tie come in the order in which they are listed",
    ),
    (
        "geodata/boundaries/building/coverage.py",
        "over = (depth >= 2) & (length > _LEAST)",
        "over = (depth >= 2) & ((length >= _LEAST))",
        "a length is that very number by its rounding alone",
    ),
    (
        "geodata/boundaries/building/reading.py",
        "for batch in file.iter_batches(_BATCH_ROWS, columns=wanted, use_threads=False):",
        "for batch in (file.iter_batches(_BATCH_ROWS, columns=wanted)):",
        "who decodes the rows; they come in their order whoever it is",
    ),
    (
        "geodata/boundaries/building/reading.py",
        "file.seek(max(size - 64, 0))",
        "file.seek(max(size - 65, 0))",
        "the last byte is the same however many are read before it",
    ),
    (
        "geodata/boundaries/building/reading.py",
        "file.seek(max(size - 64, 0))",
        "file.seek(max(size - 64, 1))",
        "what misses its first byte alone is a file of one, which nobody can read",
    ),
    (
        "geodata/boundaries/building/reading.py",
        "records = pa.Table.from_pandas(kept, preserve_index=False).to_pylist()",
        "records = (pa.Table.from_pandas(kept)).to_pylist()",
        "rows that are numbered from 0 make no column, and no column of that name is read",
    ),
    (
        "geodata/boundaries/building/regions.py",
        "pq.write_table( "
        "table.combine_chunks().replace_schema_metadata(geo_metadata(_bounds(table))), "
        'beside, compression="zstd", compression_level=9, use_dictionary=[n for n in '
        'table.column_names if n not in ("geometry", "id")], write_page_checksum=True, '
        "write_statistics=False, )",
        "(pq.write_table("
        "table.combine_chunks().replace_schema_metadata(geo_metadata(_bounds(table))), "
        "beside, compression='zstd', compression_level=9, write_page_checksum=True, "
        "write_statistics=False))",
        "the file is smaller or larger; what is read of it is the same",
    ),
    (
        "geodata/boundaries/building/regions.py",
        "pq.write_table( "
        "table.combine_chunks().replace_schema_metadata(geo_metadata(_bounds(table))), "
        'beside, compression="zstd", compression_level=9, use_dictionary=[n for n in '
        'table.column_names if n not in ("geometry", "id")], write_page_checksum=True, '
        "write_statistics=False, )",
        "(pq.write_table("
        "table.combine_chunks().replace_schema_metadata(geo_metadata(_bounds(table))), "
        "beside, compression='zstd', compression_level=9, use_dictionary=[n for n in "
        "table.column_names if n not in ('geometry', 'id')], write_page_checksum=True))",
        "the file is smaller or larger; what is read of it is the same",
    ),
    (
        "geodata/boundaries/building/region_rows.py",
        'box = "{:+09.4f} {:+09.4f}".format(*region.geometry.bounds[:2])',
        'box = "{:+09.4f} {:+09.4f}".format(*region.geometry.bounds[:3])',
        "what the form has no place for is left out",
    ),
    (
        "geodata/boundaries/building/reading.py",
        "continue",
        "break",
        "GDAL lists layers without shapes after those with shapes",
    ),
    (
        "geodata/boundaries/border_pieces.py",
        "part = slice(begin, begin + 4096)",
        "part = slice(begin, begin + 4097)",
        "a ball that is made twice is the same",
    ),
    (
        "geodata/boundaries/border_pieces.py",
        "_BENT_KM = 0.2",
        "_BENT_KM = 0.30000000000000004",
        "a wider bound lets in pieces that lose",
    ),
    (
        "geodata/boundaries/plane.py",
        "t = np.clip((away * along).sum(axis=-1) / np.where(length > 0, length, 1.0), 0.0, 1.0)",
        "t = np.clip((away * along).sum(axis=-1) / np.where(length > 0, length, 1.5), 0.0, 1.0)",
        "nothing of an edge without length lies along it: a share of 0",
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
