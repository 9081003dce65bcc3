package clients;

import static clients.Checks.*;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.errors.OpenAIException;
import com.openai.errors.OpenAIServiceException;
import com.openai.errors.PermissionDeniedException;
import com.openai.errors.UnauthorizedException;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.models.FunctionDefinition;
import com.openai.models.FunctionParameters;
import com.openai.models.ResponseFormatJsonSchema;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionContentPart;
import com.openai.models.chat.completions.ChatCompletionContentPartImage;
import com.openai.models.chat.completions.ChatCompletionContentPartText;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.chat.completions.ChatCompletionToolMessageParam;
import com.openai.models.embeddings.EmbeddingCreateParams;
import com.openai.models.responses.ResponseCreateParams;
import java.util.List;
import java.util.Map;

/** OpenAI's client: chat completions, Responses, embeddings, models. */
final class OpenAiChecks {
  private static OpenAIClient client(String base, String token, int retries) {
    return OpenAIOkHttpClient.builder().baseUrl(base + "/v1").apiKey(token).maxRetries(retries).build();
  }

  private static ChatCompletionCreateParams.Builder chat(String text) {
    return ChatCompletionCreateParams.builder().model(MODEL).addUserMessage(text);
  }

  private static ChatCompletionCreateParams.Builder withTool(ChatCompletionCreateParams.Builder params) {
    var parameters = FunctionParameters.builder();
    Map.of("type", "object", "properties", TOOL_PROPERTIES, "required", List.of("query"))
        .forEach((name, value) -> parameters.putAdditionalProperty(name, JsonValue.from(value)));
    return params.addFunctionTool(FunctionDefinition.builder().name(TOOL).description(TOOL_SAYS).parameters(parameters.build()).build());
  }

  private static ChatCompletionCreateParams.Builder question() {
    return withTool(ChatCompletionCreateParams.builder().model(MODEL).addSystemMessage(SYSTEM).addUserMessage(QUESTION));
  }

  private record Gathered(ChatCompletion whole, int chunks) {}

  private static Gathered gathered(OpenAIClient client, ChatCompletionCreateParams.Builder params) {
    params.streamOptions(ChatCompletionStreamOptions.builder().includeUsage(true).build());
    var accumulator = ChatCompletionAccumulator.create();
    int[] chunks = {0};
    try (var stream = client.chat().completions().createStreaming(params.build())) {
      stream.stream().peek(chunk -> chunks[0]++).forEach(accumulator::accumulate);
    }
    return new Gathered(accumulator.chatCompletion().validate(), chunks[0]);
  }

  private static String arguments(ChatCompletion answer) {
    return call(answer).function().arguments();
  }

  private static com.openai.models.chat.completions.ChatCompletionMessageFunctionToolCall call(ChatCompletion answer) {
    return answer.choices().get(0).message().toolCalls().orElseThrow().get(0).asFunction();
  }

  private static String said(ChatCompletion answer) {
    return answer.choices().get(0).message().content().orElse("");
  }

  static void run(String name, String base) {
    var checks = new Checks(name);
    var alice = client(base, ALICE, 0);
    answers(checks, alice, base);
    streams(checks, alice);
    refusals(checks, alice, base);
    responses(new Checks(name + ", Responses"), alice);
  }

  private static void answers(Checks checks, OpenAIClient alice, String base) {
    var completions = alice.chat().completions();
    checks.check(
        "lists models",
        () -> {
          var ids = alice.models().list().autoPager().stream().map(model -> model.validate().id()).toList();
          must(ids.contains(MODEL) && !ids.contains(EMBEDDING_MODEL), ids);
          must(alice.models().retrieve(MODEL).validate().id().equals(MODEL), ids);
        });
    checks.check(
        "chat",
        () -> {
          var answer = completions.create(chat(HELLO).build()).validate();
          must(said(answer).contains(STAND_IN) && answer.usage().orElseThrow().totalTokens() > 0, answer);
          must(answer.choices().get(0).finishReason().asString().equals("stop"), answer);
        });
    checks.check(
        "chat with a tool and its result",
        () -> {
          var asked = completions.create(question().build()).validate();
          var result = ChatCompletionToolMessageParam.builder().toolCallId(call(asked).id()).content(runSparql(arguments(asked))).build();
          var answer = completions.create(question().addMessage(asked.choices().get(0).message()).addMessage(result).build());
          must(said(answer.validate()).contains(DIRECTOR), answer);
        });
    checks.check(
        "chat with an image",
        () -> {
          var words = ChatCompletionContentPart.ofText(ChatCompletionContentPartText.builder().text(LOOK).build());
          var url = ChatCompletionContentPartImage.ImageUrl.builder().url("data:image/png;base64," + PNG).build();
          var image = ChatCompletionContentPart.ofImageUrl(ChatCompletionContentPartImage.builder().imageUrl(url).build());
          var params = ChatCompletionCreateParams.builder().model(MODEL);
          var seen = completions.create(params.addUserMessageOfArrayOfContentParts(List.of(words, image)).build());
          var unseen = completions.create(chat(LOOK).build());
          must(seen.usage().orElseThrow().promptTokens() >= unseen.usage().orElseThrow().promptTokens() + PNG_TOKENS, seen);
        });
    checks.check(
        "an answer of a given form",
        () -> {
          var schema = ResponseFormatJsonSchema.JsonSchema.Schema.builder();
          Map.of("type", "object", "properties", ANSWER_PROPERTIES, "required", ANSWER_REQUIRED, "additionalProperties", false)
              .forEach((key, value) -> schema.putAdditionalProperty(key, JsonValue.from(value)));
          var form = ResponseFormatJsonSchema.JsonSchema.builder().name("film").strict(true).schema(schema.build()).build();
          var params = chat(HELLO).responseFormat(ResponseFormatJsonSchema.builder().jsonSchema(form).build());
          mustBeFilm(said(completions.create(params.build()).validate()));
        });
    checks.check(
        "embeddings",
        () -> {
          var params = EmbeddingCreateParams.builder().model(EMBEDDING_MODEL).inputOfArrayOfStrings(List.of("a cat", "a dog")).dimensions(256);
          var answer = client(base, BOB, 0).embeddings().create(params.build()).validate();
          must(answer.data().size() == 2 && answer.data().get(1).embedding().size() == 256, answer.usage());
        });
    checks.check("twenty at once, twice", () -> twentyAtOnce(() -> gathered(alice, chat(HELLO))));
  }

  private static void streams(Checks checks, OpenAIClient alice) {
    checks.check(
        "chat streamed",
        () -> {
          var whole = alice.chat().completions().create(chat(HELLO).build());
          var streamed = gathered(alice, chat(HELLO));
          must(streamed.chunks > 3 && said(streamed.whole).equals(said(whole)), streamed);
          must(streamed.whole.usage().orElseThrow().totalTokens() == whole.usage().orElseThrow().totalTokens(), streamed);
        });
    checks.check("chat with a tool streamed", () -> runSparql(arguments(gathered(alice, question()).whole)));
    checks.check(
        "a long stream",
        () -> {
          var streamed = gathered(alice, withTool(chat(LONG_QUESTION)));
          must(streamed.chunks > 300 && arguments(streamed.whole).contains(LONG_WORK), streamed.chunks);
        });
    checks.check(
        "leaves in the midst of a stream",
        () -> {
          var params = withTool(chat(LONG_QUESTION)).putAdditionalHeader("x-request-id", "java-left-openai").build();
          try (var stream = alice.chat().completions().createStreaming(params)) {
            must(stream.stream().limit(3).count() == 3, "fewer chunks");
          }
        });
    checks.check(
        "an error in the midst of a stream",
        () -> {
          fault(Map.of("fault", "exception", "after", 4));
          var error = refusal(OpenAIException.class, () -> gathered(alice, chat(HELLO)));
          must(error.getMessage().contains("model"), error);
        });
  }

  private static void refusals(Checks checks, OpenAIClient alice, String base) {
    checks.check(
        "refusals in its own errors",
        () -> {
          var stranger = client(base, "nonsense", 0);
          must(refusal(UnauthorizedException.class, () -> stranger.models().list()).code().isPresent(), "no code");
          var outsider = client(base, MALLORY, 0);
          var denied = refusal(PermissionDeniedException.class, () -> outsider.chat().completions().create(chat(HELLO).build()));
          must(denied.getMessage().contains("group"), denied);
          var missing = chat(HELLO).model(NO_MODEL).build();
          var none = refusal(NotFoundException.class, () -> alice.chat().completions().create(missing));
          must(none.getMessage().contains(NO_MODEL) && none.code().orElse("").equals("model_not_found"), none);
          var bad = refusal(BadRequestException.class, () -> alice.chat().completions().create(chat(HELLO).n(2).build()));
          must(bad.param().orElse("").equals("n"), bad);
          must(!bad.headers().values("x-request-id").isEmpty(), bad.headers());
        });
    checks.check(
        "waits as a throttled model asks, and asks again",
        () -> {
          fault(Map.of("fault", "throttle", "retryAfter", 4));
          long waited = took(() -> client(base, ALICE, 2).chat().completions().create(chat(HELLO).build()));
          must(waited > 3900, waited);
        });
  }

  private static void responses(Checks checks, OpenAIClient alice) {
    var hello = ResponseCreateParams.builder().model(MODEL).input(HELLO).store(false).build();
    checks.check(
        "an answer",
        () -> {
          var answer = alice.responses().create(hello).validate();
          must(answer.output().get(0).asMessage().content().get(0).asOutputText().text().contains(STAND_IN), answer);
        });
    checks.check(
        "a stream",
        () -> {
          var deltas = new StringBuilder();
          var kinds = new java.util.ArrayList<String>();
          try (var stream = alice.responses().createStreaming(hello)) {
            stream.stream().forEach(
                event -> {
                  event.validate();
                  event.outputTextDelta().ifPresent(delta -> deltas.append(delta.delta()));
                  event.completed().ifPresent(last -> kinds.add(last.response().output().get(0).asMessage().content().get(0).asOutputText().text()));
                });
          }
          must(kinds.equals(List.of(deltas.toString())) && deltas.length() > 0, deltas);
        });
  }
}
