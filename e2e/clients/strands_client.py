import os
from importlib.metadata import version

from checks import *
from pydantic import BaseModel
from strands import Agent, tool
from strands.models.anthropic import AnthropicModel
from strands.models.bedrock import BedrockModel
from strands.models.openai import OpenAIModel


class City(BaseModel):
    """A city."""

    name: str
    people: int


def by_bedrock(token, model=MODEL):
    os.environ["AWS_BEARER_TOKEN_BEDROCK"] = token
    return BedrockModel(model_id=model, endpoint_url=os.environ["GATEWAY_TLS_URL"], region_name="us-east-1")


def by_openai(token, model=MODEL):
    return OpenAIModel(client_args={"base_url": f"{GATEWAY}/v1", "api_key": token}, model_id=model)


def by_anthropic(token, model=MODEL):
    return AnthropicModel(client_args={"base_url": GATEWAY, "api_key": token}, model_id=model, max_tokens=500)


@tool
def add(a: int, b: int) -> int:
    """Adds two numbers.

    Args:
        a: one
        b: the other
    """
    return a + b


def checks_of(client):
    def agent(*found):
        return Agent(model=client(*(found or [ALICE])), tools=[add], system_prompt=BRIEF, callback_handler=None)

    def an_answer():
        said = done(agent().invoke_async(HELLO))
        assert STAND_IN in str(said) and said.metrics.accumulated_usage["totalTokens"] > 0

    def stream():
        async def streamed():
            return [event["data"] async for event in agent().stream_async(HELLO) if "data" in event]

        pieces = done(streamed())
        assert len(pieces) > 3 and STAND_IN in "".join(pieces)

    def tool_run_and_the_next_turn():
        talk = agent()
        assert SUM in str(done(talk.invoke_async(ADD))) and HELLO in str(done(talk.invoke_async(HELLO)))

    def an_answer_of_a_given_form():
        assert isinstance(done(agent().invoke_async(HELLO, structured_output_model=City)).structured_output, City)

    def image():
        picture = {"image": {"format": "png", "source": {"bytes": PNG}}}
        seen, unseen = (done(agent().invoke_async(content)) for content in ([{"text": LOOK}, picture], [{"text": LOOK}]))
        tokens = [said.metrics.accumulated_usage["inputTokens"] for said in (seen, unseen)]
        assert LOOK in str(seen) and tokens[0] >= tokens[1] + PNG_TOKENS

    def refuses_a_user_without_a_group():
        assert "group" in str(refusal(Exception, lambda: done(agent(MALLORY).invoke_async(HELLO))))

    def refuses_a_model_that_is_not_there():
        assert NO_MODEL in str(refusal(Exception, lambda: done(agent(ALICE, NO_MODEL).invoke_async(HELLO))))

    found = [an_answer, stream, tool_run_and_the_next_turn, an_answer_of_a_given_form, image]
    return found + [refuses_a_user_without_a_group, refuses_a_model_that_is_not_there]


name = f"strands-agents {version('strands-agents')}"
clients = [by_bedrock, by_openai, by_anthropic]
run_all([(f"{name} {client.__name__.replace('_', ' ')}", checks_of(client)) for client in clients])
