"""Groups that cannot teach leave the batch and others take their place (georl.grpo.groups)."""

import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
import torch
from hypothesis import assume, given, settings, strategies as st

from georl.config import GroupConfig
from georl.grpo import groups

SIZE = 2
KINDS = {  # the rewards of a photo's answers, and whether a reward can read any of them
    "teaches": ([0.0, 1.0], True),
    "equal": ([0.5, 0.5], True),
    "unreadable": ([0.0, 1.0], False),
}


class Trainer:
    """What dropping and replacing asks of a trainer on one process; photos have fixed answers."""

    def __init__(self, options, first, fresh, steps, loss="dapo"):
        self.settings = SimpleNamespace(groups=options)
        self.num_generations, self.loss_type = SIZE, loss
        self.args = SimpleNamespace(steps_per_generation=steps)
        self.accelerator = SimpleNamespace(
            process_index=0, num_processes=1, gather=lambda value: value.reshape(-1)
        )
        self._tokenizer = SimpleNamespace(pad_token_id=0)
        self._metrics = {"train": defaultdict(list)}
        self.rollouts = SimpleNamespace(last=None, keep_groups=self.told)
        self.curriculum = SimpleNamespace(observe=lambda *_: None, draw=self.draw)
        self.first, self.fresh = list(enumerate(first, 1)), list(enumerate(fresh, 101))
        self.seen, self.asked = [], []

    def rows(self, photos):
        return [{"id": number, "kind": kind} for number, kind in photos for _ in range(SIZE)]

    def draw(self, count, _):
        self.asked.append(count)
        drawn, self.fresh = self.fresh[:count], self.fresh[count:]
        return self.rows(drawn)

    def told(self, _, photos, rewards, flat, invalid):
        self.seen += [photo["id"] for photo in photos]

    def _score(self, rows):
        rewards = [KINDS[row["kind"]][0][i % SIZE] for i, row in enumerate(rows)]
        valid = [KINDS[row["kind"]][1] for row in rows]
        self.rollouts.last = torch.tensor(rewards), torch.tensor(valid)
        ids = torch.tensor([row["id"] for row in rows])
        return {
            "prompt_ids": ids[:, None],
            "prompt_mask": torch.ones(len(rows), 1, dtype=torch.long),
            "completion_ids": ids[:, None],
            "completion_mask": torch.ones(len(rows), 1, dtype=torch.long),
            "advantages": torch.tensor(rewards) - 0.5,
            "group": torch.arange(len(rows)) // SIZE,
        }


def expected(first, fresh, tries, drop_invalid):
    """Return the photos that are kept and how many were asked for, one photo after another."""
    good = {"teaches"} if drop_invalid else {"teaches", "unreadable"}
    kept = [number for number, kind in enumerate(first, 1) if kind in good]
    asked, fresh = [], list(enumerate(fresh, 101))
    for _ in range(tries):
        left = len(first) - len(kept)
        if left == 0:
            break
        asked.append(left)
        drawn, fresh = fresh[:left], fresh[left:]
        kept += [number for number, kind in drawn if kind in good]
    return kept, asked


kinds = st.sampled_from(sorted(KINDS))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(kinds, min_size=1, max_size=6),
    st.lists(kinds, min_size=24, max_size=24),
    st.integers(0, 4),
    st.booleans(),
    st.sampled_from([1, 2, 4]),
    st.sampled_from(["dapo", *groups.ROW_MEANS]),
)
def test_the_kept_and_the_new_are_those_that_teach(first, fresh, tries, drop, steps, loss):
    assume(len(first) * SIZE % steps == 0)  # as TRL cuts a batch into micro-batches
    options = GroupConfig(drop_equal=True, drop_invalid=drop, tries=tries)
    trainer = Trainer(options, first, fresh, steps, loss)
    batch = groups.drop_and_replace(trainer, trainer.rows(trainer.first))
    kept, asked = expected(first, fresh, tries, drop)
    assert trainer.asked == asked
    live = batch["completion_mask"].bool().any(1)
    rows = [number for number in kept for _ in range(SIZE)]
    assert batch["prompt_ids"][live, 0].tolist() == rows
    assert batch["completion_ids"][live, 0].tolist() == rows
    assert batch["advantages"][~live].tolist() == [0.0] * int((~live).sum())
    length = len(batch["advantages"])
    assert length == next(n for n in range(steps, 99, steps) if n >= len(rows))
    assert int(batch["num_items_in_batch"]) == len(rows)
    if loss in groups.ROW_MEANS:
        assert float(batch["loss_scale"]) == pytest.approx(length / max(len(rows), 1))
    else:
        assert "loss_scale" not in batch
    numbers = batch["group"][live].tolist()
    assert [numbers.index(one) // SIZE for one in numbers] == [i // SIZE for i in range(len(rows))]
    told = trainer._metrics["train"]
    assert told["groups/kept"] == [pytest.approx(len(kept) / len(first))]
    assert len(told["groups/equal"]) == len(told["groups/invalid"]) == len(asked) + 1
    assert told["groups/equal"][0] == pytest.approx(first.count("equal") / len(first))
    assert told["groups/invalid"][0] == pytest.approx(first.count("unreadable") / len(first))
    assert trainer.seen == [*range(1, len(first) + 1), *range(101, 101 + sum(asked))]


class Together:
    """Two processes as threads: what one gives to a collective, both get, in their order."""

    def __init__(self):
        self.barrier = threading.Barrier(2, timeout=60)
        self.given = [None, None]
        self.here = threading.local()

    def all(self, value):
        self.given[self.here.rank] = value
        self.barrier.wait()
        found = list(self.given)
        self.barrier.wait()
        return found

    def run(self, work):
        def start(rank):
            self.here.rank = rank
            try:
                return work(rank)
            except BaseException:
                self.barrier.abort()  # the other one would wait
                raise

        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(start, (0, 1)))


class OfTwo(Trainer):
    def __init__(self, together, rank, *given):
        super().__init__(*given)
        self.together = together
        self.accelerator = SimpleNamespace(
            process_index=rank,
            num_processes=2,
            gather=lambda value: torch.cat([one.reshape(-1) for one in together.all(value)]),
        )

    def _score(self, rows):
        batch = super()._score(rows)
        every = self.together.all(self.rollouts.last)
        self.rollouts.last = tuple(map(torch.cat, zip(*every, strict=True)))
        return batch


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 4).flatmap(lambda n: st.tuples(*[st.lists(kinds, min_size=n, max_size=n)] * 2)),
    st.tuples(*[st.lists(kinds, min_size=24, max_size=24)] * 2),
    st.integers(0, 3),
)
def test_two_processes_ask_alike_and_each_fills_its_own_room(firsts, fresh, tries):
    options = GroupConfig(drop_equal=True, tries=tries)
    together = Together()
    trainers = [OfTwo(together, k, options, firsts[k], fresh[k], 1, "grpo") for k in (0, 1)]
    stock = groups.gather_object
    groups.gather_object = lambda values: [one for part in together.all(values) for one in part]
    try:
        batches = together.run(
            lambda k: groups.drop_and_replace(trainers[k], trainers[k].rows(trainers[k].first))
        )
    finally:
        groups.gather_object = stock

    good, room = {"teaches"}, len(firsts[0])
    kept = [[n for n, kind in enumerate(first, 1) if kind in good] for first in firsts]
    rest, asked = [list(enumerate(one, 101)) for one in fresh], []
    for _ in range(tries):
        need = max(room - len(mine) for mine in kept)
        if need == 0:
            break
        asked.append(need)
        for mine, left in zip(kept, rest, strict=True):
            found = [n for n, kind in left[:need] if kind in good]
            mine += found[: room - len(mine)]
            del left[:need]
    assert [trainer.asked for trainer in trainers] == [asked, asked]
    for batch, mine in zip(batches, kept, strict=True):
        live = batch["completion_mask"].bool().any(1)
        assert batch["prompt_ids"][live, 0].tolist() == [n for n in mine for _ in range(SIZE)]
        assert len(live) == max(1, SIZE * max(map(len, kept)))
        assert int(batch["num_items_in_batch"]) == SIZE * sum(map(len, kept))
        rows = max(1, SIZE * sum(map(len, kept)))
        assert float(batch["loss_scale"]) == pytest.approx(2 * len(live) / rows)


def test_nothing_is_dropped_unless_asked():
    trainer = Trainer(GroupConfig(), ["equal", "unreadable"], [], 1)
    batch = groups.drop_and_replace(trainer, trainer.rows(trainer.first))
    assert batch["prompt_ids"][:, 0].tolist() == [1, 1, 2, 2]
    assert trainer._metrics["train"]["groups/equal"] == [0.5]


@pytest.mark.parametrize(("epsilon", "equal"), [(1.5, 1.0), (0.5, 0.0)])
def test_the_epsilon_of_the_run_decides(epsilon, equal):
    trainer = Trainer(GroupConfig(drop_equal=True, epsilon=epsilon), ["teaches"], [], 1)
    groups.drop_and_replace(trainer, trainer.rows(trainer.first))
    assert trainer._metrics["train"]["groups/equal"] == [equal]


@pytest.mark.parametrize(("apart", "equal"), [(0.9, True), (1.1, False)])
def test_rewards_closer_than_epsilon_are_equal(apart, equal):
    for epsilon in (1e-6, 0.01):
        rewards = torch.tensor([0.25, 0.25 + apart * epsilon], dtype=torch.float64)
        assert groups.equal(rewards, 2, epsilon).tolist() == [equal]
    rewards = torch.tensor([0.25, 0.25 + apart * 1e-6], dtype=torch.float64)
    assert groups.equal(rewards, 2).tolist() == [equal]
