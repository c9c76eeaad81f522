package llm

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/sashabaranov/go-openai"

	"chartcode/internal/coding"
	"chartcode/prompts"
)

// Probed is what was found out about an endpoint.
type Probed struct {
	Endpoint string // primary or fallback
	Model    string
	Shape    Shape         // the first that the server did not refuse
	Bound    bool          // the server holds the model to the schema; false where it takes the schema and ignores it
	Took     time.Duration // of one call with a short answer
	Usage    coding.Usage
	// Listed says whether the server lists the model: nil where it has no list.
	Listed *bool
	// Price says what the model costs; nil when that is not known.
	Price *Price
}

var probeSchema = json.RawMessage(`{"type":"object","additionalProperties":false,"required":["colours"],"properties":{"colours":{"type":"array","items":{"type":"string"}}}}`)

// The second prompt asks for what the schema forbids: only a server that holds
// the model to the schema gives an object.
var (
	probePrompt = prompts.Prompt{Task: "probe", System: `Answer with one JSON object and nothing else: {"colours":["..."]}`,
		User: "Name twenty colours.", Schema: probeSchema}
	probeBound = prompts.Prompt{Task: "probe", System: "Answer in one plain English sentence. Write no JSON.",
		User: "Which colour has the sky?", Schema: probeSchema}
)

// Probe asks each endpoint small questions, past cache, recordings and the other
// endpoint, and says what it found. They are paid from the budget. A failure of
// one endpoint is an *Error in its place in errs; of an endpoint that fails only
// Endpoint, Model, Listed and Price are known.
func (c *Client) Probe(ctx context.Context) (found []Probed, errs []error) {
	for _, e := range c.endpoints {
		p, err := e.probe(ctx)
		found, errs = append(found, p), append(errs, err)
	}
	return found, errs
}

func (e *endpoint) probe(ctx context.Context) (Probed, error) {
	p := Probed{Endpoint: e.name, Model: e.model, Listed: e.listed(ctx)}
	if e.priced {
		p.Price = &e.price
	}
	answer := func(pr prompts.Prompt) *Error {
		want, err := formOf(pr.Schema)
		if err != nil {
			return &Error{Code: Rejected}
		}
		began := time.Now()
		_, fault := e.ask(ctx, question{prompt: pr, want: want, tokens: 100, deadline: began.Add(e.cfg.Deadline)}, &p.Usage)
		p.Took = time.Since(began)
		return fault
	}
	if fault := answer(probePrompt); fault != nil {
		return p, asError(ctx, fault)
	}
	p.Usage = coding.Usage{} // the second time nothing has to be found out, and the model is loaded
	if fault := answer(probePrompt); fault != nil {
		return p, asError(ctx, fault)
	}
	p.Shape = shapeOf(e.shape.Load())
	if p.Shape.Format == string(openai.ChatCompletionResponseFormatTypeJSONSchema) {
		took, usage := p.Took, p.Usage
		p.Bound = answer(probeBound) == nil
		p.Took, p.Usage = took, usage
	}
	return p, nil
}

func asError(ctx context.Context, fault *Error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fault
}

// listed asks for the list of models.
func (e *endpoint) listed(ctx context.Context) *bool {
	ctx, cancel := context.WithTimeout(ctx, min(e.cfg.Timeout, 10*time.Second))
	defer cancel()
	ctx, _ = withExchange(ctx)
	list, err := e.api.ListModels(ctx)
	if err != nil || len(list.Models) == 0 {
		return nil
	}
	yes := slices.ContainsFunc(list.Models, func(m openai.Model) bool { return m.ID == e.model })
	return &yes
}

// Shapes are the shapes of requests found out so far, by the endpoint's name.
func (c *Client) Shapes() map[string]Shape {
	out := map[string]Shape{}
	for _, e := range c.endpoints {
		out[e.name] = shapeOf(e.shape.Load())
	}
	return out
}
