"""What a campaign's services refuse. Each leaves everything as it was."""

from collections.abc import Sequence

from ..models import Campaign
from ..selectors.problems import Problem


class CampaignError(Exception):
    """Base of the refusals below."""


class NotEditable(CampaignError):
    """The campaign is scheduled, launched or cancelled: its content stands."""


class DraftConflict(CampaignError):
    """Somebody saved the draft since this person opened it. `campaign` is the version that stands."""

    def __init__(self, campaign: Campaign) -> None:
        super().__init__(f"version {campaign.version} was saved meanwhile")
        self.campaign = campaign


class NotReady(CampaignError):
    """Something has to be put right before the next step."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(", ".join(problem.code for problem in problems))
        self.problems = tuple(problems)


class ScheduleInPast(CampaignError):
    """The chosen time is over."""


class CampaignHeld(CampaignError):
    """Platform staff hold the campaign: only they let it go."""


class NumberSuppressed(CampaignError):
    """The number of a test send is on the suppression list."""
