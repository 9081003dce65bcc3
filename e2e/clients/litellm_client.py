import os
from importlib.metadata import version

# Its price list comes from the network otherwise.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import litellm
from checks import *

litellm.num_retries = 0
litellm.suppress_debug_info = True
hello = [{"role": "user", "content": HELLO}]


def said(token=ALICE, model=MODEL, **more):
    """A gateway is `litellm_proxy` to this library: OpenAI's dialect at any address."""
    return {"model": f"litellm_proxy/{model}", "api_base": GATEWAY, "api_key": token, **more}


def completion():
    answer = litellm.completion(messages=hello, **said())
    assert STAND_IN in answer.choices[0].message.content and answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens > 0


def completion_streamed():
    whole = litellm.completion(messages=hello, **said())
    chunks = list(litellm.completion(messages=hello, stream=True, stream_options={"include_usage": True}, **said()))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert len(chunks) > 3 and text == whole.choices[0].message.content
    assert chunks[-1].usage.total_tokens == whole.usage.total_tokens


def completion_with_a_tool_and_its_result():
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}]
    asked = litellm.completion(messages=messages, tools=[openai_tool()], **said())
    assert asked.choices[0].finish_reason == "tool_calls"
    (call,) = asked.choices[0].message.tool_calls
    result = {"role": "tool", "tool_call_id": call.id, "content": tool_result(call.function.arguments)}
    messages += [asked.choices[0].message, result]
    answer = litellm.completion(messages=messages, tools=[openai_tool()], **said())
    assert DIRECTOR in answer.choices[0].message.content


def completion_with_a_tool_streamed():
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}]
    chunks = list(litellm.completion(messages=messages, tools=[openai_tool()], stream=True, **said()))
    whole = litellm.stream_chunk_builder(chunks, messages=messages)
    (call,) = whole.choices[0].message.tool_calls
    tool_result(call.function.arguments)


def completion_with_an_image():
    def look(*pictures):
        images = [{"type": "image_url", "image_url": {"url": url}} for url in pictures]
        content = [{"type": "text", "text": LOOK}, *images]
        return litellm.completion(messages=[{"role": "user", "content": content}], **said())

    seen, unseen = look(PNG_URL), look()
    assert LOOK in seen.choices[0].message.content
    assert seen.usage.prompt_tokens >= unseen.usage.prompt_tokens + PNG_TOKENS


def completion_in_the_anthropic_dialect():
    answer = litellm.completion(model=f"anthropic/{MODEL}", api_base=GATEWAY, api_key=ALICE, messages=hello)
    assert STAND_IN in answer.choices[0].message.content


def responses():
    answer = litellm.responses(input=HELLO, store=False, **said())
    assert answer.status == "completed" and STAND_IN in answer.output[0].content[0].text


def embedding():
    answer = litellm.embedding(input=["a cat", "a dog"], **said(token=BOB, model=EMBEDDING_MODEL))
    assert len(answer.data) == 2 and len(answer.data[0]["embedding"]) == 1024


def refuses_a_user_without_a_group():
    # This library has no class of its own for a 403 of such a server.
    error = refusal(litellm.APIError, lambda: litellm.completion(messages=hello, **said(token=MALLORY)))
    assert error.status_code == 403 and "group" in str(error)


def refuses_a_model_that_is_not_there():
    error = refusal(litellm.NotFoundError, lambda: litellm.completion(messages=hello, **said(model=NO_MODEL)))
    assert NO_MODEL in str(error)


def refuses_a_token_that_is_none():
    refusal(litellm.AuthenticationError, lambda: litellm.completion(messages=hello, **said(token="nonsense")))


run(
    f"litellm {version('litellm')}",
    [
        completion,
        completion_streamed,
        completion_with_a_tool_and_its_result,
        completion_with_a_tool_streamed,
        completion_with_an_image,
        completion_in_the_anthropic_dialect,
        responses,
        embedding,
        refuses_a_user_without_a_group,
        refuses_a_model_that_is_not_there,
        refuses_a_token_that_is_none,
    ],
)
