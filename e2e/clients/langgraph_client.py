import os
from importlib.metadata import version

from checks import *
from langchain.agents import create_agent
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_anthropic import ChatAnthropic
from langchain_aws import ChatBedrockConverse
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel


class City(BaseModel):
    """A city."""

    name: str
    people: int


def by_chat(token):
    return ChatOpenAI(base_url=f"{GATEWAY}/v1", api_key=token, model=MODEL, max_retries=0)


def by_responses(token):
    return ChatOpenAI(base_url=f"{GATEWAY}/v1", api_key=token, model=MODEL, max_retries=0, use_responses_api=True)


def by_anthropic(token):
    return ChatAnthropic(base_url=GATEWAY, api_key=token, model=MODEL, max_retries=0)


def by_bedrock(token):
    os.environ["AWS_BEARER_TOKEN_BEDROCK"] = token
    return ChatBedrockConverse(model=AWS_MODEL, endpoint_url=os.environ["GATEWAY_TLS_URL"], region_name="us-east-1")


def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


def said_by(text):
    return {"messages": [("user", text)]}


def checks_of(client):
    def agent(token=ALICE, **more):
        return create_agent(client(token), tools=[add], system_prompt=BRIEF, **more)

    def tool_run_and_the_next_turn():
        thread = {"configurable": {"thread_id": "1"}}
        graph = agent(checkpointer=InMemorySaver())
        assert SUM in graph.invoke(said_by(ADD), thread)["messages"][-1].text
        newest = graph.invoke(said_by(HELLO), thread)["messages"][-1]
        assert HELLO in newest.text and newest.usage_metadata["total_tokens"] > 0

    def tool_run_in_a_stream():
        pieces = [piece for piece, _ in agent().stream(said_by(ADD), stream_mode="messages")]
        assert len(pieces) > 5 and SUM in "".join(piece.text for piece in pieces)

    def an_answer_of_a_given_form_by_the_provider():
        assert isinstance(agent(response_format=ProviderStrategy(City)).invoke(said_by(HELLO))["structured_response"], City)

    def an_answer_of_a_given_form_by_a_tool():
        graph = create_agent(client(ALICE), tools=[], response_format=ToolStrategy(City))
        assert graph.invoke(said_by(HELLO))["structured_response"].name == HELLO

    def a_form_in_each_of_its_methods():
        for method in ("json_schema", "function_calling"):
            assert isinstance(client(ALICE).with_structured_output(City, method=method).invoke(HELLO), City)

    def refuses_a_user_without_a_group():
        assert "group" in str(refusal(Exception, lambda: agent(MALLORY).invoke(said_by(HELLO))))

    found = [tool_run_and_the_next_turn, tool_run_in_a_stream, an_answer_of_a_given_form_by_the_provider]
    found += [an_answer_of_a_given_form_by_a_tool, a_form_in_each_of_its_methods]
    return found + [refuses_a_user_without_a_group]


name = f"langchain {version('langchain')} agent"
clients = [by_chat, by_responses, by_anthropic, by_bedrock]
run_all([(f"{name} {client.__name__.replace('_', ' ')}", checks_of(client)) for client in clients])
