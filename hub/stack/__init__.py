"""The servers that come along when none is configured, and the supervisor that keeps the whole hub running.

``servers`` starts PostgreSQL, Valkey and SeaweedFS from the wheels they come in; ``supervisor`` watches over
them and the hub's own processes; ``manage.py up`` is the door to both.  Nothing in here knows a model, a user
or a license.
"""
