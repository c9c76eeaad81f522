package eval

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"

	"chartcode/internal/coding"
	"chartcode/internal/embedding"
	"chartcode/internal/learned"
)

// TrainConfig of Train.
type TrainConfig struct {
	Mentions     *Data  // notes in which every mention is coded
	MentionsFile string // that Mentions was read from
	Billing      *Data  // notes coded as for a bill; nil: the ranker's own rules
	BillingFile  string
	Command      string // as typed, for the record
	Version      int    // of the models: the N of local@N
	Terms        int    // that the retriever was built from
	Vectors      string // name of the embedding model; empty without
	Progress     func(done, of int, what string)
}

// TrainReport is the cross-validation of both styles.
type TrainReport struct {
	Mentions Report
	Billing  BillingReport
}

// Text is the report for people.
func (r TrainReport) Text() string {
	out := r.Mentions.Text()
	if r.Billing.Folds > 0 {
		out += "\nbilling\n" + BillingText(&r.Billing.Scores)
	}
	return out
}

// Train makes the models that the program ships with. For mentions: order,
// ranker and memory from all notes, with calibration and threshold from
// cross-validation. For billing: an order without anything counted in mentions
// style, and the ranker from notes coded as for a bill, with what these count.
func Train(ctx context.Context, c TrainConfig) (*learned.Models, TrainReport, error) {
	var rep TrainReport
	fit := DefaultFit(coding.Mentions)
	var err error
	if rep.Mentions, err = Accuracy(ctx, Config{Data: c.Mentions, Fit: fit, Progress: c.Progress}); err != nil {
		return nil, rep, err
	}
	sum, err := fileSum(c.MentionsFile)
	if err != nil {
		return nil, rep, err
	}
	all := everyNote(c.Mentions)
	mentions, err := c.Mentions.Fit(ctx, all, fit)
	if err != nil {
		return nil, rep, err
	}
	mentions.Calibration, mentions.Threshold = rep.Mentions.Calibration, rep.Mentions.ShownAt
	billing, err := c.Mentions.Fit(ctx, all, DefaultFit(coding.Billing))
	if err != nil {
		return nil, rep, err
	}
	f := &rep.Mentions.Full
	record := learned.Record{
		Command: c.Command, Dataset: baseName(c.MentionsFile), SHA256: sum, Notes: len(all), Terms: c.Terms, Vectors: c.Vectors,
		Figures: map[string]float64{
			"recall_at_10": f.Recall(10), "recall_at_50": f.Recall(50), "recall_at_100": f.Recall(100), "map": f.MAP,
			"micro_precision": f.Precision(), "micro_recall": f.ShownRecall(), "micro_f1": f.F1(), "ece": f.ECE,
		},
	}
	if c.Billing != nil {
		order := models(coding.Billing, billing)
		if billing, rep.Billing, err = TrainBilling(ctx, BillingConfig{Data: c.Billing, Order: order, Progress: c.Progress}); err != nil {
			return nil, rep, err
		}
		if record.BillingSHA256, err = fileSum(c.BillingFile); err != nil {
			return nil, rep, err
		}
		record.BillingDataset, record.BillingNotes = baseName(c.BillingFile), len(c.Billing.Notes)
		s := &rep.Billing.Scores
		for name, v := range map[string]float64{
			"precision": s.Precision(), "recall": s.ShownRecall(), "f1": s.F1(), "ece": s.ECE,
			"first_listed": float64(s.FirstRight) / float64(max(s.FirstAsked, 1)),
		} {
			record.Figures["billing_"+name] = v
		}
	}
	return &learned.Models{
		Version: c.Version, Record: record,
		Styles: map[coding.Style]*learned.StyleModels{coding.Mentions: &mentions, coding.Billing: &billing},
	}, rep, nil
}

func baseName(path string) string { return path[strings.LastIndexAny(path, `/\`)+1:] }

func fileSum(path string) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read dataset: %w", err)
	}
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:]), nil
}

// VectorEpochs is how long the shipped word vectors were trained.
const VectorEpochs = 6

// TrainVectors makes a local embedding model, named name@version, from terms.
func TrainVectors(ctx context.Context, terms []coding.Term, t Table, name string) (*embedding.Local, error) {
	l, err := embedding.Train(ctx, embedding.TrainConfig{Groups: TermGroups(terms, t), Name: name, Epochs: VectorEpochs})
	if err != nil {
		return nil, fmt.Errorf("train word vectors: %w", err)
	}
	return l, nil
}

// TermGroups groups terms by code for embedding.Train; titles of the headers
// above a code are its context. Injuries are taken once, not once an encounter.
func TermGroups(terms []coding.Term, t Table) []embedding.Group {
	at := map[string]int{}
	var out []embedding.Group
	var codes []string
	for _, term := range terms {
		if n := len(term.Code); n == 8 && term.Code[n-1] != 'A' && strings.IndexByte("STVWXY", term.Code[0]) >= 0 {
			continue
		}
		i, ok := at[term.Code]
		if !ok {
			i = len(out)
			at[term.Code] = i
			codes = append(codes, term.Code)
			out = append(out, embedding.Group{Context: headerTitles(term.Code, t)})
		}
		out[i].Texts = append(out[i].Texts, term.Text)
	}
	// In the order of the codes, so that neighbours in the list are neighbours
	// in the tabular list.
	order := make([]int, len(out))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(codes[a], codes[b]) })
	sorted := make([]embedding.Group, len(out))
	for i, j := range order {
		sorted[i] = out[j]
	}
	return sorted
}

func headerTitles(code string, t Table) []string {
	var out []string
	for n := len(code) - 1; n >= 3; n-- {
		if h, ok := t.Lookup(strings.TrimSuffix(code[:n], ".")); ok {
			out = append(out, h.Title)
		}
	}
	return out
}
