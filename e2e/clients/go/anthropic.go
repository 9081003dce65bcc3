package main

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
)

func anthropicClient(base, token string, more ...option.RequestOption) anthropic.Client {
	options := []option.RequestOption{option.WithBaseURL(base), option.WithAuthToken(token), option.WithMaxRetries(0)}
	return anthropic.NewClient(append(options, more...)...)
}

func message(messages ...anthropic.MessageParam) anthropic.MessageNewParams {
	return anthropic.MessageNewParams{Model: model, MaxTokens: 10000, Messages: messages}
}

func said(text string) anthropic.MessageParam {
	return anthropic.NewUserMessage(anthropic.NewTextBlock(text))
}

func messageWithTool(messages ...anthropic.MessageParam) anthropic.MessageNewParams {
	params := message(messages...)
	params.System = []anthropic.TextBlockParam{{Text: system}}
	schema := anthropic.ToolInputSchemaParam{Properties: properties, Required: []string{"query"}}
	tool := anthropic.ToolParam{Name: toolName, Description: anthropic.String(toolSays), InputSchema: schema}
	params.Tools = []anthropic.ToolUnionParam{{OfTool: &tool}}
	return params
}

// The whole of a stream, as the client puts it together, and how many events it came in.
func accumulated(client anthropic.Client, params anthropic.MessageNewParams) (anthropic.Message, int) {
	stream := client.Messages.NewStreaming(context.Background(), params)
	whole, events := anthropic.Message{}, 0
	for stream.Next() {
		none(whole.Accumulate(stream.Current()))
		events++
	}
	none(stream.Err())
	return whole, events
}

func toolUse(answer anthropic.Message) anthropic.ToolUseBlock {
	for _, block := range answer.Content {
		if call, is := block.AsAny().(anthropic.ToolUseBlock); is {
			return call
		}
	}
	panic("no tool call in " + answer.RawJSON())
}

func anthropicRefusal(err error, status int, kind, words string) {
	var refusal *anthropic.Error
	must(errors.As(err, &refusal), err)
	var body struct {
		Error struct{ Type, Message string }
	}
	none(json.Unmarshal([]byte(refusal.RawJSON()), &body))
	must(refusal.StatusCode == status && body.Error.Type == kind && strings.Contains(body.Error.Message, words), refusal.RawJSON())
	must(refusal.RequestID != "", refusal.Response.Header)
}

func anthropicChecks(base string) []check {
	ctx := context.Background()
	client := anthropicClient(base, alice)
	greeting, atLength := message(said(hello)), messageWithTool(said(longQuestion))
	atLength.System = nil
	return []check{
		{"lists models", func() {
			pages := client.Models.ListAutoPaging(ctx, anthropic.ModelListParams{})
			seen := map[string]bool{}
			for pages.Next() {
				seen[pages.Current().ID] = !pages.Current().CreatedAt.IsZero()
			}
			none(pages.Err())
			must(seen[model], seen)
			must(value(client.Models.Get(ctx, model, anthropic.ModelGetParams{})).ID == model, seen)
		}},
		{"a message, the token as bearer and as key", func() {
			answer := value(client.Messages.New(ctx, greeting))
			must(strings.Contains(answer.Content[0].Text, standIn) && answer.StopReason == "end_turn", answer)
			must(answer.Usage.InputTokens > 0 && answer.Usage.OutputTokens > 0, answer.Usage)
			byKey := anthropic.NewClient(option.WithBaseURL(base), option.WithAPIKey(alice), option.WithMaxRetries(0))
			value(byKey.Messages.New(ctx, greeting))
		}},
		{"a message streamed", func() {
			whole := value(client.Messages.New(ctx, greeting))
			streamed, events := accumulated(client, greeting)
			must(events > 6 && streamed.Content[0].Text == whole.Content[0].Text, streamed)
			must(streamed.Usage.InputTokens == whole.Usage.InputTokens && streamed.Usage.OutputTokens == whole.Usage.OutputTokens, streamed.Usage)
		}},
		{"a tool and its result", func() {
			asked := value(client.Messages.New(ctx, messageWithTool(said(question))))
			must(asked.StopReason == "tool_use", asked)
			call := toolUse(*asked)
			result := anthropic.NewToolResultBlock(call.ID, runSparql(string(call.Input)), false)
			params := messageWithTool(said(question), asked.ToParam(), anthropic.NewUserMessage(result))
			answer := value(client.Messages.New(ctx, params))
			must(strings.Contains(answer.Content[0].Text, director), answer)
		}},
		{"a tool streamed", func() {
			streamed, _ := accumulated(client, messageWithTool(said(question)))
			runSparql(string(toolUse(streamed).Input))
		}},
		{"an image", func() {
			image := anthropic.NewImageBlockBase64("image/png", png)
			unseen := value(client.Messages.New(ctx, message(said(look))))
			seen := value(client.Messages.New(ctx, message(anthropic.NewUserMessage(image, anthropic.NewTextBlock(look)))))
			must(seen.Usage.InputTokens >= unseen.Usage.InputTokens+pngTokens, seen.Usage)
		}},
		{"an answer of a given form", func() {
			params := message(said(hello))
			params.OutputConfig = anthropic.OutputConfigParam{Format: anthropic.JSONOutputFormatParam{Schema: answerSchema}}
			mustBeFilm(value(client.Messages.New(ctx, params)).Content[0].Text)
		}},
		{"counts tokens", func() {
			params := anthropic.MessageCountTokensParams{Model: model, Messages: []anthropic.MessageParam{said(hello)}}
			must(value(client.Messages.CountTokens(ctx, params)).InputTokens > 0, params)
		}},
		{"refusals in its own errors", func() {
			stranger, outsider := anthropicClient(base, "nonsense"), anthropicClient(base, mallory)
			_, err := stranger.Messages.New(ctx, greeting)
			anthropicRefusal(err, 401, "authentication_error", "")
			_, err = outsider.Messages.New(ctx, greeting)
			anthropicRefusal(err, 403, "permission_error", "group")
			missing := greeting
			missing.Model = noModel
			_, err = client.Messages.New(ctx, missing)
			anthropicRefusal(err, 404, "not_found_error", noModel)
			_, err = client.Messages.New(ctx, message())
			anthropicRefusal(err, 400, "invalid_request_error", "messages")
		}},
		{"waits as a throttled model asks, and asks again", func() {
			patient := anthropicClient(base, alice, option.WithMaxRetries(2))
			fault(map[string]any{"fault": "throttle", "retryAfter": 4, "count": 1})
			waited := took(func() { value(patient.Messages.New(ctx, greeting)) })
			must(waited > 3900*time.Millisecond, waited)
		}},
		{"leaves in the midst of a stream", func() {
			leaving, leave := context.WithCancel(ctx)
			id := option.WithHeader("x-request-id", "go-left-anthropic")
			stream := client.Messages.NewStreaming(leaving, atLength, id)
			for range 3 {
				must(stream.Next(), stream.Err())
			}
			leave()
			for stream.Next() {
			}
			must(errors.Is(stream.Err(), context.Canceled), stream.Err())
		}},
		{"an error in the midst of a stream", func() {
			fault(map[string]any{"fault": "exception", "after": 4})
			stream := client.Messages.NewStreaming(ctx, greeting)
			for stream.Next() {
			}
			must(stream.Err() != nil && strings.Contains(stream.Err().Error(), "api_error"), stream.Err())
		}},
		{"a long stream", func() {
			streamed, events := accumulated(client, atLength)
			must(events > 300 && strings.Contains(string(toolUse(streamed).Input), longWork), events)
		}},
		{"twenty at once, twice", func() {
			for range 2 {
				inParallel(20, func() { accumulated(client, greeting) })
			}
		}},
	}
}
