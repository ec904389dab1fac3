"""The inbox: from what a system said to what the books know, each message exactly once, whatever comes in which order."""
