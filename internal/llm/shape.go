package llm

import (
	"math"

	"github.com/sashabaranov/go-openai"

	"chartcode/prompts"
)

// Shape is how requests to an endpoint are written. Servers refuse what they do
// not know; each refusal leads to a simpler shape.
type Shape struct {
	Format      string // json_schema, json_object or text: how the answer's form is asked for
	Temperature bool   // 0 is asked for; models that think refuse it
	OldTokens   bool   // max_tokens instead of max_completion_tokens
}

var formats = []openai.ChatCompletionResponseFormatType{
	openai.ChatCompletionResponseFormatTypeJSONSchema,
	openai.ChatCompletionResponseFormatTypeJSONObject,
	openai.ChatCompletionResponseFormatTypeText,
}

// A shape is remembered as one number: two bits for the format, one each for
// what was given up.
const (
	giveUpTemperature = 1 << 2
	giveUpNewTokens   = 1 << 3
	formatBits        = 3
)

func shapeOf(n int32) Shape {
	return Shape{Format: string(formats[n&formatBits]), Temperature: n&giveUpTemperature == 0, OldTokens: n&giveUpNewTokens != 0}
}

// simpler gives up what the server seems to refuse; false when nothing is left.
func simpler(n int32, h hint) (int32, bool) {
	switch {
	case h == hintTemperature && n&giveUpTemperature == 0:
		return n | giveUpTemperature, true
	case h == hintTokens && n&giveUpNewTokens == 0:
		return n | giveUpNewTokens, true
	case h == hintNone || n&formatBits == int32(len(formats)-1):
		return n, false
	}
	return n + 1, true
}

func requestOf(model string, maxTokens int, p prompts.Prompt, s Shape) openai.ChatCompletionRequest {
	req := openai.ChatCompletionRequest{
		Model: model,
		Messages: []openai.ChatCompletionMessage{
			{Role: openai.ChatMessageRoleSystem, Content: p.System},
			{Role: openai.ChatMessageRoleUser, Content: p.User},
		},
	}
	if s.OldTokens {
		req.MaxTokens = maxTokens //nolint:staticcheck // the only name that older servers know
	} else {
		req.MaxCompletionTokens = maxTokens
	}
	if s.Temperature {
		// 0 would be left out of the request and mean the server's default.
		req.Temperature = math.SmallestNonzeroFloat32
	}
	switch format := openai.ChatCompletionResponseFormatType(s.Format); format {
	case openai.ChatCompletionResponseFormatTypeJSONSchema:
		req.ResponseFormat = &openai.ChatCompletionResponseFormat{Type: format, JSONSchema: &openai.ChatCompletionResponseFormatJSONSchema{
			Name: p.Task, Schema: p.Schema, Strict: true,
		}}
	case openai.ChatCompletionResponseFormatTypeJSONObject:
		req.ResponseFormat = &openai.ChatCompletionResponseFormat{Type: format}
	}
	return req
}

// read takes the answer out of a response, or says with a code why not.
func read(res openai.ChatCompletionResponse, want form) ([]byte, string) {
	if len(res.Choices) == 0 {
		return nil, InvalidAnswer
	}
	choice := res.Choices[0]
	switch {
	case choice.Message.Refusal != "", choice.FinishReason == openai.FinishReasonContentFilter:
		return nil, Refused
	case choice.FinishReason == openai.FinishReasonLength:
		return nil, TooLong // what is cut off may lack codes
	}
	answer, ok := object(choice.Message.Content, want)
	if !ok {
		return nil, InvalidAnswer
	}
	return answer, ""
}
