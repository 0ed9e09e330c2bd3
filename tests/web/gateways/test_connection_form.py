"""The form of a connection: providers, settings, secrets, what goes over it."""

import pytest

from accounts.models import AuditEntry
from accounts.scope import tenant_scope
from gateways.models import GatewayAccount, RouteRule, SenderApproval
from gateways.opening import open_account_gateway
from gateways.services.connections import MOST_CONNECTIONS
from gateways.services.senders import request_sender
from tests.web.gateways.connecting import HTTP_VALUES, NEW, SECRET, VALUES, add, get_account, page

pytestmark = pytest.mark.usefixtures("asked")


def test_chooses_a_provider_and_connects_it(cast, asked, django_capture_on_commit_callbacks):
    client = cast.client(cast.ayse)
    assert "SMPP 3.4" in client.get(NEW).content.decode()
    assert "system_id" in client.get(NEW, {"provider": "smpp"}).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        response = add(client)
    account = get_account(cast)
    assert response["Location"] == page("connection", account)
    assert asked == [account.pk]
    assert account.get_secret() == SECRET
    assert account.settings["host"] == "smsc.example.com"
    assert "password" not in account.settings
    assert account.needs_sender_approval
    with tenant_scope(cast.butik.pk):
        assert RouteRule.objects.get(tenant=cast.butik).prefix == "+90"
        assert AuditEntry.objects.get(action="gateway.created").data == {}
    for name in ("connection", "connection_edit"):
        body = client.get(page(name, account)).content.decode()
        assert SECRET not in body
        assert account.secret not in body


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"rate_per_second": 0}, "rate_per_second"),
        ({"set_host": ""}, "set_host"),
        ({"set_port": 70000}, "set_port"),
        ({"set_port": "smpp"}, "set_port"),
        ({"set_password": ""}, "set_password"),
        ({"set_password": "dokuzkrktr"}, "set_password"),
        ({"set_system_id": "Ayşe"}, "set_system_id"),
        ({"set_answer_id_base": "hex"}, "set_answer_id_base"),
        ({"set_bind_mode": "sideways"}, "set_bind_mode"),
        ({"use_for": "+49"}, "use_for"),
    ],
)
def test_says_what_is_wrong(cast, changes, field):
    response = add(cast.client(cast.ayse), **changes)
    assert response.status_code == 200
    assert field in response.context["form"].errors
    assert SECRET not in response.content.decode()
    with tenant_scope(cast.butik.pk):
        assert not GatewayAccount.objects.filter(tenant=cast.butik).exists()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "10.0.0.5", "169.254.169.254", "[::1]", "0x7f.1"])
def test_our_own_network_is_no_provider(cast, settings, host):
    settings.GUARD_TENANT_HOSTS = True
    assert "set_host" in add(cast.client(cast.ayse), set_host=host).context["form"].errors
    assert add(cast.client(cast.ayse)).status_code == 302


def test_connects_a_provider_over_http(cast):
    values = {"provider": "netgsm", "name": "Netgsm", "rate_per_second": 100, "use_for": ""}
    values |= {"set_username": "8503021234", "set_password": SECRET, "set_iys_recipient_type": "BIREYSEL"}
    client = cast.client(cast.ayse)
    assert "set_username" in client.post(NEW, {**values, "set_username": ""}).context["form"].errors
    assert client.post(NEW, values).status_code == 302
    account = get_account(cast)
    assert (account.adapter, account.get_secret()) == ("netgsm", SECRET)
    assert account.settings["username"] == "8503021234"
    assert open_account_gateway(account).slug == "netgsm"


@pytest.fixture
def demo(settings):
    settings.SIMULATOR_HTTP_URL, settings.SIMULATOR_SMPP_PORT = "http://127.0.0.1:9", 9
    return settings


def test_a_demo_connects_to_its_simulator_and_to_the_provider_later(cast, demo):
    client = cast.client(cast.ayse)
    assert client.get(NEW, {"provider": "netgsm"}).context["form"]["use_simulator"].value() is True
    values = {"provider": "netgsm", "name": "Netgsm", "rate_per_second": 100, "use_for": ""}
    values |= {"set_username": "8503021234", "set_password": SECRET, "set_iys_recipient_type": "BIREYSEL"}
    assert client.post(NEW, {**values, "use_simulator": "on"}).status_code == 302
    account = get_account(cast)
    assert open_account_gateway(account).settings.base_url == "http://127.0.0.1:9/netgsm"
    assert account.settings["username"] == "8503021234"
    edit = page("connection_edit", account)
    assert client.get(edit).context["form"]["use_simulator"].value() is True
    assert client.post(edit, {**values, "set_password": ""}).status_code == 200, "it leads elsewhere: typed again"
    assert client.post(edit, values).status_code == 302
    account = get_account(cast)
    assert client.get(edit).context["form"]["use_simulator"].value() is False
    assert set(account.settings) == {"username", "iys_recipient_type", "searches_by_date", "sets_stop_date"}
    assert open_account_gateway(account).settings.base_url == "https://api.netgsm.com.tr"


def test_the_simulator_speaks_smpp_without_an_address(cast, demo):
    assert add(cast.client(cast.ayse), set_host="", set_port="", use_simulator="on").status_code == 302
    account = get_account(cast)
    gateway = open_account_gateway(account)
    assert (gateway.settings.host, gateway.settings.port) == ("127.0.0.1", 9)
    body = cast.client(cast.ayse).get(page("connection_edit", account)).content.decode()
    assert 'value="2775"' in body


@pytest.mark.parametrize("name", ["SIMULATOR_HTTP_URL", "GUARD_TENANT_HOSTS"])
def test_without_a_demo_nobody_is_offered_the_simulator(cast, demo, name):
    setattr(demo, name, "" if name == "SIMULATOR_HTTP_URL" else True)
    client = cast.client(cast.ayse)
    assert "use_simulator" not in client.get(NEW, {"provider": "netgsm"}).context["form"].fields
    assert add(client, use_simulator="on", set_host="").status_code == 200


def test_edits_and_keeps_the_password(cast, account):
    client = cast.client(cast.ayse)
    url = page("connection_edit", account)
    assert client.post(url, {**VALUES, "name": "Yeni ad", "set_password": ""}).status_code == 302
    account = get_account(cast)
    assert (account.name, account.get_secret()) == ("Yeni ad", SECRET)
    with tenant_scope(cast.butik.pk):
        assert AuditEntry.objects.get(action="gateway.updated").data == {"fields": ["name"]}


def test_all_countries_only_where_the_provider_carries_them(cast, asked):
    client = cast.client(cast.ayse)
    for provider, ways in (("netgsm", ["", "+90"]), ("figensoft", ["", "+90"]), ("smpp", ["", "+90", "+"])):
        form = client.get(NEW, {"provider": provider}).context["form"]
        assert [value for value, _ in form.fields["use_for"].choices] == ways
    values = {"provider": "netgsm", "name": "Netgsm", "rate_per_second": 9, "use_for": "+", **HTTP_VALUES["netgsm"]}
    assert "use_for" in client.post(NEW, values).context["form"].errors
    client.post(NEW, {**values, "use_for": "+90"})
    account = get_account(cast, name="Netgsm")
    with tenant_scope(cast.butik.pk):
        RouteRule.objects.filter(targets__gateway_account=account).update(prefix="+")  # chosen before it was known
    assert client.get(page("connection_edit", account)).context["form"]["use_for"].value() == "+90"


def test_what_goes_over_it_can_be_changed_later(cast, account):
    url = page("connection_edit", account)
    client = cast.client(cast.ayse)
    assert client.get(url).context["form"]["use_for"].value() == "+90"
    for prefix, expected in (("+", ["+"]), ("", []), ("", []), ("+90", ["+90"])):
        client.post(url, {**VALUES, "set_password": "", "use_for": prefix})
        with tenant_scope(cast.butik.pk):
            ways = RouteRule.objects.filter(targets__gateway_account=account, state="active")
            assert list(ways.values_list("prefix", flat=True)) == expected


def test_another_host_needs_the_password_again(cast, account):
    """Who may edit but does not know the password could have it sent to a host of their own."""
    url = page("connection_edit", account)
    moved = {**VALUES, "set_host": "evil.example.net", "set_password": ""}
    response = cast.client(cast.ayse).post(url, moved)
    assert "set_password" in response.context["form"].errors
    assert get_account(cast).settings["host"] == "smsc.example.com"
    assert cast.client(cast.ayse).post(url, {**moved, "set_password": "yeni-8"}).status_code == 302
    assert get_account(cast).get_secret() == "yeni-8"


@pytest.mark.parametrize(
    ("stored", "changes"),
    [
        ({}, {"set_port": 2776}),
        ({"set_tls": "on"}, {"set_tls": ""}),
        ({}, {"set_tls": "on"}),
        ({"set_tls": "on"}, {"set_tls": "on", "set_tls_server_name": "evil.example.net"}),
    ],
)
def test_whatever_decides_who_gets_the_password_needs_it_again(cast, stored, changes):
    client = cast.client(cast.ayse)
    assert add(client, **stored).status_code == 302
    url = page("connection_edit", get_account(cast))
    assert "set_password" in client.post(url, {**VALUES, **changes, "set_password": ""}).context["form"].errors
    assert client.post(url, {**VALUES, **stored, "set_password": ""}).status_code == 302
    assert client.post(url, {**VALUES, **changes}).status_code == 302


@pytest.mark.parametrize("provider", HTTP_VALUES)
def test_leaving_the_providers_usual_address_needs_the_password_again(cast, provider):
    """Nothing is stored for it: the usual case, and the one in which the question was once left out."""
    values = {"provider": provider, "name": "Hat", "rate_per_second": 9, "use_for": "", **HTTP_VALUES[provider]}
    client = cast.client(cast.ayse)
    assert client.post(NEW, values).status_code == 302
    url = page("connection_edit", get_account(cast))
    kept = {name: "" if value == SECRET else value for name, value in values.items()}
    moved = {**kept, "set_base_url": "https://evil.example.net/v1"}
    answer = client.post(url, moved)
    assert answer.status_code == 200 and "base_url" not in get_account(cast).settings
    assert list(answer.context["form"].errors) == [n for n, v in values.items() if v == SECRET]
    assert client.post(url, kept).status_code == 302
    assert client.post(url, {**moved, **HTTP_VALUES[provider]}).status_code == 302
    assert client.post(url, kept).status_code == 200, "nor back to the usual one, with a secret meant for another"


def test_only_stored_secrets_are_asked_for_again(cast):
    values = {"provider": "infobip", "name": "Hat", "rate_per_second": 9, "use_for": "", "set_iys_brand_code": 0}
    values |= {"set_iys_recipient_type": "BIREYSEL", "set_hmac_algorithm": "sha256", "set_api_key": SECRET}
    client = cast.client(cast.ayse)
    assert client.post(NEW, {**values, "set_base_url": "https://a.api.infobip.com"}).status_code == 302
    url = page("connection_edit", get_account(cast))
    moved = {**values, "set_base_url": "https://b.api.infobip.com"}
    assert list(client.post(url, {**moved, "set_api_key": ""}).context["form"].errors) == ["set_api_key"]
    assert client.post(url, moved).status_code == 302


def test_what_staff_set_beside_the_form_stays(cast, account):
    with tenant_scope(cast.butik.pk):
        account.settings = {**account.settings, "tls_verify": False}
        account.save()
    cast.client(cast.ayse).post(page("connection_edit", account), {**VALUES, "set_password": ""})
    assert get_account(cast).settings["tls_verify"] is False


def test_there_is_an_end_to_connections(cast):
    with tenant_scope(cast.butik.pk):
        for number in range(MOST_CONNECTIONS):
            GatewayAccount(tenant=cast.butik, name=f"Hat {number}", adapter="smpp").save()
    response = add(cast.client(cast.ayse))
    assert response.context["form"].non_field_errors()


def test_sender_ids_are_asked_for_at_a_new_connection(cast):
    with tenant_scope(cast.butik.pk):
        sender = request_sender(tenant=cast.butik, name="AYSEBUTIK", actor=cast.ayse)
    add(cast.client(cast.ayse))
    with tenant_scope(cast.butik.pk):
        assert [a.state for a in SenderApproval.objects.filter(sender=sender)] == ["requested"]
