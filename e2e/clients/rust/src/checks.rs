//! What the clients share: where the gateway is, who asks, one small tool, one small picture, and how a check is told.

use serde_json::{Value, json};
use std::{env, error::Error, future::Future, time::Instant};

pub const MODEL: &str = "claude-sonnet-4-5";
pub const NO_MODEL: &str = "claude-none";
pub const EMBEDDING_MODEL: &str = "titan-embed-v2";
pub const HELLO: &str = "Say hello.";
pub const STAND_IN: &str = "stand-in";
pub const QUESTION: &str = "Who is the director of Alien?";
pub const DIRECTOR: &str = "Ridley Scott";
pub const TOOL: &str = "run_sparql";
pub const LOOK: &str = "What colour is this?";
/// A red square of 8 by 8 pixels.
pub const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEklEQVR4nGP4z8CAFWEXHbQSACj/P8Fu7N9hAAAAAElFTkSuQmCC";
/// The stand-in counts four characters a token over all it was sent, so its count shows that the picture arrived.
pub const PNG_TOKENS: u32 = (PNG.len() / 4) as u32;
/// The stand-in answers by rule: it calls `run_sparql` for a question it can read by the schema in the prompt.
pub const SYSTEM: &str = r#"The schema:
PREFIX f: <urn:film#>
Classes (instances):
- f:Film (3) "film", "movie"
- f:Person (5) "person", "people"
Properties (from -> to, uses):
- f:directedBy: f:Film -> f:Person (3) "is directed by", "director"; backwards "directed"
"#;

pub type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

pub fn told(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set"))
}

/// The stand-in hands a tool what it is told to, so long work makes a long stream.
pub fn long_work() -> String {
    "all work and no play makes a dull stream ".repeat(300).trim().to_owned()
}

pub fn long_question() -> String {
    format!("Use the tool {TOOL} with {}", json!({ "query": long_work() }))
}

pub fn tool_schema() -> Value {
    let text = json!({ "type": "string" });
    json!({ "type": "object", "properties": { "query": text, "question": text }, "required": ["query"] })
}

pub fn answer_schema() -> Value {
    let properties = json!({ "title": { "type": "string" }, "year": { "type": "integer" } });
    json!({ "type": "object", "properties": properties, "required": ["title", "year"], "additionalProperties": false })
}

/// The rows a database would give; the arguments must be the query the question asks for.
pub fn run_sparql(arguments: &str) -> Outcome<String> {
    let asked: Value = serde_json::from_str(arguments)?;
    let query = asked["query"].as_str().unwrap_or("");
    must(query.contains("f:directedBy") && query.contains("\" alien \""), arguments)?;
    let columns = ["subject", "subjectName", "object", "objectName"];
    Ok(json!({ "graph_data": { "columns": columns, "rows": [["urn:alien", "Alien", "urn:scott", DIRECTOR]] } }).to_string())
}

pub fn must_be_film(text: &str) -> Outcome {
    let film: Value = serde_json::from_str(text)?;
    must(film["title"].is_string() && film["year"].is_i64(), text)
}

pub fn must(holds: bool, seen: impl std::fmt::Debug) -> Outcome {
    if holds { Ok(()) } else { Err(format!("seen instead: {seen:?}").into()) }
}

/// Lets the stand-in for Bedrock fail in its next calls.
pub fn fault(said: Value) -> Outcome {
    use std::{io::{Read, Write}, net::TcpStream};
    let url = told("BEDROCK_URL");
    let host = url.trim_start_matches("http://");
    let body = said.to_string();
    let mut socket = TcpStream::connect(host)?;
    let head = "content-type: application/json\r\nconnection: close\r\ncontent-length";
    write!(socket, "POST /sandbox/faults HTTP/1.1\r\nhost: {host}\r\n{head}: {}\r\n\r\n{body}", body.len())?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    must(answer.starts_with("HTTP/1.1 200"), answer)
}

/// Tells the checks of one client; what fails does not hold up the others.
pub struct Checks {
    pub client: String,
    pub held: bool,
}

impl Checks {
    pub async fn check(&mut self, what: &str, work: impl Future<Output = Outcome>) {
        match work.await {
            Ok(()) => println!("ok      {}: {what}", self.client),
            Err(error) => {
                self.held = false;
                println!("FAILED  {}: {what}\n{error:?}", self.client);
            }
        }
    }

    /// A check that must take this long, since the client was told to wait.
    pub async fn check_wait(&mut self, what: &str, milliseconds: u128, work: impl Future<Output = Outcome>) {
        let waiting = async {
            let begun = Instant::now();
            work.await?;
            must(begun.elapsed().as_millis() >= milliseconds, begun.elapsed())
        };
        self.check(what, waiting).await;
    }
}
