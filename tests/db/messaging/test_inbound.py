import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from accounts.scope import platform_scope, tenant_scope
from gateways.adapters.smpp.gateway import SmppGateway
from gateways.adapters.smpp.pdu import DELIVER_SM, HEADER
from gateways.models import GatewayAccount, InboundNumber
from gateways.simulator.mo import make_mo_bodies
from gateways.types import InboundMessage as Arrived
from messaging.models import InboundMessage
from messaging.scope import engine_scope
from messaging.services.inbox import StoredEvent, store_events
from optout.models import OptOutKeyword
from optout.selectors import load_suppressed
from smscore.encoding import Encoding
from smscore.parts import decode_part, encode_message
from smscore.udh import build_header
from tests.engine_runs import make_rows, make_run

from .engine import HandSlot

NUMBER = "+905300000000"


@pytest.fixture(autouse=True)
def keywords(db):
    with platform_scope(reason="test"):
        for word in ("RET", "İPTAL"):
            OptOutKeyword.objects.get_or_create(tenant=None, keyword=word)


@pytest.fixture
def sent(funded, account):
    make_run(funded, account, make_rows(1))
    slot = HandSlot(account).open()
    slot.accept(slot.send_all())
    return funded


def arrive(account, *messages):
    with engine_scope(reason="test"):
        store_events([StoredEvent(account.pk, b"raw", m) for m in messages])


def stored():
    with platform_scope(reason="test"):
        return list(InboundMessage.objects.order_by("pk"))


def is_blocked(tenant):
    with tenant_scope(tenant.pk):
        return bool(load_suppressed(tenant.pk, [NUMBER]))


def test_a_reply_belongs_to_who_wrote_last(sent, account):
    arrive(account, Arrived(NUMBER, "4609", "Teşekkürler"))
    (message,) = stored()
    assert (message.tenant_id, message.text, message.keyword) == (sent.pk, "Teşekkürler", "")
    assert not is_blocked(sent)


@pytest.mark.parametrize("text", ["RET", "ret", "Ret lütfen", "iptal", "İptal", "IPTAL"])
def test_an_opt_out_word_blocks(sent, account, text):
    arrive(account, Arrived(NUMBER, "4609", text))
    assert stored()[0].keyword in ("RET", "İPTAL")
    assert is_blocked(sent)


def test_a_named_tenant_is_meant_and_no_other(sent, cast, account):
    cast.rakip.opt_out_code = "CANMARKET"
    cast.rakip.save()
    arrive(account, Arrived(NUMBER, "4609", "RET canmarket"))
    assert stored()[0].tenant_id == cast.rakip.pk
    assert is_blocked(cast.rakip) and not is_blocked(sent)


@pytest.fixture
def own(cast):
    """A connection that Can, a stranger to all others, made to a host of his own."""
    with platform_scope(reason="test"):
        account = GatewayAccount(name="Kendi hattım", adapter="smpp", tenant=cast.rakip)
        account.save()
    return account


@pytest.mark.parametrize("trick", ["code", "number", "last message", "none"])
def test_what_a_tenants_own_connection_brings_stays_with_it(sent, cast, own, account, trick):
    """Its owner says what comes over it: no words, numbers or history in there may reach another account."""
    if trick == "code":
        cast.butik.opt_out_code = "BUTIK"
        cast.butik.save()
    elif trick == "number":
        claim(own, cast.butik, "4609")
    elif trick == "last message":
        with platform_scope(reason="test"), connection.cursor() as cursor:
            cursor.execute("UPDATE messaging_messagebatch SET gateway_account_id = %s", [own.pk])
    arrive(own, Arrived(NUMBER, "4609", "RET BUTIK"), Arrived(NUMBER, "4609", "Merhaba"))
    arrive(own, Arrived(NUMBER, "4609", " BUTIK", 9, 2, 2), Arrived(NUMBER, "4609", "RET", 9, 1, 2))
    assert {m.tenant_id for m in stored()} == {cast.rakip.pk}
    assert is_blocked(cast.rakip) and not is_blocked(sent)


def test_a_number_is_not_given_out_on_somebody_elses_connection(cast, own):
    with platform_scope(reason="test"):
        InboundNumber(gateway_account=own, tenant=cast.rakip, recipient="4609").full_clean()
        with pytest.raises(ValidationError, match="gateway_account"):
            InboundNumber(gateway_account=own, tenant=cast.butik, recipient="4609").full_clean()


def test_nobodys_reply_is_kept_for_the_platform(account):
    arrive(account, Arrived("+905399999999", "4609", "RET"))
    assert stored()[0].tenant_id is None


def test_pieces_of_a_long_message_become_one(sent, account):
    def piece(number, text):
        return Arrived(NUMBER, "4609", text, reference=77, part=number, parts=3)

    arrive(account, piece(2, "iki "))
    arrive(account, piece(1, "bir "), piece(2, "iki "))
    arrive(account, piece(3, "üç"), Arrived(NUMBER, "4609", "başka"))
    assert [m.text for m in stored()] == ["bir iki üç", "başka"]
    arrive(account, piece(1, "bir "))
    assert len(stored()) == 2  # a piece that came again
    arrive(account, piece(1, "yeni "))
    assert [m.text for m in stored()] == ["bir iki üç", "başka", "yeni  […] "]  # the reference came round again


def test_a_long_opt_out_counts_when_its_first_piece_is_there(sent, account):
    arrive(account, Arrived(NUMBER, "4609", " devamı", reference=5, part=2, parts=2))
    assert not is_blocked(sent)
    arrive(account, Arrived(NUMBER, "4609", "RET artık yazmayın", reference=5, part=1, parts=2))
    assert is_blocked(sent)


def octet_pieces(text, encoding, *order, cut=None):
    """Pieces as a provider with octets gives them, in this order; `cut`: cut there, wherever that is."""
    if cut:
        bodies = [text.encode("utf-16-be")[:cut], text.encode("utf-16-be")[cut:]]
        parts = [
            decode_part(build_header(Encoding.UCS2, total=2, sequence=n) + b, 8, 64) for n, b in enumerate(bodies, 1)
        ]
    else:
        parts = [decode_part(*part) for part in encode_message(text, encoding, reference=4)]
    return [Arrived(NUMBER, "4609", parts[n - 1].text, 4, n, len(parts), piece=parts[n - 1]) for n in order]


def test_a_character_cut_between_pieces_is_read_whole(sent, account):
    arrive(account, *octet_pieces("ab😀cd", "ucs2", 2, 1, cut=6))
    assert [m.text for m in stored()] == ["ab😀cd"]


@pytest.mark.parametrize("encoding", ["gsm7-tr-single", "gsm7-tr-locking", "ucs2"])
def test_national_tables_hold_for_pieces_in_any_order(sent, account, encoding):
    text = "Şikâyetim var: çağrı merkezi açmıyor. ".replace("â", "a") * 8
    count = len(encode_message(text, encoding, reference=4))
    arrive(account, *octet_pieces(text, encoding, *range(count, 0, -1)))
    assert [m.text for m in stored()] == [text]


@pytest.mark.parametrize("mode", ["udh8", "udh16", "sar"])
def test_a_long_reply_over_smpp_is_one_message_in_the_inbox(sent, account, mode):
    """From the octets of the wire to the row, last piece first, each as an arrival of its own."""
    text = "İptal etmek istemiyorum, şubeniz ne zaman açılıyor? " * 5
    gateway = SmppGateway.from_settings({})
    bodies = make_mo_bodies(NUMBER, "4609", text, mode, 300)
    frames = [HEADER.pack(16 + len(body), DELIVER_SM, 0, n) + body for n, body in enumerate(bodies, 1)]
    for frame in reversed(frames):
        arrive(account, *gateway.read_events([frame]))
    (message,) = stored()
    assert (message.text, message.is_whole, message.tenant_id) == (text, True, sent.pk)
    assert message.keyword == "İPTAL"


def test_a_missing_piece_shows_what_came_and_says_so(sent, account):
    text = "a" * 153 + "b" * 153 + "c" * 153 + "d"
    arrive(account, *octet_pieces(text, "gsm7", 4, 1))
    (message,) = stored()
    assert (message.text, message.is_whole) == ("a" * 153 + " […] d", False)
    arrive(account, *octet_pieces(text, "gsm7", 3, 2))
    (message,) = stored()
    assert (message.text, message.is_whole) == (text, True)


def test_a_stop_word_inside_a_long_message_is_none(sent, account):
    arrive(account, Arrived(NUMBER, "4609", "DUR bakalım", reference=6, part=2, parts=2))
    arrive(account, Arrived(NUMBER, "4609", "Bana şöyle dedi: ", reference=6, part=1, parts=2))
    assert not is_blocked(sent)


def test_the_first_piece_says_whose_it_is_even_if_it_comes_last(sent, cast, account):
    cast.rakip.opt_out_code = "CANMARKET"
    cast.rakip.save()
    arrive(account, Arrived(NUMBER, "4609", " ve daha fazlası", reference=8, part=2, parts=2))
    assert stored()[0].tenant_id == sent.pk
    arrive(account, Arrived(NUMBER, "4609", "RET CANMARKET", reference=8, part=1, parts=2))
    assert stored()[0].tenant_id == cast.rakip.pk
    assert is_blocked(cast.rakip) and not is_blocked(sent)


def claim(account, tenant, recipient, keyword="", **fields):
    with platform_scope(reason="test"):
        return InboundNumber.objects.create(
            gateway_account=account, tenant=tenant, recipient=recipient, keyword=keyword, **fields
        )


def test_a_number_of_ones_own_draws_everything_sent_to_it(sent, cast, account):
    claim(account, cast.rakip, "+908505550000")
    arrive(account, Arrived(NUMBER, "908505550000", "Merhaba"), Arrived(NUMBER, "+908505550000", "RET"))
    arrive(account, Arrived(NUMBER, "4609", "Merhaba"))
    assert [m.tenant_id for m in stored()] == [cast.rakip.pk, cast.rakip.pk, sent.pk]
    assert is_blocked(cast.rakip) and not is_blocked(sent)


@pytest.mark.parametrize("text", ["ÇEKİLİŞ katılmak istiyorum", "cekilis", "Çekiliş!"])
def test_a_keyword_on_a_shared_number(sent, cast, account, text):
    claim(account, cast.rakip, "4609", "Çekiliş")
    arrive(account, Arrived(NUMBER, "4609", text), Arrived(NUMBER, "4609", "ne çekiliş"), Arrived(NUMBER, "4610", text))
    assert [m.tenant_id for m in stored()] == [cast.rakip.pk, sent.pk, sent.pk]


@pytest.mark.parametrize("sender", ["4609", "TURKCELL", "2125550000"])
def test_who_has_no_full_number_cannot_be_kept_out(sent, account, sender):
    """The reply stays in the inbox as one that nothing was done about."""
    claim(account, sent, "+908505550000")
    arrive(account, Arrived(sender, "908505550000", "RET"))
    assert [(m.tenant_id, m.keyword) for m in stored()] == [(sent.pk, "")]
    with tenant_scope(sent.pk):
        assert not load_suppressed(sent.pk, [sender])


def test_a_number_given_back_is_nobodys(sent, cast, account):
    claim(account, cast.rakip, "4609", is_active=False)
    arrive(account, Arrived(NUMBER, "4609", "Merhaba"))
    assert stored()[0].tenant_id == sent.pk


def test_a_keyword_is_one_word(cast, account):
    with platform_scope(reason="test"), pytest.raises(ValidationError, match="keyword"):
        InboundNumber(gateway_account=account, tenant=cast.rakip, recipient="4609", keyword="iki kelime").full_clean()


def test_two_tenants_cannot_have_one_keyword(cast, account):
    claim(account, cast.rakip, "4609", "ÇEKİLİŞ")
    with pytest.raises(IntegrityError), transaction.atomic():
        claim(account, cast.butik, "4609", "cekilis")


def test_a_nul_in_a_text_keeps_nobody_waiting(sent, account):
    """A column of text takes no NUL; refused, the message would come again for ever, and what came with it too."""
    arrive(account, Arrived(NUMBER, "4609", "RET\x00"), Arrived(NUMBER, "4609", "Ik\x00i", 7, 1, 2))
    assert [m.text for m in stored()] == ["RET", "Iki […] "]
    assert is_blocked(sent)


@pytest.mark.parametrize(("code", "text"), [("RET", "ret"), ("EVET", "evet isterim"), ("RET", "RET RET")])
def test_an_everyday_word_as_a_code_draws_nobody_elses_replies(sent, cast, account, code, text):
    cast.rakip.opt_out_code = code
    cast.rakip.save()
    arrive(account, Arrived(NUMBER, "4609", text.removesuffix(" RET")))
    assert stored()[0].tenant_id == sent.pk
    assert not is_blocked(cast.rakip)
