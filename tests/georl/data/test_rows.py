"""Photos, prompts and the world: what goes in, what is refused (georl.data, prompts, world)."""

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, strategies as st
from PIL import Image

from geodata import answers, sphere
from georl import data
from georl.config import DataConfig, load
from georl.data import DataError, prompts, world


def png(color=(10, 20, 30)):
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), color).save(buffer, "PNG")
    return buffer.getvalue()


def table_run(tmp_path, columns, *more):
    path = tmp_path / "photos.parquet"
    pq.write_table(pa.table(columns), path)
    given = [f"data.table={path}", f"data.image_root={tmp_path}", f"output={tmp_path / 'run'}"]
    return load(None, [*given, *more])


def test_images_come_from_paths_bytes_and_the_struct_of_hugging_face(tmp_path):
    (tmp_path / "a.png").write_bytes(png())
    base = {"IMG_ID": ["007"], "LAT": [48.0], "LON": [2.0], "country": ["France"]}
    kinds = [
        pa.array(["a.png"]),
        pa.array([png()]),
        pa.array([{"bytes": png(), "path": "elsewhere.png"}]),
        pa.array([{"bytes": None, "path": "a.png"}]),
        pa.array([[{"path": "a.png"}]]),
        pa.array(["a.png"]).dictionary_encode(),
        pa.array(["a.png"], pa.large_string()),
        pa.array([png()], pa.large_binary()),
    ]
    for image in kinds:
        run = table_run(tmp_path, {**base, "image": image}, "data.levels=[country]")
        row = data.load(run, completions=True)[0]
        assert row["image"].getpixel((0, 0)) == (10, 20, 30)
        assert (row["id"], row["lat"], row["lon"]) == ("007", 48.0, 2.0)
        assert row["completion"][0]["content"].startswith("Country: France\n")
        assert "geographic reasoning agent" in row["prompt"][0]["content"]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"lat": [1.0], "lon": [2.0]}, "no column 'image'"),
        ({"image": ["x.png"]}, "latitude column"),
        (
            {"image": ["a.png", "a.png"], "lat": [1.0, None], "lon": [2.0, 3.0]},
            "1 of 2 rows have no valid",
        ),
        ({"image": ["a.png"], "lat": [91.0], "lon": [2.0]}, "row 0"),
        (
            {"image": ["a.png", "no.png"], "lat": [1.0] * 2, "lon": [2.0] * 2},
            r"1 of 2 images are missing \(no\.png\)",
        ),
        (
            {"id": ["a", "a"], "image": ["a.png"] * 2, "lat": [1.0] * 2, "lon": [2.0] * 2},
            "ids repeat",
        ),
        ({"image": ["bad.png"], "lat": [1.0], "lon": [2.0]}, r"bad\.png is not an image; repair"),
        ({"image": ["empty.png"], "lat": [1.0], "lon": [2.0]}, r"empty\.png is empty"),
        ({"image": [b"<html>"], "lat": [1.0], "lon": [2.0]}, r"row '0' is not an image"),
        ({"image": [3.5], "lat": [1.0], "lon": [2.0]}, "the image column is double"),
        (
            {"image": [None, "a.png#x", "s.zip#x"], "lat": [1.0] * 3, "lon": [2.0] * 3},
            r"3 of 3 images are missing \(row '0', a\.png#x, s\.zip#x\); fetch them",
        ),
        (
            {
                "image": pa.array([["a.png"] * 2, []], pa.list_(pa.string())),
                "lat": [1.0] * 2,
                "lon": [2.0] * 2,
            },
            r"(?s)row '1'\).*a\.png has 2 images, where one is read",
        ),
        (
            {
                "image": pa.array([], pa.string()),
                "lat": pa.array([], pa.float64()),
                "lon": pa.array([], pa.float64()),
            },
            "no rows",
        ),
    ],
)
def test_bad_tables_are_refused_with_the_row_and_the_remedy(tmp_path, columns, message):
    (tmp_path / "a.png").write_bytes(png())
    (tmp_path / "bad.png").write_bytes(b"not a picture")
    (tmp_path / "empty.png").touch()
    with pytest.raises((DataError, ValueError), match=message):
        data.load(table_run(tmp_path, columns), completions=True)


def test_missing_photos_are_listed_and_left_out_only_when_asked(tmp_path, capsys):
    (tmp_path / "a.png").write_bytes(png())
    columns = {"image": ["a.png", "no.png"], "lat": [1.0] * 2, "lon": [2.0] * 2}
    run = table_run(tmp_path, columns, "data.skip_missing=true")
    assert data.photos(run, "sft").table["id"].to_pylist() == ["0"]
    assert "no.png" in capsys.readouterr().out


def test_a_corrupt_image_names_its_row(tmp_path):
    (tmp_path / "a.png").write_bytes(png()[:40])
    run = table_run(tmp_path, {"id": ["x7"], "image": ["a.png"], "lat": [1.0], "lon": [2.0]})
    with pytest.raises(DataError, match=r"image of row 'x7' \(a\.png\) cannot be read"):
        data.load(run, completions=True)[0]


@given(
    st.floats(-90, 90),
    st.floats(-180, 179.99),
    st.sampled_from([1, 2, 6]),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.one_of(st.none(), st.text(max_size=30)),
)
def test_every_supervised_answer_earns_its_reward(lat, lon, decimals, step, country):
    """What is taught must be what Eq. 6 accepts, and close to the truth."""
    row = {"lat": lat, "lon": lon, "country": country}
    text = prompts.answer(
        row, DataConfig(levels=("country",), decimals=decimals, round_degrees=step)
    )
    found = answers.strict_pair(text)
    assert found is not None
    error = float(sphere.haversine_km(*found, lat, lon))
    assert error <= 112 * (step + 10.0**-decimals)


@given(
    st.floats(-90, 90),
    st.floats(-180, 180),
    st.integers(-1, 45),
    st.sampled_from([0.0, 0.5, 1.0, 7.0, 10.0, 200.0]),
    st.lists(st.one_of(st.none(), st.text(max_size=30)), min_size=3, max_size=3),
)
def test_what_is_taught_is_read_back_as_it_was_rounded(lat, lon, decimals, step, names):
    """Over poles and the antimeridian too, and a name never hides the coordinates."""
    row = {"lat": lat, "lon": lon, **dict(zip(answers.LEVELS, names))}
    text = prompts.answer(row, DataConfig(decimals=decimals, round_degrees=step))
    found = answers.parse_strict(text)
    assert found.status == "ok"
    assert -180.0 <= found.lon < 180.0
    error = step / 2 + 0.5 * 10.0 ** -max(decimals, 1) + 1e-9
    assert abs(found.lat - lat) <= error
    assert abs((found.lon - lon + 180.0) % 360.0 - 180.0) <= error


def test_the_location_prompt_is_answered_with_coordinates_alone():
    row = {"lat": 1.0, "lon": 2.0, "country": "Gabon"}
    assert prompts.answer(row, DataConfig(prompt="location")) == "Coordinates: (1.000000, 2.000000)"
    assert "step by step" in answers.question("cot")
    with pytest.raises(ValueError, match="unknown level 'continent'"):
        answers.question("cor", ["continent"])


def test_a_crop_is_centred_on_its_point_also_across_the_antimeridian_and_at_the_poles():
    earth = world.Earth()
    for lat, lon in ((0.0, -180.0), (0.0, 179.9), (89.9, 10.0), (-89.9, 10.0)):
        assert earth.crop(lat, lon).size == (56, 56)
    west, east = (np.asarray(earth.crop(20.0, lon), float) for lon in (-180.0, 180.0))
    assert np.abs(west - east).max() <= 1
    sahara, ocean = (
        np.asarray(earth.crop(*at)).mean((0, 1)) for at in ((23.0, 10.0), (0.0, -30.0))
    )
    assert sahara[0] > 150 > ocean[0]


@pytest.mark.parametrize("lat", [90.0, 88.0, 0.0, -88.0, -90.0])
def test_a_crop_at_a_pole_ends_at_the_pole(lat):
    """The picture ends there: nothing beyond is made up, nothing before it is left out."""
    from importlib import resources

    with (resources.files("georl") / "assets" / "bluemarble.jpg").open("rb") as file:
        globe = np.asarray(Image.open(file).convert("RGB"))
    half = world.DEGREES_TALL / 2
    north, south = min(lat + half, 90.0), max(lat - half, -90.0)
    rows = [(90.0 - edge) / 180.0 * len(globe) for edge in (north, south)]
    wide = min(world.DEGREES_TALL / max(np.cos(np.radians(lat)), 0.3), 80.0)
    columns = [(180.0 + edge) / 360.0 * globe.shape[1] for edge in (-wide / 2, wide / 2)]
    box = (columns[0], rows[0], columns[1], rows[1])
    expected = Image.fromarray(globe).resize((64, 64), Image.Resampling.BOX, box=box)
    found = np.asarray(world.Earth().crop(lat, 0.0, pixels=64), np.int16)
    assert np.abs(found - np.asarray(expected, np.int16)).max() <= 1


def test_photos_lie_on_land_inside_the_box_and_repeat_with_the_seed():
    table = world.world_photos(200, 3)
    assert table.num_rows == 200
    assert table["country"].null_count == 0
    box = world.EUROPE_AFRICA
    lat, lon = table["lat"].to_numpy(), table["lon"].to_numpy()
    assert ((box.south <= lat) & (lat <= box.north) & (box.west <= lon) & (lon <= box.east)).all()
    assert world.world_photos(200, 3).equals(table)
    assert set(world.world_photos(50, 4)["id"].to_pylist()).isdisjoint(table["id"].to_pylist())
