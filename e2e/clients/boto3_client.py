import json
import os

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from checks import *


# boto3 sends a bearer token over TLS only: "Bearer authorization requires an HTTPS endpoint."
GATEWAY = os.environ["GATEWAY_TLS_URL"]


def client(service, token):
    os.environ["AWS_BEARER_TOKEN_BEDROCK"] = token
    retries = Config(retries={"total_max_attempts": 1})
    return boto3.client(service, endpoint_url=GATEWAY, region_name="us-east-1", config=retries)


alice = client("bedrock-runtime", ALICE)
bob = client("bedrock-runtime", BOB)
mallory = client("bedrock-runtime", MALLORY)
hello = {"modelId": MODEL, "messages": [{"role": "user", "content": [{"text": HELLO}]}]}
tool = {"toolSpec": {"name": TOOL, "description": TOOL_DESCRIPTION, "inputSchema": {"json": TOOL_SCHEMA}}}
asking = {"modelId": MODEL, "system": [{"text": SYSTEM}], "toolConfig": {"tools": [tool]}}
question = {"role": "user", "content": [{"text": QUESTION}]}
claude = json.dumps(
    {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 200,
        "messages": [{"role": "user", "content": HELLO}],
    }
)


def lists_inference_profiles():
    profiles = client("bedrock", ALICE).list_inference_profiles()["inferenceProfileSummaries"]
    assert any(MODEL in profile["inferenceProfileId"] for profile in profiles), profiles


def converse():
    answer = alice.converse(**hello)
    assert STAND_IN in answer["output"]["message"]["content"][0]["text"] and answer["stopReason"] == "end_turn"
    assert answer["usage"]["totalTokens"] > 0


def converse_streamed():
    whole = alice.converse(**hello)
    events = list(alice.converse_stream(**hello)["stream"])
    deltas = [event["contentBlockDelta"]["delta"]["text"] for event in events if "contentBlockDelta" in event]
    assert len(deltas) > 3 and "".join(deltas) == whole["output"]["message"]["content"][0]["text"]
    assert events[-1]["metadata"]["usage"] == whole["usage"]


def converse_with_a_tool_and_its_result():
    asked = alice.converse(messages=[question], **asking)
    assert asked["stopReason"] == "tool_use"
    said = asked["output"]["message"]
    (call,) = [block["toolUse"] for block in said["content"] if "toolUse" in block]
    result = {"toolUseId": call["toolUseId"], "content": [{"text": tool_result(call["input"])}]}
    results = {"role": "user", "content": [{"toolResult": result}]}
    answer = alice.converse(messages=[question, said, results], **asking)
    assert DIRECTOR in answer["output"]["message"]["content"][0]["text"]


def converse_with_a_tool_streamed():
    events = list(alice.converse_stream(messages=[question], **asking)["stream"])
    deltas = [event["contentBlockDelta"]["delta"] for event in events if "contentBlockDelta" in event]
    tool_result("".join(delta["toolUse"]["input"] for delta in deltas if "toolUse" in delta))


def converse_with_an_image():
    def look(*pictures):
        images = [{"image": {"format": "png", "source": {"bytes": picture}}} for picture in pictures]
        return alice.converse(modelId=MODEL, messages=[{"role": "user", "content": [*images, {"text": LOOK}]}])

    seen, unseen = look(PNG), look()
    assert LOOK in seen["output"]["message"]["content"][0]["text"]
    assert seen["usage"]["inputTokens"] >= unseen["usage"]["inputTokens"] + PNG_TOKENS


def invoke():
    answer = json.loads(alice.invoke_model(modelId=MODEL, body=claude)["body"].read())
    assert STAND_IN in answer["content"][0]["text"] and answer["stop_reason"] == "end_turn"


def invoke_streamed():
    whole = json.loads(alice.invoke_model(modelId=MODEL, body=claude)["body"].read())
    stream = alice.invoke_model_with_response_stream(modelId=MODEL, body=claude)["body"]
    events = [json.loads(event["chunk"]["bytes"]) for event in stream]
    text = "".join(event["delta"].get("text", "") for event in events if event["type"] == "content_block_delta")
    assert text == whole["content"][0]["text"] and events[-1]["type"] == "message_stop"


def invoke_for_an_embedding():
    body = json.dumps({"inputText": "a cat", "dimensions": 256})
    answer = json.loads(bob.invoke_model(modelId=EMBEDDING_MODEL, body=body)["body"].read())
    assert len(answer["embedding"]) == 256


def counts_tokens():
    count = alice.count_tokens(modelId=MODEL, input={"converse": {"messages": hello["messages"]}})
    assert count["inputTokens"] > 0


def refused(call):
    error = refusal(ClientError, call)
    return error.response["Error"]["Code"], error.response["Error"]["Message"]


def refuses_a_user_without_a_group():
    code, message = refused(lambda: mallory.converse(**hello))
    assert code == "AccessDeniedException" and "group" in message, (code, message)


def refuses_a_model_that_is_not_there():
    code, message = refused(lambda: alice.converse(**{**hello, "modelId": NO_MODEL}))
    assert code == "ResourceNotFoundException" and NO_MODEL in message, (code, message)


def refuses_a_token_that_is_none():
    code, _ = refused(lambda: client("bedrock-runtime", "nonsense").converse(**hello))
    assert code in ("UnrecognizedClientException", "AccessDeniedException"), code


run(
    f"boto3 {boto3.__version__}",
    [
        lists_inference_profiles,
        converse,
        converse_streamed,
        converse_with_a_tool_and_its_result,
        converse_with_a_tool_streamed,
        converse_with_an_image,
        invoke,
        invoke_streamed,
        invoke_for_an_embedding,
        counts_tokens,
        refuses_a_user_without_a_group,
        refuses_a_model_that_is_not_there,
        refuses_a_token_that_is_none,
    ],
)
