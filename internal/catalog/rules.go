package catalog

import (
	"context"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/pipeline/segment"
	"chartcode/pipeline/validate"
)

// RulesOn gives the coding rules on a date of service (zero: none given), with
// the code tables of the systems named: a function that gives the findings of
// each list of codes. All that it needs is loaded before, so that it asks no
// database. It is nil when no ICD-10-CM release holds on the date.
func (c *Catalog) RulesOn(ctx context.Context, date coding.Date, systems []coding.System) (func(coding.ListCheck) [][]coding.Finding, error) {
	// As of now: the codes of an item are held against the releases that a check
	// has just looked them up in.
	e, err := c.edition(ctx, 0)
	if err != nil || e == nil {
		return nil, err
	}
	v, err := c.validation(ctx, e)
	if err != nil {
		return nil, err
	}
	tables := map[coding.System]*codeset.Table{}
	for _, system := range append([]coding.System{coding.ICD10CM}, systems...) {
		rel, _, ok := e.releases.Pick(system, date)
		if !ok || tables[system] != nil {
			continue
		}
		if tables[system], err = e.table(ctx, c.cfg.Source, rel); err != nil {
			return nil, err
		}
	}
	if tables[coding.ICD10CM] == nil {
		return nil, nil
	}
	return func(in coding.ListCheck) [][]coding.Finding { return check(v, tables, in) }, nil
}

// check reads the notes once and holds each list against the rules.
func check(v *validate.Validator, tables map[coding.System]*codeset.Table, in coding.ListCheck) [][]coding.Finding {
	docs := make(map[string]*coding.Document, len(in.Notes))
	for _, note := range in.Notes {
		docs[note.NoteID] = segment.Segment(note)
	}
	out := make([][]coding.Finding, len(in.Lists))
	for i, list := range in.Lists {
		ask := validate.CheckInput{
			Table: tables[coding.ICD10CM], Others: tables, Setting: in.Setting, Patient: in.Patient, Payer: in.Payer, Date: in.Date,
			Style: in.Style, Docs: docs, Unordered: in.Style == coding.Mentions,
		}
		for _, code := range list {
			ask.Codes = append(ask.Codes, validate.Coded{System: code.System, Code: code.Code, Evidence: code.Evidence})
		}
		out[i] = v.Check(ask)
	}
	return out
}
