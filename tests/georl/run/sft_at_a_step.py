"""Train a run, and do something to its last process when a step begins.

python sft_at_a_step.py RUN.yaml nothing|term|kill|raise STEP

By step and not by the clock: what happens does not depend on how fast a machine is.
"""

import os
import signal
import sys

from transformers.trainer_callback import CallbackHandler

from georl import sft
from georl.config import load


def main():
    path, what, step = sys.argv[1], sys.argv[2], int(sys.argv[3])
    last = int(os.environ.get("RANK", "0")) == int(os.environ.get("WORLD_SIZE", "1")) - 1
    stock = CallbackHandler.on_step_begin

    def begin(self, args, state, control):
        """Before the step itself."""
        if last and state.global_step == step - 1:
            if what == "raise":
                msg = f"process {os.environ['RANK']} fails at step {step}"
                raise RuntimeError(msg)
            if what != "nothing":
                os.kill(os.getpid(), {"term": signal.SIGTERM, "kill": signal.SIGKILL}[what])
        return stock(self, args, state, control)

    CallbackHandler.on_step_begin = begin
    sft.train(load(path))


if __name__ == "__main__":
    main()
