"""Reads of the reports. Figures come from roll-ups; messages are only listed, never counted."""
