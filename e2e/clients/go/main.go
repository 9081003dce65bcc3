// The official clients in Go against the gateway: OpenAI's, Anthropic's and AWS's.
package main

import "os"

type client struct {
	name   string
	checks []check
}

func main() {
	clients := []client{{"aws-sdk-go-v2", plainHTTPChecks()}}
	for _, way := range []struct{ base, words string }{{gateway, ""}, {gatewayTLS, " over TLS"}} {
		clients = append(clients,
			client{"openai-go" + way.words, openaiChecks(way.base)},
			client{"openai-go, Responses" + way.words, responsesChecks(way.base)},
			client{"anthropic-sdk-go" + way.words, anthropicChecks(way.base)},
		)
	}
	clients = append(clients,
		client{"aws-sdk-go-v2, converse", converseChecks(gatewayTLS)},
		client{"aws-sdk-go-v2, invoke", invokeChecks(gatewayTLS)},
	)
	held := true
	for _, one := range clients {
		held = holdAll(one.name, one.checks) && held
	}
	if !held {
		os.Exit(1)
	}
}
