from django.urls import URLPattern, URLResolver, path

from .views import connections, senders, simulator

app_name = "gateways"
urlpatterns: list[URLPattern | URLResolver] = [
    path("connections/", connections.show_list, name="connection_list"),
    path("connections/new/", connections.add, name="connection_new"),
    path("connections/<uuid:public_id>/", connections.show, name="connection"),
    path("connections/<uuid:public_id>/edit/", connections.edit, name="connection_edit"),
    path("connections/<uuid:public_id>/switch/", connections.switch, name="connection_switch"),
    path("connections/<uuid:public_id>/maintenance/", connections.maintenance, name="connection_maintenance"),
    path("connections/<uuid:public_id>/addresses/", connections.renew_addresses, name="connection_addresses"),
    path("connections/<uuid:public_id>/delete/", connections.delete, name="connection_delete"),
    path("connections/<uuid:public_id>/test/", connections.test, name="connection_test"),
    path("connections/<uuid:public_id>/test/state/", connections.test_state, name="connection_test_state"),
    path("senders/", senders.show_list, name="sender_list"),
    path("senders/new/", senders.request_new, name="sender_new"),
    path("senders/<uuid:public_id>/", senders.show, name="sender"),
    path("senders/<uuid:public_id>/documents/", senders.add_paper, name="sender_document"),
    path("senders/<uuid:public_id>/withdraw/", senders.withdraw, name="sender_withdraw"),
    path("simulator/", simulator.simulator, name="simulator"),
    path("simulator/phones/", simulator.simulator_phones, name="simulator_phones"),
    path("simulator/reply/", simulator.simulator_reply, name="simulator_reply"),
    path("simulator/script/", simulator.simulator_script, name="simulator_script"),
]
