//! The clients in Rust against the gateway: AWS's own, and async-openai.

mod bedrock;
mod checks;
mod openai;

use checks::told;

#[tokio::main]
async fn main() {
    let mut held = true;
    for (base, over) in [(told("GATEWAY_URL"), ""), (told("GATEWAY_TLS_URL"), " over TLS")] {
        held &= openai::run(format!("async-openai{over}"), &base).await;
        held &= bedrock::run(format!("aws-sdk-bedrockruntime{over}"), &base).await;
    }
    std::process::exit(if held { 0 } else { 1 });
}
