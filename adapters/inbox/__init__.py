"""The inbox: from what a system said to what the books know, each message once, in whatever order."""
