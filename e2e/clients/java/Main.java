package clients;

/** The official clients in Java against the gateway, and LangChain4j. */
final class Main {
  public static void main(String[] args) throws Exception {
    OpenAiChecks.run("openai-java", Checks.GATEWAY);
    OpenAiChecks.run("openai-java over TLS", Checks.GATEWAY_TLS);
    AnthropicChecks.run("anthropic-java", Checks.GATEWAY);
    AnthropicChecks.run("anthropic-java over TLS", Checks.GATEWAY_TLS);
    BedrockChecks.run("awssdk bedrockruntime", Checks.GATEWAY);
    BedrockChecks.run("awssdk bedrockruntime over TLS", Checks.GATEWAY_TLS);
    BedrockAsyncChecks.run("awssdk bedrockruntime, async", Checks.GATEWAY);
    BedrockAsyncChecks.run("awssdk bedrockruntime, async over TLS", Checks.GATEWAY_TLS);
    LangChainChecks.run(Checks.GATEWAY);
    System.exit(Checks.allHeld() ? 0 : 1);
  }
}
