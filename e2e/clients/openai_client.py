import openai
from checks import *

alice = openai.OpenAI(base_url=f"{GATEWAY}/v1", api_key=ALICE, max_retries=0)
bob = openai.OpenAI(base_url=f"{GATEWAY}/v1", api_key=BOB, max_retries=0)
mallory = openai.OpenAI(base_url=f"{GATEWAY}/v1", api_key=MALLORY, max_retries=0)
hello = [{"role": "user", "content": HELLO}]


def cosine(left, right):
    length = sum(x * x for x in left) * sum(x * x for x in right)
    return sum(x * y for x, y in zip(left, right, strict=True)) / length**0.5


def lists_models():
    ids = [model.id for model in alice.models.list()]
    assert MODEL in ids and EMBEDDING_MODEL not in ids, ids


def chat():
    answer = alice.chat.completions.create(model=MODEL, messages=hello)
    assert STAND_IN in answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0


def chat_streamed():
    whole = alice.chat.completions.create(model=MODEL, messages=hello)
    stream = alice.chat.completions.create(
        model=MODEL, messages=hello, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert len(chunks) > 3 and text == whole.choices[0].message.content
    assert chunks[-1].usage == whole.usage


def chat_with_a_tool_and_its_result():
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}]
    asked = alice.chat.completions.create(model=MODEL, messages=messages, tools=[openai_tool()])
    assert asked.choices[0].finish_reason == "tool_calls"
    (call,) = asked.choices[0].message.tool_calls
    assert call.function.name == TOOL
    result = {"role": "tool", "tool_call_id": call.id, "content": tool_result(call.function.arguments)}
    messages += [asked.choices[0].message, result]
    answer = alice.chat.completions.create(model=MODEL, messages=messages, tools=[openai_tool()])
    assert DIRECTOR in answer.choices[0].message.content


def chat_with_a_tool_streamed():
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}]
    with alice.chat.completions.stream(model=MODEL, messages=messages, tools=[openai_tool()]) as stream:
        kinds = {event.type for event in stream}
        (call,) = stream.get_final_completion().choices[0].message.tool_calls
    assert "tool_calls.function.arguments.delta" in kinds, kinds
    tool_result(call.function.arguments)


def chat_with_an_image():
    def look(*pictures):
        images = [{"type": "image_url", "image_url": {"url": url}} for url in pictures]
        content = [{"type": "text", "text": LOOK}, *images]
        return alice.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": content}])

    seen, unseen = look(PNG_URL), look()
    assert LOOK in seen.choices[0].message.content
    assert seen.usage.prompt_tokens >= unseen.usage.prompt_tokens + PNG_TOKENS
    error = refusal(openai.BadRequestError, lambda: look("data:image/bmp;base64,Qk0="))
    assert "image" in error.message, error.message


def responses():
    answer = alice.responses.create(model=MODEL, input=HELLO, store=False)
    assert answer.status == "completed" and STAND_IN in answer.output_text


def responses_streamed():
    with alice.responses.stream(model=MODEL, input=HELLO, store=False) as stream:
        text = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        assert text == stream.get_final_response().output_text != ""


def responses_with_a_tool():
    tool = {"type": "function", "name": TOOL, "parameters": TOOL_SCHEMA, "strict": False}
    said = {"model": MODEL, "instructions": SYSTEM, "tools": [tool], "store": False}
    asked = alice.responses.create(input=QUESTION, **said)
    (call,) = [item for item in asked.output if item.type == "function_call"]
    result = {"type": "function_call_output", "call_id": call.call_id, "output": tool_result(call.arguments)}
    answer = alice.responses.create(input=[{"role": "user", "content": QUESTION}, call, result], **said)
    assert DIRECTOR in answer.output_text


def embeddings():
    cats = ["a cat sat on the mat", "a cat sat on a chair", "quarterly figures"]
    answer = bob.embeddings.create(model=EMBEDDING_MODEL, input=cats, dimensions=256)
    near, far = (cosine(answer.data[0].embedding, answer.data[at].embedding) for at in (1, 2))
    assert len(answer.data[0].embedding) == 256 and near > far, (near, far)
    as_lists = bob.embeddings.create(model=EMBEDDING_MODEL, input=cats, dimensions=256, encoding_format="float")
    assert abs(as_lists.data[1].embedding[7] - answer.data[1].embedding[7]) < 1e-6


def refuses_a_model_the_groups_do_not_allow():
    create = alice.embeddings.create
    error = refusal(openai.PermissionDeniedError, lambda: create(model=EMBEDDING_MODEL, input=["a"]))
    assert EMBEDDING_MODEL in error.message


def refuses_a_user_without_a_group():
    error = refusal(openai.PermissionDeniedError, lambda: mallory.chat.completions.create(model=MODEL, messages=hello))
    assert "group" in error.message and error.request_id


def refuses_a_model_that_is_not_there():
    error = refusal(openai.NotFoundError, lambda: alice.chat.completions.create(model=NO_MODEL, messages=hello))
    assert NO_MODEL in error.message and error.code == "model_not_found", error


def refuses_a_token_that_is_none():
    stranger = alice.with_options(api_key="nonsense")
    error = refusal(openai.AuthenticationError, stranger.models.list)
    assert error.type == "authentication_error" and error.request_id, error.body


run(
    f"openai {openai.__version__}",
    [
        lists_models,
        chat,
        chat_streamed,
        chat_with_a_tool_and_its_result,
        chat_with_a_tool_streamed,
        chat_with_an_image,
        responses,
        responses_streamed,
        responses_with_a_tool,
        embeddings,
        refuses_a_model_the_groups_do_not_allow,
        refuses_a_user_without_a_group,
        refuses_a_model_that_is_not_there,
        refuses_a_token_that_is_none,
    ],
)
