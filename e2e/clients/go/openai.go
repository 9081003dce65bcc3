package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
	"github.com/openai/openai-go/v3/shared"
)

func openaiClient(base, token string, more ...option.RequestOption) openai.Client {
	options := []option.RequestOption{option.WithBaseURL(base + "/v1"), option.WithAPIKey(token), option.WithMaxRetries(0)}
	return openai.NewClient(append(options, more...)...)
}

func chat(content ...openai.ChatCompletionMessageParamUnion) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{Model: model, Messages: content}
}

func chatWithTool(messages ...openai.ChatCompletionMessageParamUnion) openai.ChatCompletionNewParams {
	params := chat(append([]openai.ChatCompletionMessageParamUnion{openai.SystemMessage(system)}, messages...)...)
	function := shared.FunctionDefinitionParam{Name: toolName, Description: openai.String(toolSays), Parameters: toolSchema}
	params.Tools = []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(function)}
	return params
}

// The whole of a stream, as the client puts it together, and how many chunks it came in.
func gathered(client openai.Client, params openai.ChatCompletionNewParams) (openai.ChatCompletion, int) {
	params.StreamOptions = openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)}
	stream := client.Chat.Completions.NewStreaming(context.Background(), params)
	whole, chunks := openai.ChatCompletionAccumulator{}, 0
	for stream.Next() {
		must(whole.AddChunk(stream.Current()), "a chunk that does not belong to the others")
		chunks++
	}
	none(stream.Err())
	return whole.ChatCompletion, chunks
}

func openaiRefusal(err error, status int, said string) *openai.Error {
	var refusal *openai.Error
	must(errors.As(err, &refusal), err)
	must(refusal.StatusCode == status && strings.Contains(refusal.Message, said), refusal.RawJSON())
	must(refusal.Response.Header.Get("x-request-id") != "", refusal.Response.Header)
	return refusal
}

func openaiChecks(base string) []check {
	ctx := context.Background()
	client := openaiClient(base, alice)
	greeting, atLength := chat(openai.UserMessage(hello)), chatWithTool(openai.UserMessage(longQuestion))
	atLength.Messages = atLength.Messages[1:]
	return []check{
		{"lists models", func() {
			pages := client.Models.ListAutoPaging(ctx)
			seen := map[string]bool{}
			for pages.Next() {
				seen[pages.Current().ID] = true
			}
			none(pages.Err())
			must(seen[model] && !seen[embeddingModel], seen)
			must(value(client.Models.Get(ctx, model)).ID == model, seen)
		}},
		{"chat", func() {
			answer := value(client.Chat.Completions.New(ctx, greeting))
			must(strings.Contains(answer.Choices[0].Message.Content, standIn), answer)
			must(answer.Choices[0].FinishReason == "stop" && answer.Usage.TotalTokens > 0, answer)
		}},
		{"chat streamed", func() {
			whole := value(client.Chat.Completions.New(ctx, greeting))
			streamed, chunks := gathered(client, greeting)
			must(chunks > 3 && streamed.Choices[0].Message.Content == whole.Choices[0].Message.Content, streamed)
			must(streamed.Usage.TotalTokens == whole.Usage.TotalTokens, streamed.Usage)
		}},
		{"chat with a tool and its result", func() {
			asked := value(client.Chat.Completions.New(ctx, chatWithTool(openai.UserMessage(question)))).Choices[0]
			must(asked.FinishReason == "tool_calls", asked)
			call := asked.Message.ToolCalls[0]
			result := openai.ToolMessage(runSparql(call.Function.Arguments), call.ID)
			said := chatWithTool(openai.UserMessage(question), asked.Message.ToParam(), result)
			answer := value(client.Chat.Completions.New(ctx, said))
			must(strings.Contains(answer.Choices[0].Message.Content, director), answer)
		}},
		{"chat with a tool streamed", func() {
			streamed, _ := gathered(client, chatWithTool(openai.UserMessage(question)))
			runSparql(streamed.Choices[0].Message.ToolCalls[0].Function.Arguments)
		}},
		{"chat with an image", func() {
			text := openai.TextContentPart(look)
			image := openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{URL: "data:image/png;base64," + png})
			unseen := value(client.Chat.Completions.New(ctx, chat(openai.UserMessage([]openai.ChatCompletionContentPartUnionParam{text}))))
			seen := value(client.Chat.Completions.New(ctx, chat(openai.UserMessage([]openai.ChatCompletionContentPartUnionParam{text, image}))))
			must(seen.Usage.PromptTokens >= unseen.Usage.PromptTokens+pngTokens, seen.Usage)
		}},
		{"an answer of a given form", func() {
			params := chat(openai.UserMessage(hello))
			form := shared.ResponseFormatJSONSchemaJSONSchemaParam{Name: "film", Schema: answerSchema, Strict: openai.Bool(true)}
			params.ResponseFormat.OfJSONSchema = &shared.ResponseFormatJSONSchemaParam{JSONSchema: form}
			mustBeFilm(value(client.Chat.Completions.New(ctx, params)).Choices[0].Message.Content)
		}},
		{"embeddings", func() {
			input := openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: []string{"a cat", "a dog"}}
			params := openai.EmbeddingNewParams{Model: embeddingModel, Input: input, Dimensions: openai.Int(256)}
			developer := openaiClient(base, bob)
			answer := value(developer.Embeddings.New(ctx, params))
			must(len(answer.Data) == 2 && len(answer.Data[1].Embedding) == 256 && answer.Usage.PromptTokens > 0, answer.Usage)
		}},
		{"refusals in its own errors", func() {
			stranger, outsider := openaiClient(base, "nonsense"), openaiClient(base, mallory)
			_, err := stranger.Models.List(ctx)
			openaiRefusal(err, 401, "")
			_, err = outsider.Chat.Completions.New(ctx, greeting)
			openaiRefusal(err, 403, "group")
			none := greeting
			none.Model = noModel
			_, err = client.Chat.Completions.New(ctx, none)
			must(openaiRefusal(err, 404, noModel).Code == "model_not_found", err)
			several := greeting
			several.N = openai.Int(2)
			_, err = client.Chat.Completions.New(ctx, several)
			must(openaiRefusal(err, 400, "n").Param == "n", err)
		}},
		{"waits as a throttled model asks, and asks again", func() {
			patient := openaiClient(base, alice, option.WithMaxRetries(2))
			fault(map[string]any{"fault": "throttle", "retryAfter": 4, "count": 1, "operation": "converse"})
			waited := took(func() { value(patient.Chat.Completions.New(ctx, greeting)) })
			must(waited > 3900*time.Millisecond, waited)
		}},
		{"leaves in the midst of a stream", func() {
			leaving, leave := context.WithCancel(ctx)
			stream := client.Chat.Completions.NewStreaming(leaving, atLength, left("openai"))
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
			stream := client.Chat.Completions.NewStreaming(ctx, greeting)
			for stream.Next() {
			}
			must(stream.Err() != nil && strings.Contains(stream.Err().Error(), "model"), stream.Err())
		}},
		{"a long stream", func() {
			streamed, chunks := gathered(client, atLength)
			must(chunks > 300, chunks)
			must(strings.Contains(streamed.Choices[0].Message.ToolCalls[0].Function.Arguments, longWork), streamed.Usage)
		}},
		{"twenty at once, twice", func() {
			for range 2 {
				inParallel(20, func() { gathered(client, greeting) })
			}
		}},
	}
}

func left(client string) option.RequestOption {
	return option.WithHeader("x-request-id", "go-left-"+client)
}

func responsesChecks(base string) []check {
	ctx := context.Background()
	client := openaiClient(base, alice)
	text := func(said string) responses.ResponseNewParamsInputUnion {
		return responses.ResponseNewParamsInputUnion{OfString: openai.String(said)}
	}
	greeting := responses.ResponseNewParams{Model: model, Input: text(hello), Store: openai.Bool(false)}
	tool := responses.FunctionToolParam{Name: toolName, Parameters: toolSchema, Strict: openai.Bool(false)}
	asking := responses.ResponseNewParams{Model: model, Store: openai.Bool(false), Instructions: openai.String(system)}
	asking.Tools = []responses.ToolUnionParam{{OfFunction: &tool}}
	return []check{
		{"an answer", func() {
			answer := value(client.Responses.New(ctx, greeting))
			must(answer.Status == "completed" && strings.Contains(answer.OutputText(), standIn), answer)
		}},
		{"a stream", func() {
			stream := client.Responses.NewStreaming(ctx, greeting)
			deltas, last := "", responses.ResponseStreamEventUnion{}
			for stream.Next() {
				last = stream.Current()
				if delta, is := last.AsAny().(responses.ResponseTextDeltaEvent); is {
					deltas += delta.Delta
				}
			}
			none(stream.Err())
			must(last.Type == "response.completed" && deltas != "" && last.Response.OutputText() == deltas, last)
			must(last.Response.Usage.TotalTokens > 0, last)
		}},
		{"a tool and its result", func() {
			first := asking
			first.Input = text(question)
			asked := value(client.Responses.New(ctx, first))
			said := responses.ResponseInputParam{responses.ResponseInputItemParamOfMessage(question, "user")}
			for _, item := range asked.Output {
				call, is := item.AsAny().(responses.ResponseFunctionToolCall)
				if !is {
					continue
				}
				param := call.ToParam()
				result := responses.ResponseInputItemParamOfFunctionCallOutput(runSparql(call.Arguments))
				result.OfFunctionCallOutput.CallID = openai.String(call.CallID)
				said = append(said, responses.ResponseInputItemUnionParam{OfFunctionCall: &param}, result)
			}
			must(len(said) == 3, asked.RawJSON())
			second := asking
			second.Input.OfInputItemList = said
			answer := value(client.Responses.New(ctx, second))
			must(strings.Contains(answer.OutputText(), director), answer.RawJSON())
		}},
	}
}
