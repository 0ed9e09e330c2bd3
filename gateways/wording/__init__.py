"""What connections and sender IDs lack, in words for people."""
