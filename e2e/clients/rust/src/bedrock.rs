//! AWS's client for Bedrock.

use crate::checks::*;
use aws_config::{BehaviorVersion, Region, retry::RetryConfig};
use aws_sdk_bedrockruntime::{
    Client,
    config::Token,
    error::ProvideErrorMetadata,
    operation::converse::builders::ConverseFluentBuilder,
    primitives::Blob,
    types::{
        ContentBlock, ContentBlockDelta, ConversationRole, ConverseOutput, ConverseStreamOutput, ConverseTokensRequest,
        CountTokensInput, ImageBlock, ImageFormat, ImageSource, JsonSchemaDefinition, Message, OutputConfig,
        OutputFormat, OutputFormatStructure, OutputFormatType, ResponseStream, StopReason, SystemContentBlock, Tool, ToolConfiguration,
        ToolInputSchema, ToolResultBlock, ToolResultContentBlock, ToolSpecification, ToolUseBlock,
    },
};
use aws_smithy_runtime_api::client::auth::AuthSchemeId;
use aws_smithy_types::{Document, Number};
use base64::{Engine, prelude::BASE64_STANDARD};
use futures::future::try_join_all;
use serde_json::{Value, json};

async fn client(base: &str, token: &str, attempts: u32) -> Client {
    let loader = aws_config::defaults(BehaviorVersion::latest()).region(Region::new("us-east-1")).endpoint_url(base);
    let shared = loader.retry_config(RetryConfig::standard().with_max_attempts(attempts)).load().await;
    let config = aws_sdk_bedrockruntime::config::Builder::from(&shared);
    Client::from_conf(config.bearer_token(Token::new(token, None)).auth_scheme_preference([AuthSchemeId::from("httpBearerAuth")]).build())
}

fn user(content: Vec<ContentBlock>) -> Message {
    Message::builder().role(ConversationRole::User).set_content(Some(content)).build().expect("a message")
}

fn says(client: &Client, words: &str) -> ConverseFluentBuilder {
    client.converse().model_id(MODEL).messages(user(vec![ContentBlock::Text(words.to_owned())]))
}

fn document(value: &Value) -> Document {
    match value {
        Value::Null => Document::Null,
        Value::Bool(bool) => Document::Bool(*bool),
        Value::Number(number) => Document::Number(Number::Float(number.as_f64().unwrap_or_default())),
        Value::String(text) => Document::String(text.clone()),
        Value::Array(items) => Document::Array(items.iter().map(document).collect()),
        Value::Object(fields) => Document::Object(fields.iter().map(|(name, field)| (name.clone(), document(field))).collect()),
    }
}

fn tool() -> ToolConfiguration {
    let schema = ToolInputSchema::Json(document(&tool_schema()));
    let spec = ToolSpecification::builder().name(TOOL).input_schema(schema).build().expect("a tool");
    ToolConfiguration::builder().tools(Tool::ToolSpec(spec)).build().expect("tools")
}

fn question(client: &Client) -> ConverseFluentBuilder {
    says(client, QUESTION).system(SystemContentBlock::Text(SYSTEM.to_owned())).tool_config(tool())
}

fn message(output: Option<ConverseOutput>) -> Message {
    match output {
        Some(ConverseOutput::Message(message)) => message,
        other => panic!("no message, but {other:?}"),
    }
}

fn text(message: &Message) -> &str {
    message.content()[0].as_text().map_or("", String::as_str)
}

fn call(message: &Message) -> &ToolUseBlock {
    message.content().iter().find_map(|block| block.as_tool_use().ok()).expect("a tool call")
}

fn arguments(call: &ToolUseBlock) -> String {
    let query = call.input().as_object().and_then(|fields| fields["query"].as_string()).unwrap_or("");
    json!({ "query": query }).to_string()
}

#[derive(Debug, Default)]
struct Read {
    text: String,
    arguments: String,
    events: usize,
    total_tokens: i32,
}

/// The same question as a stream, read to its end or until so many events have come.
async fn read(client: &Client, asked: &ConverseFluentBuilder, leave_after: usize, id: Option<&'static str>) -> Outcome<Read> {
    let asked = asked.as_input();
    let streamed = client.converse_stream().set_model_id(asked.get_model_id().clone());
    let streamed = streamed.set_messages(asked.get_messages().clone()).set_system(asked.get_system().clone());
    let streamed = streamed.set_tool_config(asked.get_tool_config().clone()).customize();
    let streamed = streamed.mutate_request(move |request| {
        if let Some(id) = id {
            request.headers_mut().insert("x-request-id", id);
        }
    });
    let mut stream = streamed.send().await?.stream;
    let mut read = Read::default();
    while let Some(event) = stream.recv().await? {
        read.events += 1;
        if read.events == leave_after {
            return Ok(read);
        }
        match event {
            ConverseStreamOutput::ContentBlockDelta(event) => match event.delta {
                Some(ContentBlockDelta::Text(text)) => read.text += &text,
                Some(ContentBlockDelta::ToolUse(part)) => read.arguments += part.input(),
                _ => {}
            },
            ConverseStreamOutput::Metadata(event) => read.total_tokens = event.usage.map_or(0, |usage| usage.total_tokens),
            _ => {}
        }
    }
    must(read.total_tokens > 0, &read)?;
    Ok(read)
}

fn refused<T: std::fmt::Debug>(answer: Result<T, impl ProvideErrorMetadata + std::fmt::Debug>, name: &str, said: &str) -> Outcome {
    match answer {
        Err(error) => must(error.code() == Some(name) && error.message().is_some_and(|words| words.contains(said)), error),
        Ok(answer) => must(false, answer),
    }
}

pub async fn run(name: String, base: &str) -> bool {
    let mut checks = Checks { client: name, held: true };
    let alice = client(base, &told("ALICE_TOKEN"), 1).await;
    converse(&mut checks, &alice).await;
    streams(&mut checks, &alice).await;
    invoke(&mut checks, &alice, base).await;
    refusals(&mut checks, &alice, base).await;
    checks.held
}

async fn converse(checks: &mut Checks, alice: &Client) {
    checks.check("converse", async {
        let answer = says(alice, HELLO).send().await?;
        must(answer.stop_reason == StopReason::EndTurn && answer.usage.as_ref().is_some_and(|usage| usage.total_tokens > 0), &answer)?;
        must(text(&message(answer.output)).contains(STAND_IN), HELLO)
    }).await;
    checks.check("a tool and its result", async {
        let said = message(question(alice).send().await?.output);
        let rows = ToolResultContentBlock::Text(run_sparql(&arguments(call(&said)))?);
        let result = ToolResultBlock::builder().tool_use_id(call(&said).tool_use_id()).content(rows).build()?;
        let next = question(alice).messages(said).messages(user(vec![ContentBlock::ToolResult(result)]));
        must(text(&message(next.send().await?.output)).contains(DIRECTOR), DIRECTOR)
    }).await;
    checks.check("an image", async {
        let source = ImageSource::Bytes(Blob::new(BASE64_STANDARD.decode(PNG)?));
        let image = ImageBlock::builder().format(ImageFormat::Png).source(source).build()?;
        let look = user(vec![ContentBlock::Image(image), ContentBlock::Text(LOOK.to_owned())]);
        let seen = alice.converse().model_id(MODEL).messages(look).send().await?;
        let unseen = says(alice, LOOK).send().await?;
        let tokens = unseen.usage.map_or(0, |usage| usage.input_tokens) + PNG_TOKENS as i32;
        must(seen.usage.as_ref().is_some_and(|usage| usage.input_tokens >= tokens), &seen.usage)
    }).await;
    checks.check("an answer of a given form", async {
        let schema = JsonSchemaDefinition::builder().name("film").schema(answer_schema().to_string()).build()?;
        let format = OutputFormat::builder().r#type(OutputFormatType::JsonSchema).structure(OutputFormatStructure::JsonSchema(schema));
        let form = OutputConfig::builder().text_format(format.build()?).build();
        must_be_film(text(&message(says(alice, HELLO).output_config(form).send().await?.output)))
    }).await;
    checks.check("counts tokens", async {
        let asked = ConverseTokensRequest::builder().messages(user(vec![ContentBlock::Text(HELLO.to_owned())])).build();
        let count = alice.count_tokens().model_id(MODEL).input(CountTokensInput::Converse(asked)).send().await?;
        must(count.input_tokens > 0, count)
    }).await;
}

async fn streams(checks: &mut Checks, alice: &Client) {
    let to_its_end = usize::MAX;
    checks.check("converse streamed", async {
        let whole = says(alice, HELLO).send().await?;
        let streamed = read(alice, &says(alice, HELLO), to_its_end, None).await?;
        must(streamed.events > 6 && streamed.text == text(&message(whole.output)), &streamed)?;
        must(whole.usage.is_some_and(|usage| usage.total_tokens == streamed.total_tokens), streamed)
    }).await;
    checks.check("a tool streamed", async {
        run_sparql(&read(alice, &question(alice), to_its_end, None).await?.arguments).map(|_| ())
    }).await;
    let at_length = says(alice, &long_question()).tool_config(tool());
    checks.check("a long stream", async {
        let streamed = read(alice, &at_length, to_its_end, None).await?;
        must(streamed.events > 300 && streamed.arguments.contains(&long_work()), streamed.events)
    }).await;
    checks.check("leaves in the midst of a stream", async {
        must(read(alice, &at_length, 3, Some("rust-left-bedrock")).await?.events == 3, "fewer events")
    }).await;
    checks.check("an error in the midst of a stream", async {
        fault(json!({ "fault": "exception", "after": 4, "type": "throttlingException" }))?;
        match read(alice, &says(alice, HELLO), to_its_end, None).await {
            Err(error) => must(format!("{error:?}").contains("ThrottlingException"), error),
            Ok(streamed) => must(false, streamed),
        }
    }).await;
    checks.check("twenty at once, twice", async {
        let asked = says(alice, HELLO);
        for _ in 0..2 {
            try_join_all((0..20).map(|_| read(alice, &asked, to_its_end, None))).await?;
        }
        Ok(())
    }).await;
}

async fn invoke(checks: &mut Checks, alice: &Client, base: &str) {
    let messages = json!([{ "role": "user", "content": HELLO }]);
    let claude = json!({ "anthropic_version": "bedrock-2023-05-31", "max_tokens": 200, "messages": messages }).to_string();
    checks.check("invoke, whole and streamed", async {
        let whole = alice.invoke_model().model_id(MODEL).body(Blob::new(claude.clone())).send().await?;
        let answer: Value = serde_json::from_slice(whole.body.as_ref())?;
        let mut stream = alice.invoke_model_with_response_stream().model_id(MODEL).body(Blob::new(claude)).send().await?.body;
        let mut said = String::new();
        while let Some(ResponseStream::Chunk(part)) = stream.recv().await? {
            let event: Value = serde_json::from_slice(part.bytes.unwrap_or(Blob::new("")).as_ref())?;
            said += event["delta"]["text"].as_str().unwrap_or("");
        }
        must(said.contains(STAND_IN) && answer["content"][0]["text"] == said, said)
    }).await;
    checks.check("invoke for an embedding", async {
        let body = Blob::new(json!({ "inputText": "a cat", "dimensions": 256 }).to_string());
        let bob = client(base, &told("BOB_TOKEN"), 1).await;
        let answer = bob.invoke_model().model_id(EMBEDDING_MODEL).body(body).send().await?;
        let answer: Value = serde_json::from_slice(answer.body.as_ref())?;
        must(answer["embedding"].as_array().is_some_and(|numbers| numbers.len() == 256), "another length")
    }).await;
}

async fn refusals(checks: &mut Checks, alice: &Client, base: &str) {
    checks.check("refusals in its own exceptions", async {
        refused(says(&client(base, "nonsense", 1).await, HELLO).send().await, "UnrecognizedClientException", "")?;
        refused(says(&client(base, &told("MALLORY_TOKEN"), 1).await, HELLO).send().await, "AccessDeniedException", "group")?;
        refused(says(alice, HELLO).model_id(NO_MODEL).send().await, "ResourceNotFoundException", NO_MODEL)?;
        let first = Message::builder().role(ConversationRole::Assistant).content(ContentBlock::Text(HELLO.to_owned())).build()?;
        refused(alice.converse().model_id(MODEL).messages(first).send().await, "ValidationException", "")
    }).await;
    let patient = client(base, &told("ALICE_TOKEN"), 3).await;
    checks.check_wait("waits as a throttled model asks, and asks again", 3900, async {
        fault(json!({ "fault": "throttle", "retryAfter": 4 }))?;
        says(&patient, HELLO).send().await?;
        Ok(())
    }).await;
}
