"""The file of answers: whole lines, cut back after a kill, never read wrongly."""

import json
import os
import threading
import time
from pathlib import Path

import pytest

from georl.config import ConfigError
from georl.reasoning.calls import FILE, Calls, Spent, key_of

FILES = Path("/proc/self/fd")


def answer(text, tokens=(3, 4)):
    return lambda: {"text": text, "model": "m", "tokens": tokens}


def test_answers_are_kept_across_processes_and_counted(tmp_path):
    with Calls(tmp_path) as calls:
        assert calls.answer("k", "kind", answer("é\u2028\n"))["text"] == "é\u2028\n"
        assert calls.answer("k", "kind", answer("another"))["text"] == "é\u2028\n"
    with Calls(tmp_path) as calls:
        assert calls.answer("k", "kind", answer("another"))["text"] == "é\u2028\n"
        spent = calls.spent["kind"]
        assert (spent.calls, spent.tokens_in, spent.tokens_out) == (1, 3, 4)
        assert calls.served == {"kind": "m"}
        assert calls.spent.get("other", Spent()).calls == 0


@pytest.mark.parametrize("cut", [1, 10, 40])
def test_a_line_that_a_kill_left_short_is_cut_off(tmp_path, cut):
    with Calls(tmp_path) as calls:
        calls.answer("a", "kind", answer("one"))
        calls.answer("b", "kind", answer("two"))
    path = tmp_path / FILE
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    with Calls(tmp_path) as calls:
        assert calls.answer("a", "kind", answer("new"))["text"] == "one"
        assert calls.answer("b", "kind", answer("new"))["text"] == "new"
    lines = path.read_text().splitlines()
    assert [json.loads(line)["key"] for line in lines] == ["a", "b"]


def test_a_damaged_line_is_named_and_nothing_is_lost(tmp_path):
    with Calls(tmp_path) as calls:
        calls.answer("a", "kind", answer("one"))
    path = tmp_path / FILE
    path.write_bytes(b"{broken\n" + path.read_bytes())
    heard = []
    for _ in range(2):  # the lock is free again, while somebody still looks at the error
        with pytest.raises(
            ConfigError, match=r"calls.jsonl: line 1 is damaged .* delete that"
        ) as e:
            Calls(tmp_path)
        heard.append(e.value)


@pytest.mark.parametrize(
    "line", ["{}", "[]", "3", '{"key": "b", "kind": "k", "seconds": 1, "reply": null}',
             '{"key": "b", "kind": "k", "reply": {}}']
)  # fmt: skip
def test_a_whole_line_of_another_form_is_damaged_too(tmp_path, line):
    with Calls(tmp_path) as calls:
        calls.answer("a", "kind", answer("one"))
    with (tmp_path / FILE).open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(ConfigError, match=r"calls.jsonl: line 2 is damaged .* delete that"):
        Calls(tmp_path)


def test_one_call_however_many_ask_at_once(tmp_path):
    asked, ready = [], threading.Barrier(8)

    def ask():
        asked.append(1)
        time.sleep(0.1)
        return {"text": "x"}

    def one():
        ready.wait()
        calls.answer("k", "kind", ask)

    with Calls(tmp_path) as calls:
        threads = [threading.Thread(target=one) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert asked == [1]


def test_an_error_is_not_kept(tmp_path):
    def fail():
        raise ValueError("no")

    with Calls(tmp_path) as calls:
        with pytest.raises(ValueError, match="no"):
            calls.answer("k", "kind", fail)
        assert calls.answer("k", "kind", answer("yes"))["text"] == "yes"


def test_who_waits_for_a_call_that_fails_hears_why_and_nothing_is_kept(tmp_path):
    begun, fail = threading.Event(), threading.Event()
    heard = []

    def ask():
        begun.set()
        fail.wait(30)
        raise ValueError("no")

    def one():
        with pytest.raises(ValueError, match="no"):
            calls.answer("k", "kind", ask)
        heard.append(1)

    with Calls(tmp_path) as calls:
        threads = [threading.Thread(target=one) for _ in range(3)]
        for thread in threads:
            thread.start()
        begun.wait(30)
        fail.set()
        for thread in threads:
            thread.join()
    assert heard == [1, 1, 1]
    assert (tmp_path / FILE).read_bytes() == b""


def test_a_key_is_what_is_asked():
    assert key_of("a", 1) != key_of("a", 2)
    assert key_of("ab", "c") != key_of("a", "bc")


def test_what_a_call_took_is_its_seconds_and_they_add_up(tmp_path):
    assert Spent() == (0, 0.0, 0, 0)
    began = time.monotonic()
    with Calls(tmp_path) as calls:
        for name in "ab":
            calls.answer(name, "kind", answer("x"))
        took = time.monotonic() - began
        seconds = [json.loads(x)["seconds"] for x in (tmp_path / FILE).read_text().splitlines()]
        assert all(0 <= one <= took for one in seconds)
        assert calls.spent["kind"].seconds == pytest.approx(sum(seconds))
        calls.spent["kind"] = Spent(2, 5.0, 6, 8)
        calls.answer("c", "kind", answer("x"))
        assert calls.spent["kind"].seconds >= 5.0


def test_answers_of_any_length_are_found_again_in_the_same_run(tmp_path):
    texts = {name: name * n for name, n in (("a", 900), ("b", 3), ("c", 70), ("d", 1))}
    with Calls(tmp_path) as calls:
        for name, text in texts.items():
            calls.answer(name, "kind", answer(text))
        for name, text in texts.items():
            assert calls.answer(name, "kind", answer("new"))["text"] == text


@pytest.mark.skipif(not FILES.is_dir(), reason="only Linux lists open files")
def test_a_folder_that_is_closed_holds_no_file_open(tmp_path):
    Calls(tmp_path).close()
    held = list(FILES.iterdir())
    assert not [one for one in held if one.exists() and one.resolve() == tmp_path / FILE]


def test_an_answer_is_on_the_disk_before_it_is_used(tmp_path, monkeypatch):
    synced, sync = [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: (synced.append(file), sync(file)))
    with Calls(tmp_path) as calls:
        for n, name in enumerate("ab", 1):
            calls.answer(name, "kind", answer("x"))
            assert len(synced) == n
        calls.answer("a", "kind", answer("x"))
    assert len(synced) == 2  # what is kept is not written again


def test_answers_are_readable_by_others_and_run_by_nobody(tmp_path):
    before = os.umask(0)
    try:
        Calls(tmp_path).close()
    finally:
        os.umask(before)
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o644


def test_a_key_does_not_depend_on_the_order_of_settings():
    assert key_of({"a": 1, "b": 2}) == key_of({"b": 2, "a": 1})
