package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/auth/bearer"
)

type bedrockOption = func(*bedrockruntime.Options)

// As its users are told to: the token in the environment, and the endpoint.
func bedrockClient(base, token string, more ...bedrockOption) *bedrockruntime.Client {
	none(os.Setenv("AWS_BEARER_TOKEN_BEDROCK", token))
	loaded := value(config.LoadDefaultConfig(context.Background(), config.WithRegion("us-east-1"), config.WithBaseEndpoint(base)))
	once := func(options *bedrockruntime.Options) { options.RetryMaxAttempts = 1 }
	return bedrockruntime.NewFromConfig(loaded, append([]bedrockOption{once}, more...)...)
}

// A client that fetches its tokens: what stands in for AWS_BEARER_TOKEN_BEDROCK where tokens end.
func bedrockClientByProvider(base string) *bedrockruntime.Client {
	tokens := bearer.TokenProviderFunc(func(context.Context) (bearer.Token, error) { return bearer.Token{Value: alice}, nil })
	return bedrockruntime.New(bedrockruntime.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(base), BearerAuthTokenProvider: tokens, AuthSchemePreference: []string{"httpBearerAuth"},
	})
}

func userSays(blocks ...types.ContentBlock) types.Message {
	return types.Message{Role: types.ConversationRoleUser, Content: blocks}
}

func text(words string) types.ContentBlock { return &types.ContentBlockMemberText{Value: words} }

func converse(messages ...types.Message) *bedrockruntime.ConverseInput {
	return &bedrockruntime.ConverseInput{ModelId: aws.String(model), Messages: messages}
}

func converseWithTool(messages ...types.Message) *bedrockruntime.ConverseInput {
	input := converse(messages...)
	input.System = []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: system}}
	schema := &types.ToolInputSchemaMemberJson{Value: document.NewLazyDocument(toolSchema)}
	tool := types.ToolSpecification{Name: aws.String(toolName), Description: aws.String(toolSays), InputSchema: schema}
	input.ToolConfig = &types.ToolConfiguration{Tools: []types.Tool{&types.ToolMemberToolSpec{Value: tool}}}
	return input
}

func streamed(of *bedrockruntime.ConverseInput) *bedrockruntime.ConverseStreamInput {
	return &bedrockruntime.ConverseStreamInput{ModelId: of.ModelId, Messages: of.Messages, System: of.System, ToolConfig: of.ToolConfig}
}

// What came of a stream.
type streamRead struct {
	text, arguments string
	events          int
	stopReason      types.StopReason
	usage           *types.TokenUsage
	err             error
}

func readStream(stream *bedrockruntime.ConverseStreamEventStream) (read streamRead) {
	defer stream.Close()
	for event := range stream.Events() {
		read.events++
		switch event := event.(type) {
		case *types.ConverseStreamOutputMemberContentBlockDelta:
			switch delta := event.Value.Delta.(type) {
			case *types.ContentBlockDeltaMemberText:
				read.text += delta.Value
			case *types.ContentBlockDeltaMemberToolUse:
				read.arguments += *delta.Value.Input
			}
		case *types.ConverseStreamOutputMemberMessageStop:
			read.stopReason = event.Value.StopReason
		case *types.ConverseStreamOutputMemberMetadata:
			read.usage = event.Value.Usage
		}
	}
	read.err = stream.Err()
	return read
}

func converseStreamed(client *bedrockruntime.Client, input *bedrockruntime.ConverseInput) streamRead {
	read := readStream(value(client.ConverseStream(context.Background(), streamed(input))).GetStream())
	none(read.err)
	must(read.usage != nil && read.stopReason != "", read)
	return read
}

func messageOf(output *bedrockruntime.ConverseOutput) types.Message {
	return output.Output.(*types.ConverseOutputMemberMessage).Value
}

func textOf(output *bedrockruntime.ConverseOutput) string {
	return messageOf(output).Content[0].(*types.ContentBlockMemberText).Value
}

func bedrockRefusal(err error, name, words string) {
	var refusal smithy.APIError
	must(errors.As(err, &refusal), err)
	must(refusal.ErrorCode() == name && strings.Contains(refusal.ErrorMessage(), words), refusal)
}

func converseChecks(base string) []check {
	ctx := context.Background()
	client := bedrockClient(base, alice)
	greeting, atLength := converse(userSays(text(hello))), converseWithTool(userSays(text(longQuestion)))
	atLength.System = nil
	return []check{
		{"converse", func() {
			answer := value(client.Converse(ctx, greeting))
			must(strings.Contains(textOf(answer), standIn) && answer.StopReason == "end_turn", answer)
			must(*answer.Usage.TotalTokens > 0 && answer.Metrics.LatencyMs != nil, answer)
		}},
		{"a token by a provider", func() { value(bedrockClientByProvider(base).Converse(ctx, greeting)) }},
		{"converse streamed", func() {
			whole, read := value(client.Converse(ctx, greeting)), converseStreamed(client, greeting)
			must(read.events > 6 && read.text == textOf(whole) && *read.usage.TotalTokens == *whole.Usage.TotalTokens, read)
		}},
		{"a tool and its result", func() {
			asked := value(client.Converse(ctx, converseWithTool(userSays(text(question)))))
			must(asked.StopReason == "tool_use", asked)
			call := messageOf(asked).Content[len(messageOf(asked).Content)-1].(*types.ContentBlockMemberToolUse).Value
			rows := runSparql(string(value(call.Input.MarshalSmithyDocument())))
			content := []types.ToolResultContentBlock{&types.ToolResultContentBlockMemberText{Value: rows}}
			result := &types.ContentBlockMemberToolResult{Value: types.ToolResultBlock{ToolUseId: call.ToolUseId, Content: content}}
			answer := value(client.Converse(ctx, converseWithTool(userSays(text(question)), messageOf(asked), userSays(result))))
			must(strings.Contains(textOf(answer), director), answer)
		}},
		{"a tool streamed", func() {
			runSparql(converseStreamed(client, converseWithTool(userSays(text(question)))).arguments)
		}},
		{"an image", func() {
			source := &types.ImageSourceMemberBytes{Value: pngBytes}
			image := &types.ContentBlockMemberImage{Value: types.ImageBlock{Format: types.ImageFormatPng, Source: source}}
			unseen, seen := value(client.Converse(ctx, converse(userSays(text(look))))), value(client.Converse(ctx, converse(userSays(image, text(look)))))
			must(int64(*seen.Usage.InputTokens) >= int64(*unseen.Usage.InputTokens)+pngTokens, seen.Usage)
		}},
		{"an answer of a given form", func() {
			schema := types.JsonSchemaDefinition{Schema: aws.String(string(value(json.Marshal(answerSchema)))), Name: aws.String("film")}
			structure := &types.OutputFormatStructureMemberJsonSchema{Value: schema}
			input := converse(userSays(text(hello)))
			input.OutputConfig = &types.OutputConfig{TextFormat: &types.OutputFormat{Type: types.OutputFormatTypeJsonSchema, Structure: structure}}
			mustBeFilm(textOf(value(client.Converse(ctx, input))))
		}},
		{"counts tokens", func() {
			input := &types.CountTokensInputMemberConverse{Value: types.ConverseTokensRequest{Messages: greeting.Messages}}
			count := value(client.CountTokens(ctx, &bedrockruntime.CountTokensInput{ModelId: aws.String(model), Input: input}))
			must(*count.InputTokens > 0, count)
		}},
		{"refusals in its own exceptions", func() {
			_, err := bedrockClient(base, "nonsense").Converse(ctx, greeting)
			bedrockRefusal(err, "UnrecognizedClientException", "")
			_, err = bedrockClient(base, mallory).Converse(ctx, greeting)
			bedrockRefusal(err, "AccessDeniedException", "group")
			missing := *greeting
			missing.ModelId = aws.String(noModel)
			_, err = client.Converse(ctx, &missing)
			bedrockRefusal(err, "ResourceNotFoundException", noModel)
			_, err = client.ConverseStream(ctx, streamed(&missing))
			bedrockRefusal(err, "ResourceNotFoundException", noModel)
			answerFirst := types.Message{Role: types.ConversationRoleAssistant, Content: []types.ContentBlock{text(hello)}}
			_, err = client.Converse(ctx, converse(answerFirst))
			bedrockRefusal(err, "ValidationException", "")
		}},
		{"asks a throttled model again", func() {
			patient := bedrockClient(base, alice, func(options *bedrockruntime.Options) { options.RetryMaxAttempts = 3 })
			fault(map[string]any{"fault": "throttle", "retryAfter": 4, "count": 1})
			waited := took(func() { value(patient.Converse(ctx, greeting)) })
			must(waited > 3900*time.Millisecond, waited)
		}},
		{"leaves in the midst of a stream", func() { leaveStream(client) }},
		{"an error in the midst of a stream", func() {
			fault(map[string]any{"fault": "exception", "after": 4, "type": "throttlingException"})
			read := readStream(value(client.ConverseStream(ctx, streamed(greeting))).GetStream())
			var throttled *types.ThrottlingException
			must(errors.As(read.err, &throttled), read.err)
		}},
		{"a long stream", func() {
			read := converseStreamed(client, atLength)
			must(read.events > 300 && strings.Contains(read.arguments, longWork), read.events)
		}},
		{"twenty at once, twice", func() {
			for range 2 {
				inParallel(20, func() { converseStreamed(client, greeting) })
			}
		}},
	}
}

func leaveStream(client *bedrockruntime.Client) {
	leaving, leave := context.WithCancel(context.Background())
	id := func(options *bedrockruntime.Options) {
		options.HTTPClient = withHeader{"x-request-id", "go-left-bedrock"}
	}
	stream := value(client.ConverseStream(leaving, streamed(converseWithTool(userSays(text(longQuestion)))), id)).GetStream()
	for range 3 {
		<-stream.Events()
	}
	leave()
	none(stream.Close())
}

type withHeader [2]string

func (header withHeader) Do(request *http.Request) (*http.Response, error) {
	request.Header.Set(header[0], header[1])
	return http.DefaultClient.Do(request)
}

// It sends a bearer token over TLS only, and says so.
func plainHTTPChecks() []check {
	return []check{{"keeps its token where there is no TLS", func() {
		_, err := bedrockClient(gateway, alice).Converse(context.Background(), converse(userSays(text(hello))))
		must(err != nil && strings.Contains(err.Error(), "requires HTTPS"), err)
	}}}
}
