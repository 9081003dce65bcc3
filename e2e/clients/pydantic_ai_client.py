from importlib.metadata import version

from checks import *
from pydantic import BaseModel
from pydantic_ai import Agent, BinaryContent, NativeOutput, PromptedOutput, ToolOutput
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.bedrock import BedrockConverseModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.bedrock import BedrockProvider
from pydantic_ai.providers.openai import OpenAIProvider


class City(BaseModel):
    name: str
    people: int


def chat(token, model=MODEL):
    return OpenAIChatModel(model, provider=OpenAIProvider(base_url=f"{GATEWAY}/v1", api_key=token))


def responses(token, model=MODEL):
    return OpenAIResponsesModel(model, provider=OpenAIProvider(base_url=f"{GATEWAY}/v1", api_key=token))


def anthropic(token, model=MODEL):
    return AnthropicModel(model, provider=AnthropicProvider(base_url=GATEWAY, api_key=token))


def bedrock(token, model=AWS_MODEL):
    # What the model can do is read off AWS's own id.
    provider = BedrockProvider(base_url=os.environ["GATEWAY_TLS_URL"], region_name="us-east-1", api_key=token)
    return BedrockConverseModel(model, provider=provider)


def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


def checks_of(model):
    def agent(*found, **more):
        return Agent(model(*(found or [ALICE])), instructions=BRIEF, tools=[add], **more)

    def asked(question, *found, history=None, **more):
        return done(agent(*found, **more).run(question, message_history=history))

    def an_answer():
        said = asked(HELLO)
        assert STAND_IN in said.output and said.usage.input_tokens > 0 and said.usage.output_tokens > 0

    def stream():
        async def streamed():
            async with agent().run_stream(HELLO) as run:
                pieces = [text async for text in run.stream_text(delta=True, debounce_by=None)]
            return pieces, run.usage

        pieces, usage = done(streamed())
        assert len(pieces) > 3 and STAND_IN in "".join(pieces) and usage.output_tokens > 0

    def tool_run_and_the_next_turn():
        first = asked(ADD)
        assert SUM in first.output and first.usage.tool_calls == 1
        assert HELLO in asked(HELLO, history=first.all_messages()).output

    def an_answer_of_a_given_form():
        for form in (City, ToolOutput(City), NativeOutput(City), PromptedOutput(City)):
            assert isinstance(asked(HELLO, output_type=form).output, City)

    def image():
        seen, unseen = (asked(content) for content in ([LOOK, BinaryContent(PNG, media_type="image/png")], [LOOK]))
        assert LOOK in seen.output and seen.usage.input_tokens >= unseen.usage.input_tokens + PNG_TOKENS

    def refuses_a_user_without_a_group():
        error = refusal(ModelHTTPError, lambda: asked(HELLO, MALLORY))
        assert error.status_code == 403 and "group" in str(error)

    def refuses_a_model_that_is_not_there():
        error = refusal(ModelHTTPError, lambda: asked(HELLO, ALICE, NO_MODEL))
        assert error.status_code == 404 and NO_MODEL in str(error)

    found = [an_answer, stream, tool_run_and_the_next_turn, an_answer_of_a_given_form, image]
    return found + [refuses_a_user_without_a_group, refuses_a_model_that_is_not_there]


name = f"pydantic-ai {version('pydantic-ai-slim')}"
run_all([(f"{name} {model.__name__}", checks_of(model)) for model in (chat, responses, anthropic, bedrock)])
