"""What stands in the way of a sender ID at a connection, in the reader's language."""

from django.utils.translation import gettext as _

from ..services.approvals import Obstacle, ObstacleKind


def describe_obstacle(name: str, obstacle: Obstacle) -> str:
    values = {"name": name, "connection": obstacle.account.name, "detail": obstacle.detail}
    if obstacle.kind is ObstacleKind.REFUSED:
        if obstacle.detail:
            return _("The sender ID %(name)s was refused for the connection %(connection)s: %(detail)s") % values
        return _("The sender ID %(name)s was refused for the connection %(connection)s.") % values
    if obstacle.kind is ObstacleKind.SPELLING:
        return (
            _(
                "At the connection %(connection)s the sender ID is written “%(detail)s”, not “%(name)s”."
                " Upper and lower case and spaces count."
            )
            % values
        )
    if obstacle.kind is ObstacleKind.NOT_LISTED:
        return _("The provider of the connection %(connection)s does not list the sender ID %(name)s.") % values
    return _("The sender ID %(name)s is not approved for the connection %(connection)s yet.") % values
