from django.urls import URLPattern, URLResolver, path

from .views import senders, simulator

app_name = "gateways"
urlpatterns: list[URLPattern | URLResolver] = [
    path("senders/", senders.show_list, name="sender_list"),
    path("senders/new/", senders.request_new, name="sender_new"),
    path("senders/<uuid:public_id>/withdraw/", senders.withdraw, name="sender_withdraw"),
    path("simulator/", simulator.simulator, name="simulator"),
    path("simulator/phones/", simulator.simulator_phones, name="simulator_phones"),
    path("simulator/reply/", simulator.simulator_reply, name="simulator_reply"),
    path("simulator/script/", simulator.simulator_script, name="simulator_script"),
]
