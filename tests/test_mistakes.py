"""Mistakes that a newcomer makes: one line that says what is wrong and what to do, and its code."""

import sys

import pyarrow as pa
import pytest

import geodata.cli
import georl.cli
from geodata import boundaries, commandline, tables

PROGRAMS = {"geodata": geodata.cli.app, "georl": georl.cli.app}

REGION = (
    '{"type": "Feature", "properties": {"ISO": "CH", "NAME": "Wallis"}, "geometry": {"type": '
    '"Polygon", "coordinates": [[[7,46],[8,46],[8,47],[7,47],[7,46]]]}}'
)

FILES = {
    "truth.csv": "id,lat,lon\na,48.8,2.3\nb,35.6,139.7\n",
    "preds.csv": 'id,prediction\na,"(48.8, 2.3)"\nb,"(35.6, 139.7)"\n',
    "no-pair.csv": "id,place\na,Paris\n",
    "empty.csv": "",
    "notes.docx": "x",
    "bad.yaml": "task: [sft\n",
    "cantons.geojson": REGION,
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with files, a lake of two tables, own boundary sets and no network."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GEODATA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    photos = pa.table({"photo_id": ["a", "b"], "lat": [48.8, 35.6], "lon": [2.3, 139.7]})
    tables.append("lake/photos", photos)
    labelled = photos.append_column("country_code", pa.array(["FR", "JP"]))
    tables.append("lake/labelled", labelled)
    return tmp_path


def said(capsys, monkeypatch, arguments):
    monkeypatch.setattr(sys, "argv", arguments.split())
    with pytest.raises(SystemExit) as stop:
        commandline.run(PROGRAMS[arguments.split()[0]], arguments.split()[0])
    return stop.value.code, *capsys.readouterr()


BUILD = "geodata boundaries build file --from cantons.geojson --out mine"
MISTAKES = {
    # a word of the command line
    "geodata lable 48.8 2.3": ["No such command 'lable'", "'label'", "geodata --help"],
    "georl stf tiny-cpu": ["No such command 'stf'", "'sft'"],
    "geodata evaluate preds.csv --truht truth.csv": ["did you mean --truth?"],
    "geodata dataset build rnd --lake lake": ["'rnd'", "'rand'"],
    "georl demo --quik": ["did you mean --quick?"],
    "georl demo --workers 0": ["--workers", "greater than or equal to 1"],
    "geodata evaluate": ["arguments are missing", "geodata evaluate --help"],
    "geodata compare preds.csv": ["Missing argument 'b'", "geodata compare --help"],
    "geodata dataset build rand -n 5": ["Missing option '--lake'"],
    "geodata evaluate preds.csv --truth truth.csv --thresholds near": ["--thresholds", "1,25,200"],
    "geodata dataset build rand --lake lake -n ten": ["-n 'ten'", "'all'"],
    # a coordinate
    "geodata label 91 2": ["latitude 91.0", "did you swap lat and lon?"],
    "geodata label 48.85": ["the one number 48.85", "lat first"],
    "geodata label 48.85 east": ["expected LAT LON", "geodata label --help"],
    # a file or folder
    "geodata label missing.csv -o out.csv": ["missing.csv", "nothing there"],
    "geodata label empty.csv -o out.csv": ["empty.csv", "expected a header"],
    "geodata label notes.docx -o out.csv": ["unknown format '.docx'", ".csv"],
    "geodata label truth.csv": ["say where to write", "-o labelled.parquet"],
    "geodata label truth.csv -o no/out.csv": ["the folder no does not exist", "create it"],
    "geodata label truth.csv -o out.xlsx": ["xlsx is read, not written", "parquet"],
    "geodata map truth.csv -o map.bmp": [".png, .svg"],
    "geodata photos import missing.csv --lake lake": ["missing.csv", "no such file"],
    # a column
    "geodata label no-pair.csv -o out.csv": [
        "no latitude column among id, place",
        "--lat and --lon",
    ],
    "geodata label truth.csv -o out.csv --lat latitude": ["'latitude'", "'id', 'lat', 'lon'"],
    "geodata evaluate preds.csv": ["latitude and longitude", "--truth"],
    "geodata evaluate preds.csv --truth truth.csv --id photo": ["'photo'", "'id', 'lat', 'lon'"],
    "geodata evaluate preds.csv --truth truth.csv --by contry": ["'contry'", "country"],
    # a name of something
    "geodata label 48.8 2.3 --boundaries mine": ["no boundary set 'mine'", "bundled"],
    "geodata label 48.8 2.3 --worldview mars": ["'mars'", "choose un"],
    "geodata dataset history rand --lake lake": ["there is no table", "labelled, photos"],
    "geodata dataset history rand --lake new": ["there is no table", "dataset build"],
    "geodata sql SELEC --lake lake": ["syntax error", 'near "SELEC"'],
    "geodata dataset rebuild photos --lake lake": ["not built by a recipe", "history"],
    "geodata dataset build rand --lake lake -n 100": ["2 of labelled@0", "-n 2"],
    "geodata dataset untag photos paper --lake lake": ["no tag 'paper'"],
    # boundaries of one's own
    BUILD: ["-c country=ISO -c admin1=NAME"],
    f"{BUILD} -c land=ISO": ["unknown key 'land'; known are country", "-c/--column"],
    f"{BUILD} -c countryISO": ["--column 'countryISO'", "country=ISO"],
    f"{BUILD} -c country=ISO3 -c admin1=NAME": ["ISO3", "'ISO', 'NAME'"],
    "geodata boundaries build gadm --from cantons.geojson --out mine -c country=ISO": [
        "-c/--column"
    ],
    "geodata boundaries build file --from cantons.geojson --out bundled -c country=ISO "
    "-c admin1=NAME": ["'bundled'", "name yours otherwise"],
    "geodata boundaries export bundled out.rar": [".zip, .parquet, .geojson"],
    # training
    "georl sft tiny-cp": ["tiny-cp: no such file", "did you mean tiny-cpu?"],
    "georl sft bad.yaml": ["not valid YAML in line 2", "correct the line"],
    "georl sft tiny-cpu data.tabel=photos.csv": ["did you mean data.table?"],
    "georl sft tiny-cpu train.batch=many": ["train.batch is 'many'", "expected int"],
    "georl sft tiny-cpu batch=8": ["train.batch or predict.batch"],
    "georl sft tiny-cpu data.table=missing.csv": ["missing.csv: there is no such file"],
    "georl sft tiny-cpu data.table=truth.csv": ["no column 'image'", "set data.image"],
    "georl grpo tiny-cpu rewards.weights.geo=1": ["did you mean geo_r?"],
    "georl sft tiny-cpu name=no/model": ["'no/model' is not a folder", "model.revision="],
    "georl predict tiny-cpu": ["model.name", "predict.url"],
    "georl plan tiny-cpu --card h100": ["h100-80"],
    "georl serve no-model": ["no-model", "not a folder here", "--revision"],
    "georl sft tiny-cpu task=grpo": ["task=grpo was given to georl sft", "leave it out"],
}


@pytest.mark.parametrize("arguments", MISTAKES)
def test_a_mistake_is_one_line_with_a_remedy(folder, capsys, monkeypatch, arguments):
    code, out, err = said(capsys, monkeypatch, arguments)
    assert code == 2
    assert err.startswith(f"{arguments.split()[0]}: error: ")
    assert err.count("\n") == 1
    for words in MISTAKES[arguments]:
        assert words in err
    assert "Traceback" not in out + err
    assert boundaries.available().keys() == {"bundled"}, "nothing was half built"


def test_a_mistake_that_is_in_what_was_read_ends_with_1(folder, capsys, monkeypatch):
    (folder / "other.csv").write_text("id,lat,lon\nx,1,2\n")
    code, out, _ = said(capsys, monkeypatch, "geodata evaluate preds.csv --truth other.csv")
    assert code == 1
    assert "NOTHING WAS SCORED" in out
    assert "no id of preds.csv is one of the truth" in " ".join(out.split())
