import os
from importlib.metadata import version

from checks import *
from langchain_anthropic import ChatAnthropic
from langchain_aws import ChatBedrockConverse
from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings


def by_openai(token, model=MODEL):
    return ChatOpenAI(base_url=f"{GATEWAY}/v1", api_key=token, model=model, max_retries=0, stream_usage=True)


def by_anthropic(token, model=MODEL):
    return ChatAnthropic(base_url=GATEWAY, api_key=token, model=model, max_retries=0, max_tokens=500)


def by_bedrock(token, model=MODEL):
    os.environ["AWS_BEARER_TOKEN_BEDROCK"] = token
    # The name is the gateway's, so the family of the model cannot be read off it.
    gateway = os.environ["GATEWAY_TLS_URL"]
    return ChatBedrockConverse(model=model, provider="anthropic", endpoint_url=gateway, region_name="us-east-1")


@tool
def run_sparql(query: str, question: str = "") -> str:
    """Runs a read-only SPARQL query."""
    return tool_result({"query": query})


def text_of(message):
    """Content is a text, or a list of parts."""
    if isinstance(message.content, str):
        return message.content
    return "".join(part.get("text", "") for part in message.content)


def checks_of(client):
    model = client(ALICE)

    def invoke():
        answer = model.invoke(HELLO)
        assert STAND_IN in text_of(answer) and answer.usage_metadata["total_tokens"] > 0

    def stream():
        whole = model.invoke(HELLO)
        chunks = list(model.stream(HELLO))
        total = chunks[0]
        for chunk in chunks[1:]:
            total += chunk
        assert len(chunks) > 3 and text_of(total) == text_of(whole)
        assert total.usage_metadata["total_tokens"] == whole.usage_metadata["total_tokens"]

    def tool_and_its_result():
        bound = model.bind_tools([run_sparql])
        messages = [SystemMessage(SYSTEM), HumanMessage(QUESTION)]
        asked = bound.invoke(messages)
        (call,) = asked.tool_calls
        messages += [asked, ToolMessage(run_sparql.invoke(call["args"]), tool_call_id=call["id"])]
        assert DIRECTOR in text_of(bound.invoke(messages))

    def tool_streamed():
        bound = model.bind_tools([run_sparql])
        chunks = list(bound.stream([SystemMessage(SYSTEM), HumanMessage(QUESTION)]))
        total = chunks[0]
        for chunk in chunks[1:]:
            total += chunk
        (call,) = total.tool_calls
        run_sparql.invoke(call["args"])

    def image():
        picture = {"type": "image", "base64": PNG_BASE64, "mime_type": "image/png"}
        question = {"type": "text", "text": LOOK}
        seen, unseen = (model.invoke([HumanMessage(content)]) for content in ([question, picture], [question]))
        assert LOOK in text_of(seen)
        assert seen.usage_metadata["input_tokens"] >= unseen.usage_metadata["input_tokens"] + PNG_TOKENS

    def refuses_a_user_without_a_group():
        assert "group" in str(refusal(Exception, lambda: client(MALLORY).invoke(HELLO)))

    def refuses_a_model_that_is_not_there():
        assert NO_MODEL in str(refusal(Exception, lambda: client(ALICE, NO_MODEL).invoke(HELLO)))

    found = [invoke, stream, tool_and_its_result, tool_streamed, image]
    return found + [refuses_a_user_without_a_group, refuses_a_model_that_is_not_there]


def embeddings():
    embedder = OpenAIEmbeddings(
        base_url=f"{GATEWAY}/v1", api_key=BOB, model=EMBEDDING_MODEL, check_embedding_ctx_length=False
    )
    vectors = embedder.embed_documents(["a cat", "a dog"])
    assert len(vectors) == 2 and len(vectors[0]) == 1024 and vectors[0] != vectors[1]


clients = [("langchain-openai", by_openai), ("langchain-anthropic", by_anthropic), ("langchain-aws", by_bedrock)]
groups = [(f"{package} {version(package)}", checks_of(client)) for package, client in clients]
groups[0][1].append(embeddings)
run_all(groups)
