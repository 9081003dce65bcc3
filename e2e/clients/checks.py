"""What the scripts share: where the gateway is, who asks, one small tool, one small picture, and how a check is told."""

import asyncio
import base64
import json
import os
import struct
import traceback
import zlib

GATEWAY = os.environ["GATEWAY_URL"]
ALICE = os.environ["ALICE_TOKEN"]
BOB = os.environ["BOB_TOKEN"]
MALLORY = os.environ["MALLORY_TOKEN"]

MODEL = "claude-sonnet-4-5"
# The same by the id that AWS has for it.
AWS_MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
EMBEDDING_MODEL = "titan-embed-v2"
NO_MODEL = "claude-none"

# It calls whatever tool it is asked to, too.
BRIEF = "Be brief."
ADD = 'Use the add tool with {"a": 2, "b": 40}.'
SUM = "42"
HELLO = "Say hello."
STAND_IN = "stand-in"

# The stand-in for Bedrock answers by rule: it calls `run_sparql` for a question it can read by the schema in the prompt.
SYSTEM = """The schema:
PREFIX f: <urn:film#>
Classes (instances):
- f:Film (3) "film", "movie"
- f:Person (5) "person", "people"
Properties (from -> to, uses):
- f:directedBy: f:Film -> f:Person (3) "is directed by", "director"; backwards "directed"
"""
QUESTION = "Who is the director of Alien?"
TOOL = "run_sparql"
TOOL_DESCRIPTION = "Runs a read-only SPARQL query."
TOOL_SCHEMA = {
    "type": "object",
    "properties": {"query": {"type": "string"}, "question": {"type": "string"}},
    "required": ["query"],
}
DIRECTOR = "Ridley Scott"


def openai_tool():
    function = {"name": TOOL, "description": TOOL_DESCRIPTION, "parameters": TOOL_SCHEMA}
    return {"type": "function", "function": function}


def tool_result(arguments):
    """The rows a database would give; the arguments must be the query the question asks for."""
    query = arguments["query"] if isinstance(arguments, dict) else json.loads(arguments)["query"]
    assert "f:directedBy" in query and '" alien "' in query, f"not the query asked for: {query}"
    columns = ["subject", "subjectName", "object", "objectName"]
    return json.dumps({"graph_data": {"columns": columns, "rows": [["urn:alien", "Alien", "urn:scott", DIRECTOR]]}})


def png():
    """A red square of 8 by 8 pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\x00" + b"\xff\x00\x00" * 8 for _ in range(8))
    header = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


PNG = png()
PNG_BASE64 = base64.b64encode(PNG).decode()
PNG_URL = f"data:image/png;base64,{PNG_BASE64}"
# The stand-in counts four characters a token over all it was sent, so its count shows that the picture arrived.
PNG_TOKENS = len(PNG_BASE64) // 4
LOOK = "What colour is this?"


# One for all, as a program has: clients keep their connections in it.
LOOP = asyncio.new_event_loop()


def done(work):
    """What asynchronous work comes to."""
    return LOOP.run_until_complete(work)


def refusal(kind, call):
    """The error of this kind that `call` ends with."""
    try:
        answer = call()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}, but {answer!r}")


def run(client, checks):
    """Prints one line a check; ends with 1 when one failed."""
    run_all([(client, checks)])


def run_all(groups):
    failed = [check for client, checks in groups for check in checks if not holds(client, check)]
    raise SystemExit(1 if failed else 0)


def holds(client, check):
    what = check.__name__.replace("_", " ")
    try:
        check()
    except Exception:
        print(f"FAILED  {client}: {what}\n{traceback.format_exc(limit=3)}", flush=True)
        return False
    print(f"ok      {client}: {what}", flush=True)
    return True
