package clients;

import static clients.Checks.*;

import com.anthropic.client.AnthropicClient;
import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.anthropic.core.JsonValue;
import com.anthropic.errors.AnthropicException;
import com.anthropic.errors.BadRequestException;
import com.anthropic.errors.NotFoundException;
import com.anthropic.errors.PermissionDeniedException;
import com.anthropic.errors.UnauthorizedException;
import com.anthropic.helpers.MessageAccumulator;
import com.anthropic.models.messages.Base64ImageSource;
import com.anthropic.models.messages.ContentBlockParam;
import com.anthropic.models.messages.ImageBlockParam;
import com.anthropic.models.messages.JsonOutputFormat;
import com.anthropic.models.messages.Message;
import com.anthropic.models.messages.MessageCountTokensParams;
import com.anthropic.models.messages.MessageCreateParams;
import com.anthropic.models.messages.OutputConfig;
import com.anthropic.models.messages.TextBlockParam;
import com.anthropic.models.messages.Tool;
import com.anthropic.models.messages.ToolResultBlockParam;
import com.anthropic.models.messages.ToolUseBlock;
import java.util.List;
import java.util.Map;

/** Anthropic's client: messages, count_tokens, models. */
final class AnthropicChecks {
  private static AnthropicClient client(String base, String token, int retries) {
    return AnthropicOkHttpClient.builder().baseUrl(base).authToken(token).maxRetries(retries).build();
  }

  private static MessageCreateParams.Builder message() {
    return MessageCreateParams.builder().model(MODEL).maxTokens(10_000);
  }

  private static MessageCreateParams.Builder hello() {
    return message().addUserMessage(HELLO);
  }

  private static MessageCreateParams.Builder withTool(MessageCreateParams.Builder params) {
    var schema = Tool.InputSchema.builder().properties(JsonValue.from(TOOL_PROPERTIES)).addRequired("query").build();
    return params.addTool(Tool.builder().name(TOOL).description(TOOL_SAYS).inputSchema(schema).build());
  }

  private static MessageCreateParams.Builder question() {
    return withTool(message().system(SYSTEM).addUserMessage(QUESTION));
  }

  private record Gathered(Message whole, int events) {}

  private static Gathered gathered(AnthropicClient client, MessageCreateParams.Builder params) {
    var accumulator = MessageAccumulator.create();
    int[] events = {0};
    try (var stream = client.messages().createStreaming(params.build())) {
      stream.stream().peek(event -> event.validate()).peek(event -> events[0]++).forEach(accumulator::accumulate);
    }
    return new Gathered(accumulator.message().validate(), events[0]);
  }

  private static ToolUseBlock toolUse(Message answer) {
    return answer.content().stream().flatMap(block -> block.toolUse().stream()).findFirst().orElseThrow();
  }

  private static String input(Message answer) throws Exception {
    return text(toolUse(answer)._input().convert(Map.class));
  }

  private static String said(Message answer) {
    return answer.content().get(0).asText().text();
  }

  static void run(String name, String base) {
    var checks = new Checks(name);
    var alice = client(base, ALICE, 0);
    answers(checks, alice, base);
    streams(checks, alice);
    refusals(checks, alice, base);
  }

  private static void answers(Checks checks, AnthropicClient alice, String base) {
    checks.check(
        "lists models",
        () -> {
          var ids = alice.models().list().autoPager().stream().map(model -> model.validate().id()).toList();
          must(ids.contains(MODEL), ids);
          must(alice.models().retrieve(MODEL).validate().id().equals(MODEL), ids);
        });
    checks.check(
        "a message, the token as bearer and as key",
        () -> {
          var answer = alice.messages().create(hello().build()).validate();
          must(said(answer).contains(STAND_IN) && answer.usage().outputTokens() > 0, answer);
          var byKey = AnthropicOkHttpClient.builder().baseUrl(base).apiKey(ALICE).build();
          byKey.messages().create(hello().build()).validate();
        });
    checks.check(
        "a tool and its result",
        () -> {
          var asked = alice.messages().create(question().build()).validate();
          var result = ToolResultBlockParam.builder().toolUseId(toolUse(asked).id()).content(runSparql(input(asked))).build();
          var params = question().addMessage(asked).addUserMessageOfContentBlockParams(List.of(ContentBlockParam.ofToolResult(result)));
          must(said(alice.messages().create(params.build()).validate()).contains(DIRECTOR), asked);
        });
    checks.check(
        "an image",
        () -> {
          var source = Base64ImageSource.builder().mediaType(Base64ImageSource.MediaType.IMAGE_PNG).data(PNG).build();
          var image = ContentBlockParam.ofImage(ImageBlockParam.builder().source(source).build());
          var words = ContentBlockParam.ofText(TextBlockParam.builder().text(LOOK).build());
          var seen = alice.messages().create(message().addUserMessageOfContentBlockParams(List.of(image, words)).build());
          var unseen = alice.messages().create(message().addUserMessage(LOOK).build());
          must(seen.usage().inputTokens() >= unseen.usage().inputTokens() + PNG_TOKENS, seen);
        });
    checks.check(
        "an answer of a given form",
        () -> {
          var schema = JsonOutputFormat.Schema.builder();
          Map.of("type", "object", "properties", ANSWER_PROPERTIES, "required", ANSWER_REQUIRED, "additionalProperties", false)
              .forEach((key, value) -> schema.putAdditionalProperty(key, JsonValue.from(value)));
          var form = OutputConfig.builder().format(JsonOutputFormat.builder().schema(schema.build()).build()).build();
          mustBeFilm(said(alice.messages().create(hello().outputConfig(form).build()).validate()));
        });
    checks.check(
        "counts tokens",
        () -> {
          var params = MessageCountTokensParams.builder().model(MODEL).addUserMessage(HELLO).build();
          must(alice.messages().countTokens(params).validate().inputTokens() > 0, params);
        });
    checks.check("twenty at once, twice", () -> twentyAtOnce(() -> gathered(alice, hello())));
  }

  private static void streams(Checks checks, AnthropicClient alice) {
    checks.check(
        "a message streamed",
        () -> {
          var whole = alice.messages().create(hello().build());
          var streamed = gathered(alice, hello());
          must(streamed.events > 6 && said(streamed.whole).equals(said(whole)), streamed);
          must(streamed.whole.usage().outputTokens() == whole.usage().outputTokens(), streamed);
        });
    checks.check("a tool streamed", () -> runSparql(input(gathered(alice, question()).whole)));
    checks.check(
        "a long stream",
        () -> {
          var streamed = gathered(alice, withTool(message().addUserMessage(LONG_QUESTION)));
          must(streamed.events > 300 && input(streamed.whole).contains(LONG_WORK), streamed.events);
        });
    checks.check(
        "leaves in the midst of a stream",
        () -> {
          var params = withTool(message().addUserMessage(LONG_QUESTION)).putAdditionalHeader("x-request-id", "java-left-anthropic");
          try (var stream = alice.messages().createStreaming(params.build())) {
            must(stream.stream().limit(3).count() == 3, "fewer events");
          }
        });
    checks.check(
        "an error in the midst of a stream",
        () -> {
          fault(Map.of("fault", "exception", "after", 4));
          var error = refusal(AnthropicException.class, () -> gathered(alice, hello()));
          must(error.getMessage().contains("api_error"), error);
        });
  }

  private static void refusals(Checks checks, AnthropicClient alice, String base) {
    checks.check(
        "refusals in its own errors",
        () -> {
          refusal(UnauthorizedException.class, () -> client(base, "nonsense", 0).messages().create(hello().build()));
          var denied = refusal(PermissionDeniedException.class, () -> client(base, MALLORY, 0).messages().create(hello().build()));
          must(denied.getMessage().contains("group"), denied);
          var none = refusal(NotFoundException.class, () -> alice.messages().create(hello().model(NO_MODEL).build()));
          must(none.getMessage().contains(NO_MODEL), none);
          var bad = refusal(BadRequestException.class, () -> alice.messages().create(message().messages(List.of()).build()));
          must(bad.getMessage().contains("invalid_request_error") && !bad.headers().values("request-id").isEmpty(), bad);
        });
    checks.check(
        "waits as a throttled model asks, and asks again",
        () -> {
          fault(Map.of("fault", "throttle", "retryAfter", 4));
          long waited = took(() -> client(base, ALICE, 2).messages().create(hello().build()));
          must(waited > 3900, waited);
        });
  }
}
