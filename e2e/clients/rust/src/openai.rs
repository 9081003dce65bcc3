//! async-openai: chat completions, Responses, embeddings, models.

use crate::checks::*;
use async_openai::{
    Client,
    config::OpenAIConfig,
    error::OpenAIError,
    types::{
        chat::{ChatCompletionMessageToolCalls, CreateChatCompletionRequest, CreateChatCompletionResponse, FinishReason},
        embeddings::CreateEmbeddingRequest,
        responses::{CreateResponse, ResponseStreamEvent},
    },
};
use futures::{StreamExt, future::try_join_all};
use serde_json::{Value, json};

fn client(base: &str, token: &str) -> Client<OpenAIConfig> {
    Client::with_config(OpenAIConfig::new().with_api_base(format!("{base}/v1")).with_api_key(token))
}

fn says(text: &str) -> Value {
    json!({ "model": MODEL, "messages": [{ "role": "user", "content": text }] })
}

fn with_tool(mut request: Value) -> Value {
    request["tools"] = json!([{ "type": "function", "function": { "name": TOOL, "parameters": tool_schema() } }]);
    request
}

fn question() -> Value {
    let messages = json!([{ "role": "system", "content": SYSTEM }, { "role": "user", "content": QUESTION }]);
    with_tool(json!({ "model": MODEL, "messages": messages }))
}

async fn chat(client: &Client<OpenAIConfig>, request: Value) -> Result<CreateChatCompletionResponse, OpenAIError> {
    let request: CreateChatCompletionRequest = serde_json::from_value(request).expect("a request");
    client.chat().create(request).await
}

fn text(answer: &CreateChatCompletionResponse) -> &str {
    answer.choices[0].message.content.as_deref().unwrap_or("")
}

#[derive(Debug, Default)]
struct Read {
    text: String,
    arguments: String,
    chunks: usize,
    total_tokens: u32,
}

/// @param leave_after how many chunks to read before the stream is let go
async fn read(client: &Client<OpenAIConfig>, mut request: Value, leave_after: usize) -> Outcome<Read> {
    request["stream"] = true.into();
    request["stream_options"] = json!({ "include_usage": true });
    let request: CreateChatCompletionRequest = serde_json::from_value(request)?;
    let mut stream = client.chat().create_stream(request).await?;
    let mut read = Read::default();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk?;
        read.chunks += 1;
        if read.chunks == leave_after {
            break;
        }
        read.total_tokens = chunk.usage.map_or(read.total_tokens, |usage| usage.total_tokens);
        for choice in chunk.choices {
            read.text += choice.delta.content.as_deref().unwrap_or("");
            for call in choice.delta.tool_calls.unwrap_or_default() {
                read.arguments += &call.function.and_then(|function| function.arguments).unwrap_or_default();
            }
        }
    }
    Ok(read)
}

fn call_of(answer: &CreateChatCompletionResponse) -> Outcome<(String, String)> {
    match answer.choices[0].message.tool_calls.as_deref() {
        Some([ChatCompletionMessageToolCalls::Function(call)]) => Ok((call.id.clone(), call.function.arguments.clone())),
        other => Err(format!("seen instead: {other:?}").into()),
    }
}

fn refused<T: std::fmt::Debug>(answer: Result<T, OpenAIError>, status: u16, said: &str) -> Outcome {
    match answer {
        Err(OpenAIError::ApiError(error)) => {
            must(error.status_code.as_u16() == status && error.api_error.message.contains(said), error)
        }
        other => Err(format!("seen instead: {other:?}").into()),
    }
}

pub async fn run(name: String, base: &str) -> bool {
    let mut checks = Checks { client: name, held: true };
    let alice = client(base, &told("ALICE_TOKEN"));
    answers(&mut checks, &alice, base).await;
    streams(&mut checks, &alice, base).await;
    refusals(&mut checks, &alice, base).await;
    responses(&mut checks, &alice).await;
    checks.held
}

async fn answers(checks: &mut Checks, alice: &Client<OpenAIConfig>, base: &str) {
    checks.check("lists models", async {
        let models = alice.models().list().await?;
        must(models.data.iter().any(|model| model.id == MODEL), &models)?;
        must(alice.models().retrieve(MODEL).await?.id == MODEL, models)
    }).await;
    checks.check("chat", async {
        let answer = chat(alice, says(HELLO)).await?;
        must(text(&answer).contains(STAND_IN) && answer.choices[0].finish_reason == Some(FinishReason::Stop), &answer)?;
        must(answer.usage.as_ref().is_some_and(|usage| usage.total_tokens > 0), answer)
    }).await;
    checks.check("chat with a tool and its result", async {
        let mut request = question();
        let (id, arguments) = call_of(&chat(alice, request.clone()).await?)?;
        let call = json!({ "id": id, "type": "function", "function": { "name": TOOL, "arguments": arguments } });
        let messages = request["messages"].as_array_mut().expect("messages");
        messages.push(json!({ "role": "assistant", "tool_calls": [call] }));
        messages.push(json!({ "role": "tool", "tool_call_id": id, "content": run_sparql(&arguments)? }));
        let answer = chat(alice, request).await?;
        must(text(&answer).contains(DIRECTOR), answer)
    }).await;
    checks.check("chat with an image", async {
        let image = json!({ "type": "image_url", "image_url": { "url": format!("data:image/png;base64,{PNG}") } });
        let content = json!([{ "type": "text", "text": LOOK }, image]);
        let seen = chat(alice, json!({ "model": MODEL, "messages": [{ "role": "user", "content": content }] })).await?;
        let tokens = |answer: &CreateChatCompletionResponse| answer.usage.as_ref().map_or(0, |usage| usage.prompt_tokens);
        must(tokens(&seen) >= tokens(&chat(alice, says(LOOK)).await?) + PNG_TOKENS, seen)
    }).await;
    checks.check("an answer of a given form", async {
        let mut request = says(HELLO);
        let schema = json!({ "name": "film", "strict": true, "schema": answer_schema() });
        request["response_format"] = json!({ "type": "json_schema", "json_schema": schema });
        must_be_film(text(&chat(alice, request).await?))
    }).await;
    checks.check("embeddings, also in base64", async {
        let wanted = json!({ "model": EMBEDDING_MODEL, "input": ["a cat", "a dog"], "dimensions": 256 });
        let request: CreateEmbeddingRequest = serde_json::from_value(wanted)?;
        let bob = client(base, &told("BOB_TOKEN"));
        let answer = bob.embeddings().create(request.clone()).await?;
        must(answer.data.len() == 2 && answer.data[1].embedding.len() == 256, &answer.usage)?;
        let packed = bob.embeddings().create_base64(CreateEmbeddingRequest { encoding_format: Some(serde_json::from_value(json!("base64"))?), ..request }).await?;
        must(packed.data.len() == 2, answer.usage)
    }).await;
}

async fn streams(checks: &mut Checks, alice: &Client<OpenAIConfig>, base: &str) {
    let to_its_end = usize::MAX;
    checks.check("chat streamed", async {
        let whole = chat(alice, says(HELLO)).await?;
        let streamed = read(alice, says(HELLO), to_its_end).await?;
        must(streamed.chunks > 3 && streamed.text == text(&whole), &streamed)?;
        must(whole.usage.is_some_and(|usage| usage.total_tokens == streamed.total_tokens), streamed)
    }).await;
    checks.check("chat with a tool streamed", async {
        run_sparql(&read(alice, question(), to_its_end).await?.arguments).map(|_| ())
    }).await;
    checks.check("a long stream", async {
        let streamed = read(alice, with_tool(says(&long_question())), to_its_end).await?;
        must(streamed.chunks > 300 && streamed.arguments.contains(&long_work()), streamed.chunks)
    }).await;
    checks.check("leaves in the midst of a stream", async {
        let config = OpenAIConfig::new().with_api_base(format!("{base}/v1")).with_api_key(told("ALICE_TOKEN"));
        let leaving = Client::with_config(config.with_header("x-request-id", "rust-left-openai")?);
        must(read(&leaving, with_tool(says(&long_question())), 3).await?.chunks == 3, "fewer chunks")
    }).await;
    checks.check("an error in the midst of a stream", async {
        fault(json!({ "fault": "exception", "after": 4 }))?;
        match read(alice, says(HELLO), to_its_end).await {
            Err(error) => must(error.to_string().contains("model"), error.to_string()),
            Ok(streamed) => must(false, streamed),
        }
    }).await;
    checks.check("twenty at once, twice", async {
        for _ in 0..2 {
            try_join_all((0..20).map(|_| read(alice, says(HELLO), to_its_end))).await?;
        }
        Ok(())
    }).await;
}

async fn refusals(checks: &mut Checks, alice: &Client<OpenAIConfig>, base: &str) {
    checks.check("refusals in its own errors", async {
        refused(client(base, "nonsense").models().list().await, 401, "")?;
        refused(chat(&client(base, &told("MALLORY_TOKEN")), says(HELLO)).await, 403, "group")?;
        let mut missing = says(HELLO);
        missing["model"] = NO_MODEL.into();
        refused(chat(alice, missing).await, 404, NO_MODEL)?;
        let mut several = says(HELLO);
        several["n"] = 2.into();
        refused(chat(alice, several).await, 400, "n")
    }).await;
    checks.check_wait("waits as a throttled model asks, and asks again", 3900, async {
        fault(json!({ "fault": "throttle", "retryAfter": 4 }))?;
        chat(alice, says(HELLO)).await?;
        Ok(())
    }).await;
}

async fn responses(checks: &mut Checks, alice: &Client<OpenAIConfig>) {
    let wanted = json!({ "model": MODEL, "input": HELLO, "store": false });
    let request: CreateResponse = serde_json::from_value(wanted).expect("a request");
    checks.check("Responses", async {
        let answer = alice.responses().create(request.clone()).await?;
        must(answer.output_text().is_some_and(|text| text.contains(STAND_IN)), answer)
    }).await;
    checks.check("Responses streamed, a tool too", async {
        let mut stream = alice.responses().create_stream(request.clone()).await?;
        let (mut deltas, mut last) = (String::new(), None);
        while let Some(event) = stream.next().await {
            match event? {
                ResponseStreamEvent::ResponseOutputTextDelta(event) => deltas += &event.delta,
                ResponseStreamEvent::ResponseCompleted(event) => last = event.response.output_text(),
                _ => {}
            }
        }
        must(!deltas.is_empty() && last.as_deref() == Some(&deltas), &deltas)?;
        let tool = json!({ "type": "function", "name": TOOL, "parameters": tool_schema(), "strict": false });
        let wanted = json!({ "model": MODEL, "instructions": SYSTEM, "input": QUESTION, "tools": [tool], "store": false });
        let mut stream = alice.responses().create_stream(serde_json::from_value(wanted)?).await?;
        let mut arguments = String::new();
        while let Some(event) = stream.next().await {
            if let ResponseStreamEvent::ResponseFunctionCallArgumentsDelta(event) = event? {
                arguments += &event.delta;
            }
        }
        run_sparql(&arguments).map(|_| ())
    }).await;
}
