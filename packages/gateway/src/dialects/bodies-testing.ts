const data = "iVBORw0KGgo=";
const schema = { type: "object", properties: { at: { type: "string", minLength: 2 } }, required: ["at"] };
const cache_control = { type: "ephemeral", ttl: "1h" };

/** Bodies with something in every place that the gateway looks at. */
export const chat = {
  messages: [
    { role: "system", content: "Be brief." },
    {
      role: "user",
      content: [
        { type: "text", text: "What is this?", cache_control },
        { type: "image_url", image_url: { url: `data:image/png;base64,${data}` } },
        { type: "file", file: { filename: "a.pdf", file_data: `data:application/pdf;base64,${data}` } },
      ],
    },
    {
      role: "assistant",
      content: "Let me look.",
      thinking_blocks: [{ type: "thinking", thinking: "hm", signature: "c2ln" }],
      tool_calls: [{ id: "c1", type: "function", function: { name: "look", arguments: '{"at":"sky"}' } }],
    },
    { role: "tool", tool_call_id: "c1", content: [{ type: "text", text: "stars" }] },
  ],
  stream: false,
  stream_options: { include_usage: true },
  max_completion_tokens: 5000,
  temperature: 1,
  top_p: 1,
  stop: ["END"],
  tools: [{ type: "function", function: { name: "look", description: "d", parameters: schema, strict: true } }],
  tool_choice: {
    type: "allowed_tools",
    allowed_tools: { mode: "auto", tools: [{ type: "function", function: { name: "look" } }] },
  },
  parallel_tool_calls: true,
  response_format: { type: "json_schema", json_schema: { name: "n", schema, strict: true } },
  reasoning_effort: "low",
  service_tier: "auto",
  metadata: { a: "b" },
  logit_bias: {},
  modalities: ["text"],
};
export const responses = {
  input: [
    {
      role: "user",
      content: [
        { type: "input_text", text: "q" },
        { type: "input_image", image_url: `data:image/png;base64,${data}` },
      ],
    },
    {
      type: "reasoning",
      encrypted_content: Buffer.from('{"text":"hm","signature":"c2ln"}').toString("base64"),
      summary: [],
    },
    { type: "function_call", call_id: "c1", name: "look", namespace: "space", arguments: "{}" },
    { type: "function_call_output", call_id: "c1", output: [{ type: "input_text", text: "stars" }] },
    { type: "custom_tool_call", call_id: "c2", name: "patch", input: "x" },
    { type: "custom_tool_call_output", call_id: "c2", output: "done" },
    { type: "tool_search_call", call_id: "c3", execution: "client", arguments: {} },
    {
      type: "tool_search_output",
      call_id: "c3",
      execution: "client",
      tools: [{ type: "function", name: "found", parameters: schema }],
    },
    { type: "additional_tools", tools: [{ type: "custom", name: "more" }] },
    { type: "compaction", encrypted_content: Buffer.from('{"summary":"s"}').toString("base64") },
    { role: "user", content: "And?" },
  ],
  instructions: "Be brief.",
  stream: false,
  max_output_tokens: 5000,
  temperature: 1,
  top_p: 1,
  tools: [
    { type: "function", name: "look", parameters: schema, strict: true },
    {
      type: "namespace",
      name: "space",
      description: "d",
      tools: [{ type: "function", name: "look", parameters: schema }],
    },
    { type: "custom", name: "patch", format: { type: "grammar", syntax: "lark", definition: "d" } },
    { type: "web_search", filters: {} },
    { type: "tool_search", execution: "client", parameters: schema },
  ],
  tool_choice: { type: "allowed_tools", mode: "auto", tools: [{ type: "function", name: "look" }] },
  parallel_tool_calls: true,
  text: { format: { type: "json_schema", name: "n", schema, strict: false }, verbosity: "low" },
  reasoning: { effort: "low", mode: "standard" },
  metadata: { a: "b" },
};
export const messages = {
  max_tokens: 5000,
  system: [{ type: "text", text: "Be brief.", cache_control }],
  messages: [
    {
      role: "user",
      content: [
        { type: "text", text: "q", cache_control },
        { type: "image", source: { type: "base64", media_type: "image/png", data } },
        { type: "document", title: "t", source: { type: "text", media_type: "text/plain", data: "Bob" } },
      ],
    },
    {
      role: "assistant",
      content: [
        { type: "thinking", thinking: "hm", signature: "c2ln" },
        { type: "redacted_thinking", data },
        { type: "tool_use", id: "c1", name: "look", input: { at: "sky" } },
      ],
    },
    {
      role: "user",
      content: [{ type: "tool_result", tool_use_id: "c1", is_error: true, content: [{ type: "text", text: "stars" }] }],
    },
    { role: "system", content: "Speak French.", output_config: { effort: "low" } },
  ],
  stream: false,
  temperature: 1,
  top_p: 1,
  top_k: 3,
  stop_sequences: ["END"],
  tools: [
    { name: "look", description: "d", input_schema: schema, strict: true, cache_control, eager_input_streaming: true },
  ],
  tool_choice: { type: "auto", disable_parallel_tool_use: false },
  thinking: { type: "enabled", budget_tokens: 2000 },
  output_config: { effort: "low", format: { type: "json_schema", schema } },
  context_management: { edits: [{ type: "clear_tool_uses_20250919" }] },
  metadata: { user_id: "u" },
};
const source = { bytes: data };
export const converse = {
  system: [
    { text: "Be brief." },
    { cachePoint: { type: "default" } },
    { guardContent: { text: { text: "q", qualifiers: [] } } },
  ],
  messages: [
    {
      role: "user",
      content: [
        { text: "q" },
        { image: { format: "png", source } },
        { document: { format: "txt", name: "n", source, context: "c", citations: { enabled: false } } },
        { document: { name: "n2", source: { content: [{ text: "a" }] } } },
        { searchResult: { source: "s", title: "t", content: [{ text: "a" }] } },
        { guardContent: { image: { format: "png", source } } },
        { cachePoint: { type: "default", ttl: "1h" } },
      ],
    },
    {
      role: "assistant",
      content: [
        { reasoningContent: { reasoningText: { text: "hm", signature: "c2ln" } } },
        { citationsContent: { content: [{ text: "a" }], citations: [] } },
        { toolUse: { toolUseId: "c1", name: "look", input: { at: "sky" } } },
      ],
    },
    {
      role: "user",
      content: [{ toolResult: { toolUseId: "c1", status: "error", content: [{ text: "a" }, { json: { a: 1 } }] } }],
    },
    { role: "system", content: [{ text: "Speak French." }] },
  ],
  inferenceConfig: { maxTokens: 5000, temperature: 1, topP: 1, stopSequences: ["END"] },
  toolConfig: {
    tools: [{ toolSpec: { name: "look", description: "d", inputSchema: { json: schema }, strict: true } }],
    toolChoice: { auto: {} },
  },
  outputConfig: {
    effort: "low",
    textFormat: { type: "json_schema", structure: { jsonSchema: { schema: JSON.stringify(schema), name: "n" } } },
  },
  serviceTier: { type: "default" },
  requestMetadata: { a: "b" },
  performanceConfig: { latency: "standard" },
};
