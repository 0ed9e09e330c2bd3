from .audience import AudienceExclusion, AudienceSnapshot, AudienceStretch
from .campaign import Campaign, CampaignGroup
from .template import MessageTemplate

__all__ = ["AudienceExclusion", "AudienceSnapshot", "AudienceStretch", "Campaign", "CampaignGroup", "MessageTemplate"]
