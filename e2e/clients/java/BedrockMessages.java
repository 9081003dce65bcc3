package clients;

import static clients.Checks.*;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.document.Document;
import software.amazon.awssdk.identity.spi.IdentityProvider;
import software.amazon.awssdk.identity.spi.ResolveIdentityRequest;
import software.amazon.awssdk.identity.spi.TokenIdentity;
import software.amazon.awssdk.services.bedrockruntime.auth.scheme.BedrockRuntimeAuthSchemeProvider;
import software.amazon.awssdk.services.bedrockruntime.model.*;

/** What both of AWS's clients ask for. */
final class BedrockMessages {
  static final String CLAUDE =
      "{\"anthropic_version\":\"bedrock-2023-05-31\",\"max_tokens\":200,\"messages\":[{\"role\":\"user\",\"content\":\"" + HELLO + "\"}]}";

  static final BedrockRuntimeAuthSchemeProvider BEARER = BedrockRuntimeAuthSchemeProvider.defaultProvider(List.of("httpBearerAuth"));

  /** What fetches a token where tokens end; AWS_BEARER_TOKEN_BEDROCK is the same, once. */
  static IdentityProvider<TokenIdentity> tokens(String token) {
    return new IdentityProvider<>() {
      @Override
      public Class<TokenIdentity> identityType() {
        return TokenIdentity.class;
      }

      @Override
      public CompletableFuture<TokenIdentity> resolveIdentity(ResolveIdentityRequest request) {
        return CompletableFuture.completedFuture(TokenIdentity.create(token));
      }
    };
  }

  static Message user(ContentBlock... blocks) {
    return Message.builder().role(ConversationRole.USER).content(blocks).build();
  }

  static ConverseRequest.Builder says(String text) {
    return ConverseRequest.builder().modelId(MODEL).messages(user(ContentBlock.fromText(text)));
  }

  static ToolConfiguration tool() {
    var query = Document.mapBuilder().putString("type", "string").build();
    var properties = Document.mapBuilder().putDocument("query", query).putDocument("question", query).build();
    var required = Document.listBuilder().addString("query").build();
    var schema = Document.mapBuilder().putString("type", "object").putDocument("properties", properties).putDocument("required", required);
    var input = ToolInputSchema.fromJson(schema.build());
    var spec = ToolSpecification.builder().name(TOOL).description(TOOL_SAYS).inputSchema(input).build();
    return ToolConfiguration.builder().tools(software.amazon.awssdk.services.bedrockruntime.model.Tool.fromToolSpec(spec)).build();
  }

  static ConverseRequest.Builder question(Message... further) {
    var messages = new java.util.ArrayList<>(List.of(user(ContentBlock.fromText(QUESTION))));
    messages.addAll(List.of(further));
    return ConverseRequest.builder().modelId(MODEL).system(SystemContentBlock.fromText(SYSTEM)).toolConfig(tool()).messages(messages);
  }

  static ConverseStreamRequest.Builder streamed(ConverseRequest.Builder whole) {
    var of = whole.build();
    var streamed = ConverseStreamRequest.builder().modelId(of.modelId()).messages(of.messages()).toolConfig(of.toolConfig());
    return of.hasSystem() ? streamed.system(of.system()) : streamed;
  }

  static ConverseStreamRequest.Builder atLength() {
    return streamed(says(LONG_QUESTION).toolConfig(tool()));
  }

  static ContentBlock image() {
    var source = ImageSource.fromBytes(SdkBytes.fromByteArray(PNG_BYTES));
    return ContentBlock.fromImage(ImageBlock.builder().format(ImageFormat.PNG).source(source).build());
  }

  static ConverseRequest.Builder film() throws Exception {
    var schema = java.util.Map.of("type", "object", "properties", ANSWER_PROPERTIES, "required", ANSWER_REQUIRED, "additionalProperties", false);
    var structure = OutputFormatStructure.fromJsonSchema(JsonSchemaDefinition.builder().name("film").schema(Checks.text(schema)).build());
    var format = OutputFormat.builder().type(OutputFormatType.JSON_SCHEMA).structure(structure).build();
    return says(HELLO).outputConfig(OutputConfig.builder().textFormat(format).build());
  }

  static String said(ConverseResponse answer) {
    return answer.output().message().content().get(0).text();
  }

  static ToolUseBlock call(ConverseResponse answer) {
    return answer.output().message().content().stream().map(ContentBlock::toolUse).filter(use -> use != null).findFirst().orElseThrow();
  }

  static String arguments(ConverseResponse answer) throws Exception {
    return Checks.text(call(answer).input().unwrap());
  }

  static Message result(ConverseResponse asked) throws Exception {
    var content = ToolResultContentBlock.fromText(runSparql(arguments(asked)));
    return user(ContentBlock.fromToolResult(ToolResultBlock.builder().toolUseId(call(asked).toolUseId()).content(content).build()));
  }

  /** What came of a stream. */
  static final class Read {
    final StringBuilder text = new StringBuilder();
    final StringBuilder arguments = new StringBuilder();
    int events;
    TokenUsage usage;
    String stopReason;

    ConverseStreamResponseHandler.Visitor visitor() {
      return ConverseStreamResponseHandler.Visitor.builder()
          .onContentBlockDelta(
              event -> {
                events++;
                if (event.delta().text() != null) text.append(event.delta().text());
                if (event.delta().toolUse() != null) arguments.append(event.delta().toolUse().input());
              })
          .onMessageStop(event -> stopReason = event.stopReasonAsString())
          .onMetadata(event -> usage = event.usage())
          .build();
    }

    Read whole() {
      must(usage != null && stopReason != null, "a stream that ended without its usage, after " + events);
      return this;
    }
  }
}
