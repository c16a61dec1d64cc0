"""A step that does nothing."""

from sandbook import Context, Done, define


def run(_: Context, __: dict) -> Done:
    return Done({})


Step = define(run)
