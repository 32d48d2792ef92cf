"""The file of answers: whole lines, cut back after a kill, never read wrongly."""

import json
import threading
import time

import pytest

from georl.config import ConfigError
from georl.reasoning.calls import FILE, Calls, Spent, key_of


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
    for _ in range(2):  # the lock is free again
        with pytest.raises(ConfigError, match=r"calls.jsonl: line 1 is damaged .* delete that"):
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


def test_a_key_is_what_is_asked():
    assert key_of("a", 1) != key_of("a", 2)
    assert key_of("ab", "c") != key_of("a", "bc")
