"""SIGINT ends with 130, SIGTERM with 143, and neither leaves a half-written file."""

import os
import signal
import subprocess
import sys

import pytest

WRITER = """
import sys, time
from pathlib import Path
from geodata import files
{program}
def slow(*args, **kwargs):
    with files.replacing(Path(sys.argv.pop()) / "out.csv") as beside:
        beside.write_text("half")
        print("writing", flush=True)
        for _ in range(600):  # one long sleep: a signal just before it begins is heard behind it
            time.sleep(0.1)
{patch}
main()
"""
GEODATA = {
    "program": "from geodata import gazetteer\nfrom geodata.cli import app, main",
    "patch": "app.registered_commands.clear(); app.registered_groups.clear()\n"
    "app.command('slow')(lambda: slow()); sys.argv[1:1] = ['slow']",
}
GEORL = {
    "program": "from georl.cli import app, main",
    "patch": "app.registered_commands.clear(); app.registered_groups.clear()\n"
    "app.command('slow')(lambda: slow()); app.command('other')(lambda: None)\n"
    "sys.argv[1:1] = ['slow']",
}


def started(folder, program):
    text = WRITER.format(**program).replace("sys.argv.pop()", repr(str(folder)))
    child = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)  # fmt: skip
    assert child.stdout.readline().strip() == "writing", child.stderr.read()
    return child


@pytest.mark.parametrize("program", [GEODATA, GEORL], ids=["geodata", "georl"])
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_nothing_half(tmp_path, program, sent, code):
    with started(tmp_path, program) as child:
        try:
            assert len(list(tmp_path.iterdir())) == 1
            child.send_signal(sent)
            _, told = child.communicate(timeout=30)
        finally:
            child.kill()
    assert child.returncode == code, told
    assert list(tmp_path.iterdir()) == []
    assert "Traceback" not in told


def test_a_handler_of_others_stays_and_a_forked_child_ends_the_usual_way():
    text = """
import os, signal, sys, time
from geodata.ending import end_cleanly
def mine(*_): pass
signal.signal(signal.SIGTERM, mine); end_cleanly()
assert signal.getsignal(signal.SIGTERM) is mine
signal.signal(signal.SIGTERM, signal.SIG_DFL); end_cleanly()
pid = os.fork()
if not pid:
    try: time.sleep(30)
    finally: print('cleaned by the child', flush=True)
time.sleep(0.5)
os.kill(pid, signal.SIGTERM)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == str(-signal.SIGTERM), done.stderr


LEAVE = """
import atexit, sys, threading, time
from concurrent.futures import ThreadPoolExecutor
from geodata.ending import leave
atexit.register(lambda: print("cleaned"))
class Last:
    def __del__(self):
        print("taken apart", flush=True)
last = Last()
{loaded}
if {thread}:
    threading.Thread(target=lambda: (time.sleep(0.3), print("thread done"))).start()
    ThreadPoolExecutor(1).submit(lambda: (time.sleep(0.6), print("pool done")))
print("out")
print("err", file=sys.stderr)
leave(7)
"""


@pytest.mark.parametrize("thread", [False, True])
def test_leaving_waits_cleans_up_and_flushes_and_takes_nothing_apart(thread):
    """In the order of the interpreter's own end: threads, a pool's too, then what is registered."""
    leaves_in_order(thread)


def leaves_in_order(thread, loaded="pass"):
    program = LEAVE.format(thread=thread, loaded=loaded)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    threads = ["thread done", "pool done"] if thread else []
    assert done.stdout.split("\n")[:-1] == ["out", *threads, "cleaned"]
    assert (done.returncode, done.stderr) == (7, "err\n")


def test_a_reader_that_went_away_is_told_by_the_status():
    code = "from geodata.ending import leave; print('x'); leave(0)"
    reader, writer = os.pipe()
    os.close(reader)
    buffered = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=writer, stderr=subprocess.PIPE, env=buffered
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize("thread", [False, True])
def test_a_thread_of_its_own_ends_first(thread):
    """A program leaves at once, unless a thread still works: that is waited for."""
    program = (
        "import atexit, threading, time\nfrom geodata import ending\n"
        "atexit.register(print, 'tidied')\n"
        "work = lambda: (time.sleep(0.3), print('worked'))\n"
        f"if {thread}: threading.Thread(target=work).start()\n"
        "print('done')\nending.leave(3)\n"
    )
    left = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert left.returncode == 3
    assert left.stdout.split() == ["done", *(["worked"] if thread else []), "tidied"]
    assert left.stderr == ""
