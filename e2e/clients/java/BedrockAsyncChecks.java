package clients;

import static clients.BedrockMessages.*;
import static clients.Checks.*;

import java.net.URI;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.bedrockruntime.BedrockRuntimeAsyncClient;
import software.amazon.awssdk.services.bedrockruntime.model.*;

/** AWS's asynchronous client, over HTTP/2. */
final class BedrockAsyncChecks {
  static BedrockRuntimeAsyncClient client(String base, String token, int attempts) {
    return BedrockRuntimeAsyncClient.builder()
        .region(Region.US_EAST_1)
        .endpointOverride(URI.create(base))
        .tokenProvider(tokens(token))
        .authSchemeProvider(BEARER)
        .overrideConfiguration(override -> override.retryStrategy(retry -> retry.maxAttempts(attempts)))
        .build();
  }

  private static Read read(BedrockRuntimeAsyncClient client, ConverseStreamRequest.Builder request) throws Exception {
    var read = new Read();
    client.converseStream(request.build(), ConverseStreamResponseHandler.builder().subscriber(read.visitor()).build()).get(60, TimeUnit.SECONDS);
    return read.whole();
  }

  static void run(String name, String base) {
    var checks = new Checks(name);
    var alice = client(base, ALICE, 1);
    answers(checks, alice);
    streams(checks, alice);
    refusals(checks, alice, base);
    checks.check("twenty at once, twice", () -> twentyAtOnce(() -> read(alice, streamed(says(HELLO)))));
  }

  private static void answers(Checks checks, BedrockRuntimeAsyncClient alice) {
    checks.check(
        "converse, a tool and its result",
        () -> {
          var asked = alice.converse(question().build()).get();
          var answer = alice.converse(question(asked.output().message(), result(asked)).build()).get();
          must(BedrockMessages.said(answer).contains(DIRECTOR), answer);
        });
    checks.check(
        "invoke",
        () -> {
          var answer = alice.invokeModel(request -> request.modelId(MODEL).body(SdkBytes.fromUtf8String(CLAUDE))).get();
          must(json(answer.body().asUtf8String()).at("/content/0/text").asText().contains(STAND_IN), answer);
        });
    checks.check(
        "invoke streamed",
        () -> {
          var chunks = new java.util.ArrayList<String>();
          var visitor =
              InvokeModelWithResponseStreamResponseHandler.Visitor.builder().onChunk(part -> chunks.add(part.bytes().asUtf8String())).build();
          var handler = InvokeModelWithResponseStreamResponseHandler.builder().subscriber(visitor).build();
          alice.invokeModelWithResponseStream(request -> request.modelId(MODEL).body(SdkBytes.fromUtf8String(CLAUDE)), handler).get();
          must(chunks.size() > 6 && json(chunks.get(chunks.size() - 1)).path("type").asText().equals("message_stop"), chunks);
        });
  }

  private static void streams(Checks checks, BedrockRuntimeAsyncClient alice) {
    checks.check(
        "converse streamed",
        () -> {
          var whole = alice.converse(says(HELLO).build()).get();
          var read = read(alice, streamed(says(HELLO)));
          must(read.events > 3 && read.text.toString().equals(BedrockMessages.said(whole)), read.text);
          must(read.usage.totalTokens().equals(whole.usage().totalTokens()), read.usage);
        });
    checks.check("a tool streamed", () -> runSparql(read(alice, streamed(question())).arguments.toString()));
    checks.check(
        "a long stream",
        () -> {
          var read = read(alice, atLength());
          must(read.events > 300 && read.arguments.toString().contains(LONG_WORK), read.events);
        });
    checks.check("leaves in the midst of a stream", () -> leave(alice));
    checks.check(
        "an error in the midst of a stream",
        () -> {
          fault(Map.of("fault", "exception", "after", 4, "type", "throttlingException"));
          refusal(ThrottlingException.class, () -> read(alice, streamed(says(HELLO))));
        });
  }

  private static void leave(BedrockRuntimeAsyncClient alice) throws Exception {
    var third = new CountDownLatch(3);
    var visitor = ConverseStreamResponseHandler.Visitor.builder().onContentBlockDelta(event -> third.countDown()).build();
    var request = atLength().overrideConfiguration(own -> own.putHeader("x-request-id", "java-left-bedrock")).build();
    var reading = alice.converseStream(request, ConverseStreamResponseHandler.builder().subscriber(visitor).build());
    must(third.await(20, TimeUnit.SECONDS), "fewer events");
    reading.cancel(true);
  }

  private static void refusals(Checks checks, BedrockRuntimeAsyncClient alice, String base) {
    checks.check(
        "refusals in its own exceptions",
        () -> {
          var denied = refusal(AccessDeniedException.class, () -> read(client(base, MALLORY, 1), streamed(says(HELLO))));
          must(denied.getMessage().contains("group"), denied);
          var none = refusal(ResourceNotFoundException.class, () -> read(alice, streamed(says(HELLO).modelId(NO_MODEL))));
          must(none.getMessage().contains(NO_MODEL), none);
        });
    // Unlike the synchronous one it takes no notice of how long it is told to wait.
    checks.check(
        "asks a throttled model again",
        () -> {
          fault(Map.of("fault", "throttle", "count", 4));
          read(client(base, ALICE, 3), streamed(says(HELLO)));
        });
  }
}
