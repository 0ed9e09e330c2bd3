"""Folders, ports and what a killed server leaves behind."""

import os
import socket
import stat

import pytest

from devtools import places, postgres
from devtools.commands import run
from devtools.commands.run import choose_web_port
from devtools.errors import DevError
from devtools.places import Place, private_folder
from devtools.ports import is_free, is_open, pick_port
from devtools.processes import choose_ports
from devtools.stack import Stack


@pytest.fixture
def var(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "VAR", tmp_path / "var")
    return tmp_path / "var"


def test_a_place_is_held_by_one_at_a_time(var):
    first, second = Place("demo"), Place("demo")
    assert first.take()
    assert not second.take()
    first.release()
    assert second.take()
    second.release()


def test_places_do_not_share_data(var):
    folders = [getattr(Place(name), part) for name in ("", "test", "demo") for part in ("postgres", "valkey", "logs")]
    assert len(set(folders)) == len(folders)


def test_the_development_data_is_never_cleared(var):
    with pytest.raises(DevError, match="never cleared"):
        Place().clear()


def test_the_record_is_for_the_owner_only(var):
    place = Place()
    place.write_record(address="http://127.0.0.1:1/")
    place.write_record(ports={"web": 1})
    assert place.read_record() == {"pid": os.getpid(), "address": "http://127.0.0.1:1/", "ports": {"web": 1}}
    assert stat.S_IMODE(place.record.stat().st_mode) == 0o600


def test_a_long_path_gets_a_short_socket_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "VAR", tmp_path / ("x" * 60) / ("y" * 60))
    folder = Place("test").socket_folder()
    assert len(os.fsencode(folder)) <= places.LONGEST_SOCKET_FOLDER
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.rmdir()


def test_a_link_in_place_of_a_private_folder_is_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "sock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DevError, match="belongs to somebody else"):
        private_folder(tmp_path / "sock")


def test_secrets_are_made_once(var):
    first = places.read_secret("secret")
    assert len(first) >= 64
    assert places.read_secret("secret") == first
    assert stat.S_IMODE((var / "secret").stat().st_mode) == 0o600


def test_the_preferred_port_is_taken_if_free():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        taken = holder.getsockname()[1]
        assert is_open(taken)
        assert pick_port(taken) not in {0, taken}
    free = pick_port()
    assert pick_port(free) == free
    assert not is_open(free)


def test_a_port_asked_for_and_taken_is_an_error_that_names_the_holder():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        taken = holder.getsockname()[1]
        with pytest.raises(DevError, match=f"port {taken} is taken by pid {os.getpid()}, .* in {os.getcwd()}"):
            choose_web_port(taken)
    assert choose_web_port(taken) == taken


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_what_is_no_port_is_refused(port):
    with pytest.raises(DevError, match="is no port"):
        choose_web_port(port)


def test_the_default_port_moves_and_says_so(monkeypatch, capsys):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        monkeypatch.setattr(run, "PREFERRED_WEB_PORT", holder.getsockname()[1])
        chosen = choose_web_port(None)
    assert is_free(chosen)
    said = capsys.readouterr()
    assert f"Port {run.PREFERRED_WEB_PORT} is taken by" in said.out + said.err
    assert f"gets port {chosen}" in said.out + said.err


def test_links_in_mails_lead_to_the_panels_port(var):
    stack = Stack(Place("test-ports"), None, {})
    choose_ports(stack, 0)
    assert stack.environment["PUBLIC_URL"] == f"http://127.0.0.1:{stack.ports['web']}"
    stack.environment["PUBLIC_URL"] = "https://panel.example"
    choose_ports(stack, 0)
    assert stack.environment["PUBLIC_URL"] == "https://panel.example"


def test_a_pid_file_of_a_stranger_is_removed(tmp_path):
    """After a crash the number may belong to another program; PostgreSQL itself would refuse to start."""
    pid_file = tmp_path / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{tmp_path}\n")
    postgres.settle_old_server(tmp_path, patience=0.5)
    assert not pid_file.exists()


def test_locks_name_no_address():
    for lock in sorted(places.ROOT.glob("requirements*.lock")):
        text = lock.read_text()
        assert "--hash=sha256:" in text, lock.name
        for word in ("http://", "https://", "--index", "--extra-index", "--find-links", "file:", " @ "):
            assert word not in text, f"{lock.name} contains {word}"


def test_the_smaller_locks_pin_what_the_test_lock_pins():
    def pins(name):
        lines = (places.ROOT / name).read_text().splitlines()
        return {line.split(" ;")[0].rstrip(" \\") for line in lines if line[:1].isalpha()}

    for name in ("requirements.lock", "requirements-local.lock"):
        assert pins(name) <= pins("requirements-test.lock")
