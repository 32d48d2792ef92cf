"""Break the code on purpose, one fault at a time, and count which faults the tests notice.

    python benchmarks/mutants.py map                     note which functions each test runs
    python benchmarks/mutants.py geodata --count 100     faults made from the syntax tree
    python benchmarks/mutants.py sql --only metrics      faults of the files that hold a word
    python benchmarks/mutants.py georl --only georl/grpo georl/config      or one of some
    python benchmarks/mutants.py written                 those written by hand, with their tests
    python benchmarks/mutants.py again --budget 300      what survived, with more of its tests

A fault lies in a copy, never here. The tests that run its function are tried, the nearest and
quickest first, until one fails. One line a fault and a line of JSON in ``--results``; a fault that
has one is not tried again. What survives is read by a person: a test is missing, or the fault
changes nothing and gets a line in ``faults/equivalent.py``. Status 1 if less than 95% are noticed.

After tests were added: ``map tests/FILE.py`` notes theirs, ``again tests/FILE.py --only geodata/x``
tries them alone.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

from faults.equivalent import reasons
from faults.python import python_faults
from faults.selection import read_tests, selected
from faults.sql import sql_faults
from faults.trying import copied, loaded_once, note_calls, noticed_by
from faults.written import written_faults

ROOT = Path(__file__).resolve().parents[1]
BAR = 0.95
TRIED = Path(__file__).parent / "faults" / "tried.jsonl"
"""What was tried so far, all in all: a fault with a line is not tried again."""

TESTS = ("tests", "geodata", "georl")
MAKERS = {
    "geodata": lambda: python_faults(ROOT, "geodata"),
    "georl": lambda: python_faults(ROOT, "georl"),
    "sql": lambda: sql_faults(ROOT, "sql"),
    "written": lambda: written_faults(ROOT),
}


def package(file):
    """Return the package of a file: ``geodata/evaluation/scores``, ``sql/macros``."""
    return file.rpartition("/")[0]


def drawn(faults, seed):
    """Yield faults in random order: packages in turn, in each a file, a kind and then a place."""
    rng = random.Random(seed)
    tree = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for fault in faults:
        tree[package(fault.file)][fault.file][fault.kind].append(fault)
    while tree:
        for name in rng.sample(sorted(tree), len(tree)):
            file = rng.choice(sorted(tree[name]))
            kinds = tree[name][file]
            kind = rng.choice(sorted(kinds))
            yield kinds[kind].pop(rng.randrange(len(kinds[kind])))
            for level, key in ((kinds, kind), (tree[name], file), (tree, name)):
                if not level[key]:
                    del level[key]


def key(fault):
    """Return what a fault is known by, also after lines moved."""
    _, there, after = fault.lines((ROOT / fault.file).read_text(encoding="utf-8"))
    return fault.file, there, after


def result_key(row):
    return row["file"], row["there"], row["after"]


def read_results(path, *, first=False):
    """Return the last result of each fault, or its first, by its key."""
    rows = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    found = {}
    for row in map(json.loads, reversed(rows) if first else rows):
        found[result_key(row)] = row
    return found


def try_one(fault, copy, tests, options, known, before):
    """Try a fault, write its result and return it."""
    line, there, after = fault.lines((ROOT / fault.file).read_text(encoding="utf-8"))
    start = time.perf_counter()
    by = None
    if (fault.file, there, after) in known:
        outcome = "equivalent"
    else:
        chosen = options.tests or selected(fault, tests, ROOT, options.budget)
        by = noticed_by(copy, fault, chosen, options.timeout)
        outcome = "noticed" if by else "survived"
    result = {
        "group": before.get((fault.file, there, after), {"group": options.what})["group"],
        "file": fault.file,
        "line": line,
        "kind": fault.kind,
        "there": there,
        "after": after,
        "outcome": outcome,
        "by": by,
        "seconds": round(time.perf_counter() - start, 1),
    }
    print(f"{outcome:10} {result['seconds']:5.1f} s  {fault.file}:{line}  {fault.kind}", flush=True)
    if outcome == "survived":
        print(f"    - {there}\n    + {after}", flush=True)
    with options.results.open("a", encoding="utf-8") as out:
        out.write(json.dumps(result, ensure_ascii=False) + "\n")
    return result


def holds(texts, file, kind):
    return any(text in f"{file} {kind}" for text in texts)


def wanted(options, before):
    """Return the faults to try now."""
    if options.what == "again":
        survived = {
            k: row
            for k, row in before.items()
            if row["outcome"] == "survived" and holds(options.only, row["file"], row["kind"])
        }
        made = [f for group in MAKERS.values() for f in group()]
        found = {key(f): f for f in made if any(f.file == k[0] for k in survived)}
        for lost in survived.keys() - found.keys():
            print(f"gone       {lost[0]}: {lost[1]}")
        return [found[k] for k in survived if k in found]
    made = [f for f in MAKERS[options.what]() if holds(options.only, f.file, f.kind)]
    if options.what == "written":
        return [fault for fault in made if key(fault) not in before]
    left = (fault for fault in drawn(made, options.seed) if key(fault) not in before)
    return [fault for fault, _ in zip(left, range(options.count), strict=False)]


def summary(results, known):
    """Print what was noticed of what changes behaviour, by group and package; return the share.

    With the 95% interval of the share.
    """
    from geodata.evaluation.scores.intervals.closed_form import (
        wilson,  # after the tries: they have a copy's
    )

    counts = defaultdict(Counter)
    for row in results:
        group = "written" if row["group"] == "written" else row["file"].partition("/")[0]
        parts = ([group] if group == "written" else []) + [package(row["file"])]
        outcome = "equivalent" if result_key(row) in known else row["outcome"]
        for name in {group, "/".join(parts), "all"}:
            counts[name][outcome] += 1
    for name in sorted(counts):
        found, lost = counts[name]["noticed"], counts[name]["survived"]
        shown = wilson(found, found + lost)
        range_ = f" ({shown.low:.0%} to {shown.high:.0%})" if shown else ""
        print(
            f"{name:40} {found} of {found + lost} noticed{range_}, "
            f"{counts[name]['equivalent']} equivalent"
        )
    total = counts["all"]
    return total["noticed"] / max(1, total["noticed"] + total["survived"])


def parsed(words):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=[*MAKERS, "again", "map", "report"])
    parser.add_argument("tests", nargs="*", help="files or folders to map, or to try and no others")
    parser.add_argument("--count", type=int, default=30, help="faults to try (30)")
    parser.add_argument("--seed", type=int, default=0, help="of the order in which they come (0)")
    parser.add_argument(
        "--only", nargs="+", default=[""], help="faults whose file or kind holds one of these texts"
    )
    parser.add_argument("--budget", type=float, default=30.0, help="seconds of tests a fault (30)")
    parser.add_argument(
        "--timeout", type=float, default=300.0, help="s of the processor; longer is noticed (300)"
    )
    parser.add_argument(
        "--results", type=Path, default=TRIED, help="lines of JSON (faults/tried.jsonl)"
    )
    parser.add_argument("--calls", type=Path, default=Path("mutants-calls.jsonl"))
    return parser.parse_args(words)


def main(words):
    options = parsed(words)
    known, before = reasons(ROOT), read_results(options.results)
    if options.what == "report":
        print("at first")
        summary(read_results(options.results, first=True).values(), known)
        print("now")
        return int(summary(before.values(), known) < BAR)
    loaded_once()
    with tempfile.TemporaryDirectory() as folder:
        copy = copied(ROOT, Path(folder))
        named = options.what == "written" or options.tests
        if options.what == "map" or not (named or options.calls.is_file()):
            note_calls(copy, options.calls, options.tests or list(TESTS))
        if options.what == "map":
            return 0
        tests = [] if named else read_tests(options.calls, ROOT)
        rows = [
            try_one(fault, copy, tests, options, known, before) for fault in wanted(options, before)
        ]
    share = summary(rows, known)
    return int(share < BAR)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
