import anthropic
from checks import *

alice = anthropic.Anthropic(base_url=GATEWAY, auth_token=ALICE, max_retries=0)
alice_by_key = anthropic.Anthropic(base_url=GATEWAY, api_key=ALICE, max_retries=0)
mallory = anthropic.Anthropic(base_url=GATEWAY, auth_token=MALLORY, max_retries=0)
hello = {"model": MODEL, "max_tokens": 200, "messages": [{"role": "user", "content": HELLO}]}
tools = [{"name": TOOL, "description": TOOL_DESCRIPTION, "input_schema": TOOL_SCHEMA}]
asking = {"model": MODEL, "max_tokens": 500, "system": SYSTEM, "tools": tools}
question = {"role": "user", "content": QUESTION}


def lists_models():
    ids = [model.id for model in alice.models.list()]
    assert MODEL in ids, ids


def message():
    answer = alice.messages.create(**hello)
    assert STAND_IN in answer.content[0].text and answer.stop_reason == "end_turn"
    assert answer.usage.input_tokens > 0 and answer.usage.output_tokens > 0


def message_with_the_token_as_a_key():
    assert STAND_IN in alice_by_key.messages.create(**hello).content[0].text


def message_streamed():
    whole = alice.messages.create(**hello)
    with alice.messages.stream(**hello) as stream:
        pieces = list(stream.text_stream)
        final = stream.get_final_message()
    assert len(pieces) > 3 and "".join(pieces) == whole.content[0].text
    assert final.usage.output_tokens == whole.usage.output_tokens


def message_with_a_tool_and_its_result():
    asked = alice.messages.create(messages=[question], **asking)
    assert asked.stop_reason == "tool_use"
    (call,) = [block for block in asked.content if block.type == "tool_use"]
    result = {"type": "tool_result", "tool_use_id": call.id, "content": tool_result(call.input)}
    said = [question, {"role": "assistant", "content": asked.content}, {"role": "user", "content": [result]}]
    assert DIRECTOR in alice.messages.create(messages=said, **asking).content[0].text


def message_with_a_tool_streamed():
    with alice.messages.stream(messages=[question], **asking) as stream:
        kinds = {event.type for event in stream}
        (call,) = [block for block in stream.get_final_message().content if block.type == "tool_use"]
    assert "input_json" in kinds, kinds
    tool_result(call.input)


def message_with_an_image():
    def look(*sources):
        content = [*({"type": "image", "source": source} for source in sources), {"type": "text", "text": LOOK}]
        return alice.messages.create(model=MODEL, max_tokens=200, messages=[{"role": "user", "content": content}])

    seen, unseen = look({"type": "base64", "media_type": "image/png", "data": PNG_BASE64}), look()
    assert LOOK in seen.content[0].text
    assert seen.usage.input_tokens >= unseen.usage.input_tokens + PNG_TOKENS


def counts_tokens():
    short = alice.messages.count_tokens(model=MODEL, messages=hello["messages"])
    long = alice.messages.count_tokens(model=MODEL, messages=[{"role": "user", "content": HELLO * 20}])
    assert 0 < short.input_tokens < long.input_tokens


def refuses_a_user_without_a_group():
    error = refusal(anthropic.PermissionDeniedError, lambda: mallory.messages.create(**hello))
    assert error.body["error"]["type"] == "permission_error" and "group" in error.message and error.request_id


def refuses_a_model_that_is_not_there():
    error = refusal(anthropic.NotFoundError, lambda: alice.messages.create(**{**hello, "model": NO_MODEL}))
    assert error.body["error"]["type"] == "not_found_error" and NO_MODEL in error.message


def refuses_by_its_own_kinds_of_error():
    stranger = anthropic.Anthropic(base_url=GATEWAY, auth_token="nonsense", max_retries=0)
    error = refusal(anthropic.AuthenticationError, lambda: stranger.messages.create(**hello))
    assert error.body["error"]["type"] == "authentication_error"
    error = refusal(anthropic.PermissionDeniedError, mallory.models.list)
    assert error.body["error"]["type"] == "permission_error"


run(
    f"anthropic {anthropic.__version__}",
    [
        lists_models,
        message,
        message_with_the_token_as_a_key,
        message_streamed,
        message_with_a_tool_and_its_result,
        message_with_a_tool_streamed,
        message_with_an_image,
        counts_tokens,
        refuses_a_user_without_a_group,
        refuses_a_model_that_is_not_there,
        refuses_by_its_own_kinds_of_error,
    ],
)
