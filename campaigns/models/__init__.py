from .audience import AudienceExclusion, AudienceSnapshot
from .campaign import Campaign, CampaignGroup
from .template import MessageTemplate

__all__ = ["AudienceExclusion", "AudienceSnapshot", "Campaign", "CampaignGroup", "MessageTemplate"]
