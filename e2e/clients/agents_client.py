from importlib.metadata import version

import openai
from agents import (
    Agent,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from checks import *
from pydantic import BaseModel

# Its traces would go to OpenAI.
set_tracing_disabled(True)


class City(BaseModel):
    name: str
    people: int


@function_tool
def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


def checks_of(model):
    def agent(token=ALICE, name=MODEL, **more):
        client = openai.AsyncOpenAI(base_url=f"{GATEWAY}/v1", api_key=token, max_retries=0)
        return Agent(name="Reader", instructions=BRIEF, model=model(name, client), tools=[add], **more)

    def asked(question, **more):
        return done(Runner.run(agent(**more), question))

    def an_answer():
        said = asked(HELLO)
        assert STAND_IN in said.final_output and said.context_wrapper.usage.total_tokens > 0

    def tool_run():
        said = asked(ADD)
        assert SUM in said.final_output and said.context_wrapper.usage.requests == 2

    def tool_run_in_a_stream():
        async def streamed():
            # Chat completions tell a stream's usage to whom asks.
            run = Runner.run_streamed(agent(model_settings=ModelSettings(include_usage=True)), ADD)
            events = [event async for event in run.stream_events()]
            return run.final_output, len(events), run.context_wrapper.usage.total_tokens

        answer, events, tokens = done(streamed())
        assert SUM in answer and events > 10 and tokens > 0

    def the_next_turn():
        async def turns():
            first = await Runner.run(agent(), ADD)
            return await Runner.run(agent(), [*first.to_input_list(), {"role": "user", "content": HELLO}])

        assert HELLO in done(turns()).final_output

    def an_answer_of_a_given_form():
        assert STAND_IN in asked(HELLO, output_type=City).final_output.name

    def image():
        parts = [{"type": "input_text", "text": LOOK}, {"type": "input_image", "image_url": PNG_URL, "detail": "auto"}]
        seen, unseen = (asked([{"role": "user", "content": content}]) for content in (parts, parts[:1]))
        assert LOOK in seen.final_output
        tokens = [said.context_wrapper.usage.input_tokens for said in (seen, unseen)]
        assert tokens[0] >= tokens[1] + PNG_TOKENS

    def refuses_a_user_without_a_group():
        assert "group" in str(refusal(openai.PermissionDeniedError, lambda: asked(HELLO, token=MALLORY)))

    def refuses_a_model_that_is_not_there():
        assert NO_MODEL in str(refusal(openai.NotFoundError, lambda: asked(HELLO, name=NO_MODEL)))

    found = [an_answer, tool_run, tool_run_in_a_stream, the_next_turn, an_answer_of_a_given_form, image]
    return found + [refuses_a_user_without_a_group, refuses_a_model_that_is_not_there]


name = f"openai-agents {version('openai-agents')}"
kinds = [("chat", OpenAIChatCompletionsModel), ("Responses", OpenAIResponsesModel)]
run_all([(f"{name} {kind}", checks_of(model)) for kind, model in kinds])
