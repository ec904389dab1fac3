from __future__ import annotations


async def figures(settings, size, progress):
    return []
