"""Signed doors through which bytes flow when a client cannot reach the store itself (HUB_DELIVERY=proxy)."""
