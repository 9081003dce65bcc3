package clients;

import static clients.Checks.*;

import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.anthropic.AnthropicChatModel;
import dev.langchain4j.model.anthropic.AnthropicStreamingChatModel;
import dev.langchain4j.model.bedrock.BedrockChatModel;
import dev.langchain4j.model.bedrock.BedrockStreamingChatModel;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiEmbeddingModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** LangChain4j by its own clients for OpenAI and Anthropic, and over AWS's. */
final class LangChainChecks {
  private static final ToolSpecification SPARQL =
      ToolSpecification.builder()
          .name(TOOL)
          .description(TOOL_SAYS)
          .parameters(JsonObjectSchema.builder().addStringProperty("query").addStringProperty("question").required("query").build())
          .build();

  static void run(String base) {
    var openai = OpenAiChatModel.builder().baseUrl(base + "/v1").modelName(MODEL).maxRetries(0);
    var openaiStream = OpenAiStreamingChatModel.builder().baseUrl(base + "/v1").apiKey(ALICE).modelName(MODEL).build();
    all("LangChain4j, OpenAI", openai.apiKey(ALICE).build(), openaiStream, openai.apiKey(MALLORY).build());
    var anthropic = AnthropicChatModel.builder().baseUrl(base + "/v1").modelName(MODEL).maxRetries(0);
    var anthropicStream = AnthropicStreamingChatModel.builder().baseUrl(base + "/v1").apiKey(ALICE).modelName(MODEL).build();
    all("LangChain4j, Anthropic", anthropic.apiKey(ALICE).build(), anthropicStream, anthropic.apiKey(MALLORY).build());
    all("LangChain4j, Bedrock", bedrock(base, ALICE), bedrockStreaming(base), bedrock(base, MALLORY));
    new Checks("LangChain4j, OpenAI")
        .check(
            "embeddings",
            () -> {
              var model = OpenAiEmbeddingModel.builder().baseUrl(base + "/v1").apiKey(BOB).modelName(EMBEDDING_MODEL).dimensions(256).build();
              must(model.embed("a cat").content().dimension() == 256, model);
            });
  }

  private static ChatModel bedrock(String base, String token) {
    return BedrockChatModel.builder().client(BedrockChecks.client(base, token, 1)).modelId(MODEL).maxRetries(0).build();
  }

  private static StreamingChatModel bedrockStreaming(String base) {
    var client = BedrockAsyncChecks.client(base, ALICE, 1);
    return BedrockStreamingChatModel.builder().client(client).modelId(MODEL).build();
  }

  private static ChatRequest.Builder asking(ChatMessage... further) {
    var messages = new ArrayList<ChatMessage>(List.of(SystemMessage.from(SYSTEM), UserMessage.from(QUESTION)));
    messages.addAll(List.of(further));
    return ChatRequest.builder().messages(messages).toolSpecifications(SPARQL);
  }

  private static void all(String name, ChatModel alice, StreamingChatModel streaming, ChatModel mallory) {
    var checks = new Checks(name);
    checks.check("an answer", () -> must(alice.chat(HELLO).contains(STAND_IN), "another answer"));
    checks.check(
        "a stream",
        () -> {
          var pieces = new ArrayList<String>();
          var whole = streamed(streaming, ChatRequest.builder().messages(UserMessage.from(HELLO)).build(), pieces);
          must(pieces.size() > 3 && whole.aiMessage().text().equals(String.join("", pieces)), pieces);
          must(whole.tokenUsage().totalTokenCount() > 0, whole);
        });
    checks.check(
        "a tool and its result",
        () -> {
          var asked = alice.chat(asking().build()).aiMessage();
          var call = asked.toolExecutionRequests().get(0);
          var answer = alice.chat(asking(asked, ToolExecutionResultMessage.from(call, runSparql(call.arguments()))).build());
          must(answer.aiMessage().text().contains(DIRECTOR), answer);
        });
    checks.check(
        "a tool streamed",
        () -> {
          var whole = streamed(streaming, asking().build(), new ArrayList<>());
          runSparql(whole.aiMessage().toolExecutionRequests().get(0).arguments());
        });
    checks.check(
        "an image",
        () -> {
          var seen = alice.chat(UserMessage.from(TextContent.from(LOOK), ImageContent.from(PNG, "image/png"))).tokenUsage();
          var unseen = alice.chat(UserMessage.from(LOOK)).tokenUsage();
          must(seen.inputTokenCount() >= unseen.inputTokenCount() + PNG_TOKENS, seen);
        });
    checks.check("a refusal in the gateway's words", () -> must(refusal(RuntimeException.class, () -> mallory.chat(HELLO)).getMessage().contains("group"), "other words"));
  }

  private static ChatResponse streamed(StreamingChatModel model, ChatRequest request, List<String> pieces) throws Exception {
    var done = new CompletableFuture<ChatResponse>();
    model.chat(
        request,
        new StreamingChatResponseHandler() {
          @Override
          public void onPartialResponse(String piece) {
            pieces.add(piece);
          }

          @Override
          public void onCompleteResponse(ChatResponse response) {
            done.complete(response);
          }

          @Override
          public void onError(Throwable error) {
            done.completeExceptionally(error);
          }
        });
    return done.get(30, TimeUnit.SECONDS);
  }
}
