package main

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

type claudeEvent struct {
	Type  string
	Delta struct{ Text string }
	Usage struct {
		OutputTokens int `json:"output_tokens"`
	}
}

func invokeChecks(base string) []check {
	ctx := context.Background()
	client := bedrockClient(base, alice)
	body := value(json.Marshal(map[string]any{
		"anthropic_version": "bedrock-2023-05-31", "max_tokens": 200,
		"messages": []any{map[string]any{"role": "user", "content": hello}},
	}))
	whole := func() string {
		output := value(client.InvokeModel(ctx, &bedrockruntime.InvokeModelInput{ModelId: aws.String(model), Body: body}))
		var answer struct{ Content []struct{ Text string } }
		none(json.Unmarshal(output.Body, &answer))
		must(*output.ContentType == "application/json", output)
		return answer.Content[0].Text
	}
	return []check{
		{"an answer", func() { must(strings.Contains(whole(), standIn), body) }},
		{"a stream", func() {
			input := &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(model), Body: body}
			stream := value(client.InvokeModelWithResponseStream(ctx, input)).GetStream()
			defer stream.Close()
			said, last := "", claudeEvent{}
			for event := range stream.Events() {
				last = claudeEvent{}
				none(json.Unmarshal(event.(*types.ResponseStreamMemberChunk).Value.Bytes, &last))
				said += last.Delta.Text
			}
			none(stream.Err())
			must(said == whole() && last.Type == "message_stop", said)
		}},
		{"an embedding", func() {
			input := &bedrockruntime.InvokeModelInput{ModelId: aws.String(embeddingModel), Body: []byte(`{"inputText": "a cat", "dimensions": 256}`)}
			output := value(bedrockClient(base, bob).InvokeModel(ctx, input))
			var answer struct{ Embedding []float64 }
			none(json.Unmarshal(output.Body, &answer))
			must(len(answer.Embedding) == 256, string(output.Body))
		}},
		{"counts tokens", func() {
			asked := &types.CountTokensInputMemberInvokeModel{Value: types.InvokeModelTokensRequest{Body: body}}
			count := value(client.CountTokens(ctx, &bedrockruntime.CountTokensInput{ModelId: aws.String(model), Input: asked}))
			must(*count.InputTokens > 0, count)
		}},
	}
}
