package clients;

import static clients.BedrockMessages.*;
import static clients.Checks.*;

import java.net.URI;
import java.util.Map;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.bedrockruntime.BedrockRuntimeClient;
import software.amazon.awssdk.services.bedrockruntime.model.*;

/** AWS's synchronous client, over HTTP/1.1; it has no streams. */
final class BedrockChecks {
  static BedrockRuntimeClient client(String base, String token, int attempts) {
    return BedrockRuntimeClient.builder()
        .region(Region.US_EAST_1)
        .endpointOverride(URI.create(base))
        .tokenProvider(tokens(token))
        .authSchemeProvider(BEARER)
        .overrideConfiguration(override -> override.retryStrategy(retry -> retry.maxAttempts(attempts)))
        .build();
  }

  static void run(String name, String base) {
    var checks = new Checks(name);
    var alice = client(base, ALICE, 1);
    converse(checks, alice);
    invoke(checks, alice, base);
    refusals(checks, alice, base);
    checks.check("twenty at once, twice", () -> twentyAtOnce(() -> alice.converse(says(HELLO).build())));
  }

  private static void converse(Checks checks, BedrockRuntimeClient alice) {
    checks.check(
        "converse",
        () -> {
          var answer = alice.converse(says(HELLO).build());
          must(BedrockMessages.said(answer).contains(STAND_IN) && answer.stopReason() == StopReason.END_TURN, answer);
          must(answer.usage().totalTokens() > 0 && answer.metrics().latencyMs() != null, answer);
        });
    checks.check(
        "a tool and its result",
        () -> {
          var asked = alice.converse(question().build());
          must(asked.stopReason() == StopReason.TOOL_USE, asked);
          must(BedrockMessages.said(alice.converse(question(asked.output().message(), result(asked)).build())).contains(DIRECTOR), asked);
        });
    checks.check(
        "an image",
        () -> {
          var seen = alice.converse(says(LOOK).messages(user(image(), ContentBlock.fromText(LOOK))).build());
          var unseen = alice.converse(says(LOOK).build());
          must(seen.usage().inputTokens() >= unseen.usage().inputTokens() + PNG_TOKENS, seen.usage());
        });
    checks.check("an answer of a given form", () -> mustBeFilm(BedrockMessages.said(alice.converse(film().build()))));
  }

  private static void invoke(Checks checks, BedrockRuntimeClient alice, String base) {
    checks.check(
        "invoke",
        () -> {
          var answer = alice.invokeModel(request -> request.modelId(MODEL).body(SdkBytes.fromUtf8String(CLAUDE)));
          must(json(answer.body().asUtf8String()).at("/content/0/text").asText().contains(STAND_IN), answer);
        });
    checks.check(
        "invoke for an embedding",
        () -> {
          var body = SdkBytes.fromUtf8String("{\"inputText\": \"a cat\", \"dimensions\": 256}");
          var answer = client(base, BOB, 1).invokeModel(request -> request.modelId(EMBEDDING_MODEL).body(body));
          must(json(answer.body().asUtf8String()).path("embedding").size() == 256, answer);
        });
    checks.check(
        "counts tokens",
        () -> {
          var converse = ConverseTokensRequest.builder().messages(user(ContentBlock.fromText(HELLO))).build();
          must(alice.countTokens(request -> request.modelId(MODEL).input(CountTokensInput.fromConverse(converse))).inputTokens() > 0, converse);
        });
  }

  private static void refusals(Checks checks, BedrockRuntimeClient alice, String base) {
    checks.check(
        "refusals in its own exceptions",
        () -> {
          var stranger = refusal(BedrockRuntimeException.class, () -> client(base, "nonsense", 1).converse(says(HELLO).build()));
          must(stranger.awsErrorDetails().errorCode().equals("UnrecognizedClientException"), stranger);
          var denied = refusal(AccessDeniedException.class, () -> client(base, MALLORY, 1).converse(says(HELLO).build()));
          must(denied.getMessage().contains("group") && denied.requestId() != null, denied);
          var none = refusal(ResourceNotFoundException.class, () -> alice.converse(says(HELLO).modelId(NO_MODEL).build()));
          must(none.getMessage().contains(NO_MODEL), none);
          refusal(ValidationException.class, () -> alice.converse(says(HELLO).inferenceConfig(hot -> hot.temperature(9f)).build()));
        });
    checks.check(
        "waits as a throttled model asks, and asks again",
        () -> {
          fault(Map.of("fault", "throttle", "retryAfter", 4));
          long waited = took(() -> client(base, ALICE, 3).converse(says(HELLO).build()));
          must(waited > 3900, waited);
        });
  }
}
