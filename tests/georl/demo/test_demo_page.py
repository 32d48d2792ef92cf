"""The page about the demo, followed with a demo of seconds; the whole one is slow."""

import pytest

from tests.pages import TUTORIALS, follow

SIZES = "pool=200, held_out=32, sft_steps=50, grpo_steps=10, answers=16"
SMALL = (
    "python -c 'from pathlib import Path; from georl import demo; "
    f'print(demo.run(Path("georl-demo"), quick=True, sizes=demo.Sizes({SIZES})))\''
)
FIGURES = (
    r"SFT (has not )?learnt where photos are: [^\n]*",  # tests of the verdict say when which
    r"On [^\n]*rows[\s\S]*?within 200 km[\s\S]*?\d\)\.",
    r"[-+]?\d[\d,]*(\.\d+)?(e-\d+)?",
    r"[▁-█]{2,}",
    r"\((yes|no, the other way|not told apart)\)",
    r"(?m)^[A-Z][^\d\n#|]* # +#\.?$",  # a country, its groups and their reward
)


@pytest.mark.parametrize(
    "smaller",
    [
        [("georl demo --quick", SMALL), (" output=", " max_steps=2 output=")],
        pytest.param([], marks=pytest.mark.slow),
    ],
    ids=["small", "quick"],
)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_the_page_prints_the_lines_that_it_shows(tmp_path, smaller):
    told = follow(TUTORIALS / "train-demo.md", tmp_path, {"OMP_NUM_THREADS": "1"}, smaller, FIGURES)
    assert (tmp_path / "georl-demo" / "learnt.png").is_file()
    assert "'rewards/exponential/mean'" in told[3]
    assert "'rewards/region/mean'" in told[3]
