"""The house: light imports, one-way imports, and a wheel that works outside the tree."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

import geodata

ROOT = Path(__file__).resolve().parents[1]
HEAVY = {"torch", "transformers", "trl", "geopandas", "pandas", "matplotlib", "polars", "duckdb"}


def loaded_after(code):
    script = (
        f"{code}\nimport sys; print(','.join(sorted({{m.split('.')[0] for m in sys.modules}})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(done.stdout.strip().split(","))


def test_import_geodata_is_light():
    assert not loaded_after("import geodata") & (HEAVY | {"scipy", "shapely", "pyarrow"})


def test_a_label_loads_nothing_heavy():
    assert not loaded_after("from geodata import cor; cor.label(48.85, 2.29)") & (HEAVY | {"scipy"})


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet", "geojson"])
def test_labels_of_a_file_load_neither_pandas_nor_scipy(tmp_path, ending):
    """Far from land one is searched otherwise, and out at sea there is no name."""
    points = tmp_path / "points.csv"
    points.write_text("lat,lon,id\n48.85,2.29,a\n-40,-120,b\n,2,c\n35.0,33.3,d\n")
    target = str(tmp_path / f"labelled.{ending}")
    code = f"from geodata import cor; cor.label_file({str(points)!r}, {target!r}, worldview='tr')"
    assert not loaded_after(code) & (HEAVY | {"scipy"})


def test_a_score_of_files_loads_neither_pandas_nor_scipy(tmp_path):
    """Both are installed where the tests run: pyarrow would import the one at the first chance."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    cells = {"id": [1, 2, 3], "lat": [0.0, 1.0, 2.0], "lon": [0.0, 1.0, None]}
    pq.write_table(pa.table(cells), tmp_path / "p.parquet")
    pq.write_table(pa.table(cells | {"lon": [0.0, 1.0, 2.0]}), tmp_path / "t.parquet")
    files = [str(tmp_path / name) for name in ("p.parquet", "t.parquet")]
    code = f"from geodata import evaluation; evaluation.evaluate(*{files}, regions=False)"
    assert not loaded_after(code) & {"torch", "geopandas", "pandas", "scipy", "matplotlib"}


def test_rewards_do_not_load_torch():
    assert "torch" not in loaded_after(
        "from georl import rewards; rewards.geo_r([''], lat=[0.0], lon=[0.0])"
    )


def test_every_public_module_can_be_imported():
    import geodata

    for name in geodata._MODULES:
        assert getattr(geodata, name).__name__ == f"geodata.{name}"
    with pytest.raises(AttributeError, match="its modules are"):
        _ = geodata.nothing


def test_imports_point_one_way():
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT],
        check=True,
        capture_output=True,
    )
    (sdist,) = out.glob("*.tar.gz")
    assert sdist.stat().st_size < 40e6
    (built,) = out.glob("*.whl")
    return built


def test_the_wheel_is_small_and_carries_its_data(wheel):
    assert wheel.stat().st_size < 30e6
    names = set(zipfile.ZipFile(wheel).namelist())
    for name in (
        "geodata/py.typed",
        "geodata/boundaries/bundled/index.geoindex",
        "geodata/boundaries/bundled/places.bin",
        "geodata/boundaries/bundled/PROVENANCE.json",
        "geodata/boundaries/tables/levels.csv",
        "geodata/sql/macros/haversine_km.sql",
        "geodata/evaluation/scores/published.json",
        "geodata/maps/world.parquet",
        "geodata/evaluation/report/report.css",
        "georl/assets/bluemarble.jpg",
        "georl/configs/tiny-cpu.yaml",
        "georl/configs/accelerate/fsdp2.yaml",
    ):
        assert name in names, name
    assert not any(name.startswith(("tests/", "benchmarks/", "docs/")) for name in names)


def test_the_wheel_works_in_a_fresh_environment_outside_the_tree(wheel, tmp_path):
    home = tmp_path / "env"
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    clean = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}

    def run(*arguments):
        done = subprocess.run(
            [python, *arguments], cwd=tmp_path, env=clean, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt", wheel)
    where = run("-c", "import geodata; print(geodata.__file__)").strip()
    assert str(home) in where
    assert "Country: France" in run("-m", "geodata", "label", "48.8584", "2.2945")
    assert "111.19" in run("-m", "geodata", "sql", "SELECT haversine_km(0, 0, 0, 1) AS km")


def test_a_stranger_in_the_same_folder_is_named(wheel, tmp_path):
    """The package index has another distribution called geodata: over ours, it is refused."""
    site = tmp_path / "site"
    other = tmp_path / "geodata-9.1-py3-none-any.whl"
    with zipfile.ZipFile(other, "w") as stranger:
        stranger.writestr("geodata/theirs.py", "")
        stranger.writestr(
            "geodata-9.1.dist-info/METADATA", "Metadata-Version: 2.1\nName: geodata\nVersion: 9.1\n"
        )
        stranger.writestr("geodata-9.1.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        stranger.writestr("geodata-9.1.dist-info/RECORD", "")
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", site]
    subprocess.run([*install, wheel], check=True)
    code = "import sys; sys.path.insert(0, sys.argv[1]); import geodata; print(geodata.SOFTWARE)"
    command = [sys.executable, "-c", code, site]
    alone = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert alone.stdout.strip() == geodata.SOFTWARE, alone.stderr
    subprocess.run([*install, other], check=True)
    both = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert both.returncode
    assert "ImportError: the distribution geodata 9.1 is installed into the same" in both.stderr
    assert "pip uninstall geodata" in both.stderr
