"""Credentials move under the newest key, and nothing is lost on the way."""

import json

import pytest
from django.core.management import call_command
from django.db import connection

from accounts.scope import platform_scope
from common.crypto import DecryptionError, is_current
from gateways.models import GatewayAccount
from gateways.services.rotation import rotate_secrets

pytestmark = pytest.mark.django_db


def make(name, secret):
    with platform_scope(reason="test"):
        account = GatewayAccount(name=name, adapter="smpp")
        if secret:
            account.set_secret(secret)
        account.save()
    return account


def read(account):
    with platform_scope(reason="test"):
        account.refresh_from_db()
    return account.get_secret()


def test_everything_moves_under_the_newest_key(settings, capsys):
    settings.ENCRYPTION_KEYS = ["eski anahtar"]
    old, empty = make("eski", "gizli"), make("bos", "")
    settings.ENCRYPTION_KEYS = ["yeni anahtar", "eski anahtar"]
    new = make("yeni", "baska")
    assert rotate_secrets() == (1, 1, [])
    assert rotate_secrets() == (0, 2, [])
    settings.ENCRYPTION_KEYS = ["yeni anahtar"]
    assert (read(old), read(new), read(empty)) == ("gizli", "baska", "")
    assert is_current(old.secret)
    call_command("rotate_secrets", "--json")
    where = "{NAME} at {HOST}:{PORT}".format_map(connection.settings_dict)
    assert connection.settings_dict["NAME"] in where and ":" in where
    assert json.loads(capsys.readouterr().out) == {"database": where, "rotated": 0, "current": 2, "unreadable": []}
    call_command("rotate_secrets")
    assert capsys.readouterr().out == f"Database {where}: 0 rotated, 2 under the newest key already\n"


def test_what_no_key_opens_is_named_and_left_as_it_is(settings, capsys):
    settings.ENCRYPTION_KEYS = ["verloren"]
    lost = make("kayip", "gizli")
    settings.ENCRYPTION_KEYS = ["yeni anahtar"]
    before = lost.secret
    with pytest.raises(SystemExit):
        call_command("rotate_secrets")
    assert str(lost.pk) in capsys.readouterr().err
    with pytest.raises(DecryptionError):
        read(lost)
    assert lost.secret == before
