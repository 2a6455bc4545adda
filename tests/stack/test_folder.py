import errno
import os
import stat
import subprocess
import sys

import pytest

from config.stack import StackError, folder
from config.stack.folder import DataFolder


@pytest.fixture
def data(tmp_path):
    made = DataFolder(tmp_path / "deep" / "data")
    made.prepare()
    yield made
    made.unlock()


def test_a_secret_is_made_once_and_only_its_owner_can_read_it(data):
    first = data.secret("secret-key")
    assert len(first) >= 50
    assert data.secret("secret-key") == first
    assert DataFolder(data.path).secret("secret-key") == first
    assert stat.S_IMODE((data / "secret-key").stat().st_mode) == 0o600
    assert data.secret("redis-password") != first


def test_a_secret_cut_short_by_a_full_disk_is_made_again(data):
    (data / "secret-key").write_text("")
    assert len(data.secret("secret-key")) >= 50


def test_the_folder_is_closed_to_other_users(data):
    assert stat.S_IMODE(data.path.stat().st_mode) == 0o700


def test_a_second_user_of_the_folder_is_refused_and_told_who_the_first_is(data):
    data.lock("up")
    with pytest.raises(StackError) as refused:
        DataFolder(data.path).lock("up")
    assert str(data.path) in str(refused.value)
    assert f"up, process {os.getpid()}" in str(refused.value)
    assert "TENURE_DATA=" in str(refused.value)
    data.unlock()
    data.lock("exec")


def test_the_lock_of_a_killed_process_is_free(data):
    script = (
        "import os, signal; from config.stack.folder import DataFolder; import sys;"
        "f = DataFolder(sys.argv[1]); f.lock('up'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", script, str(data.path)]).returncode == -9
    data.lock("up")


def test_a_disk_as_good_as_full_is_refused_before_anything_is_written(data, monkeypatch):
    monkeypatch.setattr(folder, "NEEDED_BYTES", data.free_bytes() + 1)
    with pytest.raises(StackError, match=r"The disk of TENURE_DATA .* MB left; .* MB are needed"):
        data.require_room()


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "is full"),
        (errno.EACCES, "is not writable"),
        (errno.EROFS, "is not writable"),
        (errno.ENOTDIR, "cannot be used: Not a directory"),
    ],
)
def test_a_folder_that_cannot_be_used_says_why(data, number, words):
    said = str(data.explain(OSError(number, os.strerror(number))))
    assert words in said
    assert str(data.path) in said
    assert "TENURE_DATA=" in said


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StackError, match="cannot be used"):
        DataFolder(tmp_path / "file").prepare()
