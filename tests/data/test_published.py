"""The published file: downloaded once, verified, and whatever may happen to it in the cache."""

from __future__ import annotations

import hashlib
import http.server
import os
import shutil
import subprocess
import sys
import threading
import time

import pandas as pd
import pytest

from genre_lib import load_songs
from genre_lib.cli import doctor
from genre_lib.data import published as published_module
from genre_lib.data.published import published_path
from genre_lib.errors import SongsError
from genre_lib.files import TEMPORARY_PREFIX


def cache_in(folder, monkeypatch):
    monkeypatch.setattr(published_module.pooch, "os_cache", lambda name: folder / name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))  # for other processes


@pytest.fixture
def published(songs, tmp_path, monkeypatch):
    """A server on this machine in place of the real one; `published.body` is what it sends."""
    good = songs.head(200).to_csv().encode()

    class Handler(http.server.BaseHTTPRequestHandler):
        body, missing, requests = good, 0, 0
        together = threading.Barrier(1)

        def do_GET(self):
            Handler.requests += 1
            Handler.together.wait(timeout=60)
            self.send_response(200)
            self.send_header("Content-Length", str(len(Handler.body) + Handler.missing))
            self.end_headers()
            self.wfile.write(Handler.body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    blob = hashlib.sha1(b"blob %d\0" % len(good) + good).hexdigest()
    monkeypatch.setattr(published_module, "PUBLISHED_BLOB", blob)
    monkeypatch.setattr(
        published_module, "PUBLISHED_URL", f"http://127.0.0.1:{server.server_port}/songs.csv"
    )
    monkeypatch.delenv("GENRE_SONGS", raising=False)
    cache_in(tmp_path / "cache", monkeypatch)
    Handler.cache = tmp_path / "cache" / "genre-lib"
    yield Handler
    server.shutdown()
    server.server_close()


def test_the_published_file_is_downloaded_once_and_verified(published):
    first = load_songs()
    assert "200 real songs" in first.attrs["source"]
    pd.testing.assert_frame_equal(load_songs("published"), first)
    assert published.requests == 1


@pytest.mark.parametrize("fault", ["wrong file", "truncated"])
def test_a_download_that_went_wrong_is_thrown_away(published, fault):
    if fault == "wrong file":
        published.body = b"something else"
    else:
        published.body, published.missing = published.body[:-1000], 1000
    with pytest.raises(SongsError, match="published"):
        load_songs("published")
    assert list(published.cache.iterdir()) == []
    with pytest.warns(UserWarning, match="synthetic songs"):
        songs = load_songs()
    assert "stand in for the published songs" in songs.attrs["source"]


def test_a_column_that_the_published_file_lacks_is_no_reason_for_synthetic_songs(published):
    with pytest.raises(SongsError, match="has no column 'tempo'"):
        load_songs(columns=["lyrics", "tempo"])


def test_a_damaged_copy_in_the_cache_is_replaced(published):
    load_songs("published")
    (cached,) = published.cache.iterdir()
    cached.write_bytes(cached.read_bytes()[:-5])
    with pytest.warns(UserWarning, match="damaged"):
        songs = load_songs("published")
    assert len(songs) == 200 and published.requests == 2


def test_no_server_means_synthetic_songs(published, monkeypatch):
    monkeypatch.setattr(published_module, "PUBLISHED_URL", "http://127.0.0.1:9/songs.csv")
    with pytest.warns(UserWarning, match="could not be fetched"):
        assert len(load_songs()) == 4000
    monkeypatch.setenv("GENRE_SONGS", "published")  # named: nothing stands in for it
    with pytest.raises(SongsError, match="GENRE_SONGS=published: The published songs could not"):
        load_songs()
    with pytest.raises(SongsError, match="GENRE_SONGS"):
        load_songs("published")


ANOTHER_PROCESS = """
import sys
from genre_lib import load_songs
from genre_lib.data import published
published.PUBLISHED_URL, published.PUBLISHED_BLOB = sys.argv[1:]
print(load_songs("published").attrs["source"])
"""


def start_another():
    names = published_module.PUBLISHED_URL, published_module.PUBLISHED_BLOB
    command = [sys.executable, "-c", ANOTHER_PROCESS, *names]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_two_processes_may_download_at_once(published):
    published.together = threading.Barrier(2)  # neither gets a byte before both have asked
    processes = [start_another() for _ in range(2)]
    for process in processes:
        printed, _ = process.communicate(timeout=120)
        assert "200 real songs" in printed and "Traceback" not in printed
    assert published.requests == 2
    assert [path.name for path in published.cache.iterdir()] == [published_path().name]


def test_a_process_whose_download_was_tidied_away_takes_what_is_there(published, monkeypatch):
    body, real = published.body, published_module.pooch.retrieve

    def overtaken(*arguments, path, **settings):
        fetched = real(*arguments, path=path, **settings)
        published_path().write_bytes(body)
        shutil.rmtree(path)
        return fetched

    monkeypatch.setattr(published_module.pooch, "retrieve", overtaken)
    assert len(load_songs("published")) == 200


def test_what_a_killed_download_left_behind_is_tidied_up(published):
    published.together = threading.Barrier(2)  # the server never answers the first
    process = start_another()
    while not list(published.cache.glob(f"{TEMPORARY_PREFIX}*")):
        time.sleep(0.05)
    process.kill()
    process.communicate()
    assert list(published.cache.glob(f"{TEMPORARY_PREFIX}*"))
    published.together = threading.Barrier(1)
    assert len(load_songs("published")) == 200
    assert list(published.cache.iterdir()) == [published_path()]


def test_files_of_an_older_version_do_no_harm(published):
    published.cache.mkdir(parents=True)
    older = published.cache / "0123456789ab-tcc_ceds_music.csv"
    older.write_text("another file")
    assert len(load_songs("published")) == 200
    assert older.read_text() == "another file"


@pytest.mark.parametrize("year", [1980, 2100])
def test_a_clock_that_is_wrong_does_not_matter(published, recwarn, year):
    load_songs("published")
    when = (year - 1970) * 365.25 * 86400
    for path in (published_path(), published.cache):
        os.utime(path, (when, when))
    assert len(load_songs("published")) == 200
    assert published.requests == 1 and not recwarn.list and faults() == {}


def faults():
    return {f.name: f.problem for f in (doctor._cache(), doctor._songs()) if f.problem}


def refused(reason):
    """The cache can't be used: one sentence, synthetic songs, and the doctor knows."""
    with pytest.raises(SongsError, match=rf"cache folder .* can't be used \({reason}") as raised:
        load_songs("published")
    assert "XDG_CACHE_HOME" in str(raised.value) and "\n" not in str(raised.value)
    with pytest.warns(UserWarning, match="stand in for the published songs"):
        assert len(load_songs()) == 4000
    return faults()["cache"]


def test_a_full_disk_is_named(published, disk, monkeypatch):
    cache_in(disk, monkeypatch)
    assert "too full" in refused("No space left")
    assert list(disk.rglob("*.csv")) == []


def test_a_disk_that_can_not_be_written_to_is_named(published, disk, monkeypatch):
    cache_in(disk, monkeypatch)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    assert "can't be written to" in refused("Read-only")
    subprocess.run(["mount", "-o", "remount,rw,size=8m", str(disk)], check=True)
    assert len(load_songs("published")) == 200
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    assert len(load_songs("published")) == 200 and faults() == {}


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_cache_without_permission_is_named(published):
    published.cache.mkdir(parents=True)
    published.cache.chmod(0o500)
    assert "can't be written to" in refused("Permission denied")
    published.cache.chmod(0o700)


@pytest.mark.parametrize("level", ["the folder", "its parent"])
def test_a_file_in_the_cache_s_place_is_named(published, level):
    where = published.cache if level == "the folder" else published.cache.parent
    where.parent.mkdir(parents=True, exist_ok=True)
    where.write_text("a file")
    assert "is a file, not a folder" in refused("(File exists|Not a directory)")


def test_the_doctor_says_that_a_copy_is_damaged(published):
    load_songs("published")
    published_path().write_bytes(b"half")
    assert "damaged" in faults()["cache"]
    assert published.requests == 1


@pytest.mark.parametrize("platformdirs", ["old", "new"])
def test_a_user_without_a_home_has_a_cache(platformdirs, tmp_path, monkeypatch):
    def os_cache(name):
        if platformdirs == "new":
            raise RuntimeError("could not determine the home directory")
        return f"~/.cache/{name}"

    monkeypatch.setattr(published_module.pooch, "os_cache", os_cache)
    monkeypatch.setattr(published_module.tempfile, "gettempdir", lambda: str(tmp_path))
    assert published_path().parent == tmp_path / "genre-lib"
