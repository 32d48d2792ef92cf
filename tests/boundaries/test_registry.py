"""Which sets there are by name."""

from geodata import boundaries


def test_own_sets_come_by_name_after_the_bundled_one(tmp_path, monkeypatch):
    """In whatever order the disk has them; a folder of its name is not what `load` opens."""
    monkeypatch.setenv("GEODATA_HOME", str(tmp_path))
    for name in "kzbqaxdm":
        (tmp_path / "boundaries" / name).mkdir(parents=True)
    assert list(boundaries.available()) == ["bundled", *"abdkmqxz"]
    (tmp_path / "boundaries" / "bundled").mkdir()
    assert list(boundaries.available()) == ["bundled", *"abdkmqxz"]
    assert boundaries.available()["bundled"] == boundaries.find("bundled") == boundaries.BUNDLED
