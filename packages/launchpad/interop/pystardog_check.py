"""Uses Launchpad's public API with Stardog's own Python client, changing nothing but its base URL.

Run it against a running Launchpad:

    python3 -m venv venv && venv/bin/pip install 'pystardog[cloud]'
    LAUNCHPAD_URL=http://localhost:3000 APP_KEY=obk_... USER_TOKEN=... venv/bin/python pystardog_check.py

The application key goes where the client puts it, into Authorization. USER_TOKEN, a user's access token for Launchpad,
goes where the client has a place for one (X-SD-Auth-Token); without it the application must allow its key alone.
"""

import os
import sys

from stardog.cloud import Client
from stardog.cloud.exceptions import StardogCloudException


def main() -> int:
    url = os.environ["LAUNCHPAD_URL"].rstrip("/")
    token = os.environ.get("USER_TOKEN")
    with Client(base_url=f"{url}/api", timeout=60) as client:
        app = client.voicebox_app(app_api_token=os.environ["APP_KEY"], client_id="pystardog")
        if token is None:
            settings = app.settings()
            print(f"settings: {settings.name} on {settings.database}, reasoning {settings.reasoning}")

        answer = app.ask("Who is Bob?", stardog_auth_token_override=token)
        print(f"ask: {answer.content[:80]!r}, {len(answer.actions)} actions")
        assert "Bob" in answer.content, answer
        assert answer.conversation_id and answer.message_id, answer

        again = app.ask("Where is he based?", conversation_id=answer.conversation_id, stardog_auth_token_override=token)
        assert again.conversation_id == answer.conversation_id, again

        query = app.generate_query("Who is Bob?", stardog_auth_token_override=token)
        print(f"generate_query: {query.sparql_query!r:.80}")
        assert query.sparql_query, query

        with app.stream_ask("Who is Bob?", stardog_auth_token_override=token) as snapshots:
            received = list(snapshots)
        print(f"stream_ask: {len(received)} snapshots")
        assert received[-1].pending is False, received[-1]
        assert all(one.pending for one in received[:-1]), received
        assert "Bob" in received[-1].content, received[-1]

        wrong = client.voicebox_app(app_api_token="obk_" + "A" * 43, client_id="pystardog")
        try:
            wrong.ask("Who is Bob?")
        except StardogCloudException as refused:
            print(f"a wrong key: {refused}")
        else:
            raise AssertionError("a wrong key was accepted")
    print("pystardog works with Launchpad")
    return 0


if __name__ == "__main__":
    sys.exit(main())
