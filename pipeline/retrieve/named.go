package retrieve

import (
	"slices"

	"chartcode/internal/lexicon"
)

// Words after which the words right before them are part of a name, and those
// that may stand some words later: "infectious diseases department", "low-sodium
// and fat diet".
var (
	namesTest = map[string]bool{"test": true, "tests": true, "testing": true, "scale": true, "score": true, "formula": true, "questionnaire": true, "index": true, "profile": true,
		"series": true, "examination": true, "agent": true, "agents": true, "drug": true, "drugs": true}
	// Words that are such a name by themselves: "Daniels scale", GCS.
	testItself = map[string]bool{"scale": true, "score": true, "index": true, "gcs": true}
	// What a drug does: "hypotensive treatment".
	actsOn     = map[string]bool{"hypotensive": true, "hypoglycemic": true, "hypoglycaemic": true, "hypoglycemics": true}
	actsAs     = map[string]bool{"treatment": true, "therapy": true, "medication": true, "medications": true}
	namesPlace = map[string]bool{"diet": true, "department": true, "service": true, "unit": true, "clinic": true}
)

// namesOther reports whether the words found are part of the name of a test, a
// drug, a diet or a place.
func (rd *reading) namesOther(h *hit) bool {
	if h.from == h.to {
		word, next := rd.tokens[h.to].Lower, ""
		if int(h.to)+1 < len(rd.tokens) {
			next = rd.tokens[h.to+1].Lower
		}
		if testItself[word] || actsOn[word] && actsAs[next] {
			return true
		}
	}
	if e, ok := rd.expanded[h.from]; ok && e.Last-1 == int(h.to) && rd.measured(h.to+1) {
		return true // "VT 420 ml"
	}
	if rd.virusTested(h) {
		return true
	}
	last := h.to
	for i := last + 1; i < min(int32(len(rd.tokens)), last+4); i++ {
		t := &rd.tokens[i]
		switch {
		case i == last+1 && namesTest[t.Lower] || namesPlace[t.Lower]:
			return true
		case t.Kind != lexicon.Word || t.Lower != "and" && lexicon.IsStop(t.Norm):
			return false
		}
	}
	return false
}

// What a laboratory looks for in blood names a virus, not that the patient has the
// disease: "IgG by EIA. Varicella-zoster virus, negative".
var serologyWords = map[string]bool{"igg": true, "igm": true, "serology": true, "serologies": true, "serological": true, "titer": true, "titers": true, "titre": true, "titres": true,
	"eia": true, "elisa": true, "antibody": true, "antibodies": true}

// virusTested reports whether the words found only name a virus that was looked for.
func (rd *reading) virusTested(h *hit) bool {
	if int(h.to)+1 >= len(rd.tokens) || rd.tokens[h.to+1].Lower != "virus" && rd.tokens[h.to].Lower != "virus" {
		return false
	}
	p := &rd.sentence[h.sentence]
	return slices.ContainsFunc(rd.tokens[p.from:p.to], func(t lexicon.Token) bool { return serologyWords[t.Lower] })
}

// units stand behind the values of what is measured; not those of size, which an
// aneurysm or a tumour has.
var units = map[string]bool{"ml": true, "cc": true, "mmhg": true, "mg": true, "cmh2o": true, "bpm": true}

// measured reports whether a number with a unit stands at a token.
func (rd *reading) measured(at int32) bool {
	return int(at)+1 < len(rd.tokens) && rd.tokens[at].Kind == lexicon.Number && units[rd.tokens[at+1].Lower]
}

// What tissue shows under the microscope is no condition by itself, where the
// sentence speaks of tissue.
var (
	tissueFinds = map[string]bool{"necrosis": true, "necrotic": true, "hemorrhagic": true, "haemorrhagic": true}
	tissueWords = map[string]bool{"histological": true, "histologically": true, "histology": true, "microscopic": true, "microscopically": true, "histopathological": true,
		"histopathology": true, "anatomopathological": true, "pathology": true, "pathological": true, "biopsy": true, "specimen": true, "cells": true, "cellular": true, "glomeruli": true,
		"mitosis": true, "mitoses": true, "mitotic": true, "stroma": true, "tumor": true, "tumour": true, "tumoral": true, "foci": true, "fibrinoid": true, "caseous": true, "granulomas": true}
)

// microscopic reports whether the words found only say what was seen in tissue.
func (f *finding) microscopic(h *hit) bool {
	if h.from != h.to || !tissueFinds[f.rd.tokens[h.from].Lower] {
		return false
	}
	p := &f.rd.sentence[h.sentence]
	return slices.ContainsFunc(f.rd.tokens[p.from:p.to], func(t lexicon.Token) bool { return tissueWords[t.Lower] })
}
