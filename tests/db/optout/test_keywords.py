from types import SimpleNamespace

import pytest

from accounts.models import AuditEntry
from accounts.scope import ForeignTenantRow, platform_scope, tenant_scope
from optout.models import OptOutKeyword
from optout.selectors import find_opt_out_keyword, list_keywords
from optout.services import InvalidKeyword, add_keyword, remove_keyword


@pytest.mark.parametrize(
    ("text", "keyword"),
    [
        ("RET", "RET"),
        ("ret", "RET"),
        (" Ret. ", "RET"),
        ("RET AYSEBUTIK", "RET"),
        ("Dur!", "DUR"),
        ("IPTAL", "İPTAL"),
        ("iptal", "İPTAL"),
        ("İPTAL", "İPTAL"),
        ("ıptal", "İPTAL"),
        ("iptal", "İPTAL"),
        ("İptal et", "İPTAL"),
        ("çıkış", "ÇIKIŞ"),
        ("CIKIS", "ÇIKIŞ"),
        ("Stop", "STOP"),
        ("stop\r\n", "STOP"),
        ("Abonelikten çık", "ABONELİKTEN ÇIK"),
        ("durma sakın", None),
        ("lütfen ret", None),
        ("retro", None),
        ("Teşekkürler", None),
        ("", None),
        ("   ", None),
        ("😀", None),
    ],
)
def test_the_first_word_decides(in_butik, text, keyword):
    assert find_opt_out_keyword(in_butik.butik.pk, text) == keyword


def test_own_words_hold_for_their_tenant_only(cast):
    with tenant_scope(cast.butik.pk):
        add_keyword(tenant_id=cast.butik.pk, keyword=" istemiyorum ", actor=cast.ayse)
        assert find_opt_out_keyword(cast.butik.pk, "İSTEMİYORUM artık") == "İSTEMİYORUM"
        assert AuditEntry.objects.filter(action="optout_keyword.added").count() == 1
    with tenant_scope(cast.rakip.pk):
        assert find_opt_out_keyword(cast.rakip.pk, "istemiyorum") is None
    with platform_scope(reason="test"):
        assert find_opt_out_keyword(cast.butik.pk, "istemiyorum") == "İSTEMİYORUM"
        assert find_opt_out_keyword(cast.rakip.pk, "istemiyorum") is None
        assert find_opt_out_keyword(None, "istemiyorum") is None
        assert find_opt_out_keyword(None, "dur") == "DUR"


@pytest.mark.parametrize(
    ("keyword", "code"),
    [("", "no_word"), ("  ", "no_word"), ("...", "no_word"), ("iptal", "exists"), ("CIKIS", "exists"),
     ("Abonelikten  çık", "exists"), ("a" * 21, "no_word")],
)  # fmt: skip
def test_bad_words_are_refused(in_butik, keyword, code):
    with pytest.raises(InvalidKeyword) as caught:
        add_keyword(tenant_id=in_butik.butik.pk, keyword=keyword, actor=in_butik.ayse)
    assert caught.value.code == code


def test_an_own_word_can_be_removed(in_butik):
    word = add_keyword(tenant_id=in_butik.butik.pk, keyword="bırak", actor=in_butik.ayse)
    assert word.keyword == "BIRAK"
    remove_keyword(keyword=word, actor=in_butik.ayse)
    assert find_opt_out_keyword(in_butik.butik.pk, "bırak") is None
    assert AuditEntry.objects.filter(action="optout_keyword.removed", target="BIRAK").exists()


def test_the_platforms_words_are_there_and_kept(in_butik):
    words = [k.keyword for k in list_keywords(in_butik.butik.pk)]
    assert {"RET", "DUR", "İPTAL", "STOP", "ÇIKIŞ"} <= set(words)
    with pytest.raises(ForeignTenantRow):
        OptOutKeyword.objects.get(keyword="RET").delete()


@pytest.mark.django_db(transaction=True)
def test_the_platforms_words_survive_an_emptied_database(transactional_db):
    from django.core.management import call_command

    call_command("flush", interactive=False, verbosity=0)
    with platform_scope(reason="test"):
        assert find_opt_out_keyword(None, "iptal") == "İPTAL"


def test_a_word_that_somebody_added_a_moment_ago_is_known(cast, monkeypatch):
    with tenant_scope(cast.butik.pk):
        add_keyword(tenant_id=cast.butik.pk, keyword="YETER", actor=cast.ayse)
        unseen = SimpleNamespace(values_list=lambda *args, **kwargs: [])
        monkeypatch.setattr(OptOutKeyword, "objects", unseen)
        with pytest.raises(InvalidKeyword, match="exists"):
            add_keyword(tenant_id=cast.butik.pk, keyword="YETER", actor=cast.ayse)
        monkeypatch.undo()
        assert OptOutKeyword.objects.filter(keyword="YETER").count() == 1
