package rank

import (
	"math/bits"
	"slices"
	"strings"
	"sync"
	"unicode"

	"chartcode/internal/coding"
)

// Some passages are neither of the patient nor to a program: they speak of the
// note. They strike, take back or replace what stands elsewhere, or say what alone
// is to count; or they say it in a language that neither the search for words nor,
// perhaps, the coder reads. Such a passage may be an honest correction and may be an
// attempt to have codes chosen, and which it is no program can know. So nothing is
// kept from the model and nothing is taken away: the coder is told, and codes that
// stand on the passage alone, or that only one of the two rankers has, carry a
// warning.
//
// What makes such a passage is no single phrase but several kinds of words together.

// RuleDoubtful is the finding at codes that such a passage may have brought.
const RuleDoubtful = coding.NoticeDoubtful

// Doubtful is a passage that a person has to read.
type Doubtful struct {
	coding.Span
	Foreign bool // it is of another language; else it speaks of the note
}

// speech are the kinds of words of a sentence that speaks of the note.
type speech uint8

const (
	ofText   speech = 1 << iota // names the note, a part of it, or who wrote it
	changing                    // strikes, replaces, takes back
	putting                     // puts words into the note, or reads them as others
	validity                    // says what is right, wrong or counts
	readers                     // speaks to a reader
	alone                       // only, instead, nothing else
	all      = ofText | changing | putting | validity | readers | alone
)

// DoubtfulPassages gives the passages of a text that speak of the note or are in
// another language than its own, in order.
func DoubtfulPassages(text string) []Doubtful {
	english := sync.OnceValue(func() bool { return isEnglish(text) })
	var out []Doubtful
	list := utterances(text)
	var before speech // of the sentence before, in the same paragraph
	for i, s := range list {
		plain := strings.ToLower(text[s.Start:s.End])
		if i > 0 && !blank(text[list[i-1].End:s.Start]) {
			before = 0
		}
		if (otherScript(plain) || otherTongue(plain)) && len(strings.Fields(plain)) >= leastForeign && english() {
			out = append(out, Doubtful{s, true})
			before = 0
			continue
		}
		own := speechOf(plain)
		if own.ofNote() || holdsCode(plain) && matched(codeOrders(), plain) {
			out = append(out, Doubtful{s, false})
		} else if both := own | before; own != 0 && before != 0 && both.ofNote() && count(both) > count(before) {
			out = append(out, Doubtful{s, false}) // says on what the one before began
			if n := len(out); n < 2 || out[n-2].Span != list[i-1] {
				out = slices.Insert(out, n-1, Doubtful{list[i-1], false})
			}
		}
		before = own
	}
	return out
}

// leastForeign is how many words of another language make a sentence.
const leastForeign = 4

// ofNote reports whether the kinds of words together speak of what the note says.
func (s speech) ofNote() bool {
	switch n := count(s); {
	case s&ofText != 0 && s&(changing|validity) != 0:
		return n >= 3
	case s&changing != 0 && s&putting != 0:
		return n >= 3
	case s&validity != 0 && s&alone != 0:
		return n >= 4
	}
	return false
}

func count(s speech) int { return bits.OnesCount8(uint8(s & all)) }

// speechOf gives the kinds of words of a sentence. What excuses slips of dictation
// has none.
func speechOf(plain string) speech {
	var out speech
	words := strings.FieldsFunc(plain, func(r rune) bool { return !unicode.IsLetter(r) && r != '\'' })
	for i, w := range words {
		k := speechWords()[w]
		if i+1 < len(words) {
			k |= speechWords()[w+" "+words[i+1]]
		}
		if k&slip != 0 {
			return 0
		}
		out |= k
	}
	return out
}

// slip marks words of the usual excuse for errors of dictation.
const slip speech = 1 << 7

var speechWords = sync.OnceValue(func() map[string]speech {
	out := map[string]speech{}
	for kind, list := range map[speech]string{
		ofText: `this_note the_note note's record records chart charts charting documentation documented document documents dictation dictated dictate
			transcript entry entries statement statements passage paragraph section sentence sentences wording text the_above foregoing
			instructions preceding the_following aforementioned herein hereby claim bill billing coded coding codes list_of problem_list diagnosis_list
			diagnoses_list i_wrote i_said was_written is_written stands_here written_here said_here stated_here`,
		changing: `strike strikes stricken scratch erase erased delete deleted substitute substituted substitutes swap swapped overwrite
			overwrites overwritten amend amended amends retract retracted retracts rescind rescinded void voids voided supersede supersedes
			superseded disregard disregarded discard discarded omit omitted ignore ignored overlook overlooked forget cancel cancels
			cancelled nullify revoke revoked crossed_out cross_out leave_out left_out take_back taken_back
			replace replaces correct_to corrected change_to changed_to stands_corrected in_place place_of
			to_mean instead_of`,
		putting: `put puts write read reads treat treated_as regard regarded regards considered_as
			consider count counted label labeled labelled name named call file filed book booked bill billed code report list listed
			mark marked classify classified assign assigned attach append count_as pass_as pass_for`,
		validity: `valid invalid validity error errors erroneous erroneously mistake mistaken mistakenly wrong incorrect inaccurate
			untrue false fake boilerplate template placeholder obsolete outdated binding official authoritative counts applies
			no_longer true_diagnosis real_diagnosis correct_diagnosis actual_diagnosis prevails prevail precedence force`,
		readers: `you your yours yourself please kindly thanks thank_you dear hey scribe transcriptionist transcriber typist coder coders
			biller billers reader readers reviewer reviewers whoever anyone anybody everybody abstractor auditor auditors`,
		alone: `only instead solely exclusively alone nothing_else nothing_more nothing_but no_other rather_than the_rest everything_else
			all_else anything_else all_other whatever sole regardless irrespective`,
		slip: `typographical grammatical typo typos typographic misspelling misspellings transcription spelling voice_recognition
			speech_recognition word_recognition`,
	} {
		for w := range strings.FieldsSeq(list) {
			out[strings.ReplaceAll(w, "_", " ")] |= kind
		}
	}
	return out
})

// standsOn reports whether all evidence of a suggestion lies in doubtful passages.
func standsOn(s *coding.Suggestion, passages []Doubtful) bool {
	return len(s.Evidence) > 0 && !slices.ContainsFunc(s.Evidence, func(e coding.Evidence) bool {
		return !slices.ContainsFunc(passages, func(d Doubtful) bool { return d.Overlaps(e.Span) })
	})
}

// WarnDoubtful puts a warning on the suggestions that stand on doubtful passages
// alone.
func WarnDoubtful(list []coding.Suggestion, passages []Doubtful) []coding.Suggestion {
	out := slices.Clone(list)
	for i := range out {
		s := &out[i]
		if !standsOn(s, passages) || slices.ContainsFunc(s.Warnings, func(f coding.Finding) bool { return f.Rule == RuleDoubtful }) {
			continue
		}
		why := "that speaks of what the note says elsewhere"
		if slices.ContainsFunc(passages, func(d Doubtful) bool { return d.Foreign && d.Overlaps(s.Evidence[0].Span) }) {
			why = "in another language than the note"
		}
		s.Warnings = append(slices.Clone(s.Warnings), coding.Finding{Rule: RuleDoubtful, Severity: coding.SeverityWarning, Codes: []string{s.Code},
			Message: s.Code + " stands only on a passage " + why + ": read it before you accept the code.",
			Source:  "chartcode: a passage of the note is to be read by a person"})
	}
	return out
}
