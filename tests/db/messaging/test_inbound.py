import pytest

from accounts.scope import platform_scope, tenant_scope
from gateways.types import InboundMessage as Arrived
from messaging.models import InboundMessage
from messaging.scope import engine_scope
from messaging.services.inbox import StoredEvent, store_events
from optout.models import OptOutKeyword
from optout.selectors import load_suppressed
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
    arrive(account, piece(1, "yeni "))
    assert len(stored()) == 2  # a piece that came again; the same reference within a day


def test_a_long_opt_out_counts_when_its_first_piece_is_there(sent, account):
    arrive(account, Arrived(NUMBER, "4609", " devamı", reference=5, part=2, parts=2))
    assert not is_blocked(sent)
    arrive(account, Arrived(NUMBER, "4609", "RET artık yazmayın", reference=5, part=1, parts=2))
    assert is_blocked(sent)


def test_a_nul_in_a_text_keeps_nobody_waiting(sent, account):
    """A column of text takes no NUL; refused, the message would come again for ever, and what came with it too."""
    arrive(account, Arrived(NUMBER, "4609", "RET\x00"), Arrived(NUMBER, "4609", "Ik\x00i", 7, 1, 2))
    assert [m.text for m in stored()] == ["RET", "Iki"]
    assert is_blocked(sent)


@pytest.mark.parametrize(("code", "text"), [("RET", "ret"), ("EVET", "evet isterim"), ("RET", "RET RET")])
def test_an_everyday_word_as_a_code_draws_nobody_elses_replies(sent, cast, account, code, text):
    cast.rakip.opt_out_code = code
    cast.rakip.save()
    arrive(account, Arrived(NUMBER, "4609", text.removesuffix(" RET")))
    assert stored()[0].tenant_id == sent.pk
    assert not is_blocked(cast.rakip)
