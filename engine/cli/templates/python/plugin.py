"""The step: reads a page's title."""

from sandbook import Context, Done, Failure, define, http


def run(_: Context, input: dict) -> Done:
    page = http.get(input["url"]).credential_if_bound("api").json()
    title = page["title"].strip()
    if not title:
        raise Failure("failed", f"{input['url']} has no title", code="UnexpectedAnswer")
    return Done({"title": title}, summary="read the title")


Step = define(run)
