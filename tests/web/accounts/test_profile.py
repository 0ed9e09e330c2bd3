from django.urls import reverse

from accounts.models import User

URL = "accounts:profile"


def test_saves_name_language_and_theme(cast):
    client = cast.client(cast.vildan)
    response = client.post(reverse(URL), {"full_name": "Vildan Su", "language": "en", "theme": "dark"})
    assert response.status_code == 302
    user = User.objects.get(pk=cast.vildan.pk)
    assert (user.full_name, user.language, user.theme) == ("Vildan Su", "en", "dark")


def test_bad_values_change_nothing(cast):
    response = cast.client(cast.vildan).post(reverse(URL), {"full_name": "X", "language": "de", "theme": "dark"})
    assert response.status_code == 200
    assert "language" in response.context["form"].errors
    assert User.objects.get(pk=cast.vildan.pk).full_name == "Vildan"


def test_works_without_an_account(db, client):
    client.force_login(User.objects.create_user("kimse@example.com", None))
    assert client.get(reverse(URL)).status_code == 200
    assert client.get(reverse("accounts:settings"))["Location"] == reverse("accounts:no_tenant")
    assert client.get(reverse("accounts:no_tenant")).status_code == 200


def test_wrong_method(cast):
    assert cast.client(cast.ayse).delete(reverse(URL)).status_code == 405
