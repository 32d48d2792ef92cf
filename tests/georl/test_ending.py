"""A program that loaded torch ends as others do: nothing is taken apart (geodata.ending)."""

import os
import subprocess
import sys

import pytest

from ..test_ending import leaves_in_order

REDUCING = """
import sys, torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel
from geodata.ending import leave
distributed.init_process_group("gloo")
model = DistributedDataParallel(torch.nn.Linear(4, 4))
model(torch.ones(2, 4)).sum().backward()
sys.setswitchinterval(1000)  # a thread of gloo's gets to let go of a tensor at the end only
for _ in range(20):
    distributed.all_reduce(torch.ones(1000))
distributed.destroy_process_group()
sys.stdout.write("done\\n")  # whole, where print writes text and line end apart if unbuffered
leave(0)
"""


@pytest.mark.parametrize("thread", [False, True])
def test_leaving_with_torch_loaded_takes_nothing_apart(thread):
    leaves_in_order(thread, "import torch")


def test_a_process_whose_threads_hold_its_objects_does_not_abort_at_the_end(tmp_path):
    """Gloo's outlive their destroyed group: left to the interpreter, most such runs abort."""
    script = tmp_path / "reducing.py"
    script.write_text(REDUCING)
    flags = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    settings = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *flags, script], capture_output=True, text=True, env=settings, timeout=120
    )
    assert (done.returncode, done.stdout) == (0, "done\ndone\n"), done.stderr
