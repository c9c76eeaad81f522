package retrieve

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"chartcode/internal/coding"
	"chartcode/internal/lexicon"
)

// familyTable has codes that differ in side, encounter and displacement.
func familyTable() *smallTable {
	t := smallTable{
		"N60": "Benign mammary dysplasia", "N60.0": "Solitary cyst of breast", "N60.01": "Solitary cyst of right breast",
		"N60.02": "Solitary cyst of left breast", "N60.09": "Solitary cyst of unspecified breast",
		"M17": "Osteoarthritis of knee", "M17.0": "Bilateral primary osteoarthritis of knee", "M17.1": "Unilateral primary osteoarthritis of knee",
		"M17.10": "Unilateral primary osteoarthritis, unspecified knee", "M17.11": "Unilateral primary osteoarthritis, right knee",
		"M17.12": "Unilateral primary osteoarthritis, left knee", "M17.9": "Osteoarthritis of knee, unspecified",
		"I50": "Heart failure", "I50.1": "Left ventricular failure, unspecified", "I50.9": "Heart failure, unspecified",
		"M25.561": "Pain in right knee", "M25.562": "Pain in left knee", "M25.569": "Pain in unspecified knee",
		"S93.4": "Sprain of ankle", "S93.40": "Sprain of unspecified ligament of ankle", "S93.49": "Sprain of other ligament of ankle",
	}
	encounters := [][2]string{{"A", "initial encounter"}, {"D", "subsequent encounter"}, {"S", "sequela"}}
	for i, side := range []string{"right", "left", "unspecified"} {
		n := []string{"1", "2", "9"}[i]
		for code, title := range map[string]string{"S93.40": "Sprain of unspecified ligament of %s ankle", "S93.49": "Sprain of other ligament of %s ankle"} {
			t[code+n] = fmt.Sprintf(title, side)
			for _, e := range encounters {
				t[code+n+e[0]] = t[code+n] + ", " + e[1]
			}
		}
	}
	for code, title := range map[string]string{
		"S39.012": "Strain of muscle, fascia and tendon of lower back", "S42.201": "Unspecified fracture of upper end of right humerus",
		"S42.202": "Unspecified fracture of upper end of left humerus", "S42.301": "Unspecified fracture of shaft of humerus, right arm",
		"S83.511": "Sprain of anterior cruciate ligament of right knee", "S83.521": "Sprain of posterior cruciate ligament of right knee",
	} {
		t[code] = title
		for _, e := range encounters {
			t[code+e[0]] = title + ", " + e[1]
		}
	}
	t["S92.32"] = "Fracture of second metatarsal bone"
	for i, title := range []string{
		"Displaced fracture of second metatarsal bone, right foot", "Displaced fracture of second metatarsal bone, left foot",
		"Displaced fracture of second metatarsal bone, unspecified foot", "Nondisplaced fracture of second metatarsal bone, right foot",
		"Nondisplaced fracture of second metatarsal bone, left foot", "Nondisplaced fracture of second metatarsal bone, unspecified foot",
	} {
		code := fmt.Sprint("S92.32", i+1)
		t[code] = title
		for _, e := range [][2]string{
			{"A", "initial encounter for closed fracture"}, {"B", "initial encounter for open fracture"},
			{"D", "subsequent encounter for fracture with routine healing"}, {"K", "subsequent encounter for fracture with nonunion"}, {"S", "sequela"},
		} {
			t[code+e[0]] = title + ", " + e[1]
		}
	}
	return &t
}

// sectioned builds a note of sections with one sentence each; a section is
// "kind: text". Facts are those that the words state.
func sectioned(parts ...string) *coding.Document {
	d := &coding.Document{Setting: coding.Outpatient}
	for _, p := range parts {
		kind, text, _ := strings.Cut(p, ": ")
		s := coding.Span{Start: len(d.Text), End: len(d.Text) + len(text) + 1}
		d.Text += text + "\n"
		d.Sections = append(d.Sections, coding.Section{Span: s, Kind: coding.SectionKind(kind)})
		d.Sentences = append(d.Sentences, coding.Sentence{Span: s, Section: len(d.Sections) - 1})
		d.Clauses = append(d.Clauses, s)
	}
	for _, t := range lexicon.Tokenize(d.Text) {
		f := coding.Fact{Span: coding.Span{Start: t.Start, End: t.End}, Word: t.Lower}
		switch t.Lower {
		case "left", "right", "bilateral":
			f.Kind = coding.FactLaterality
		case "open":
			f.Kind = coding.FactOpenness
		case "nonunion", "malunion":
			f.Kind = coding.FactHealing
		default:
			continue
		}
		d.Facts = append(d.Facts, f)
	}
	return d
}

func TestTheNoteChoosesWithinTheFamily(t *testing.T) {
	table := familyTable()
	r, err := New(Config{Terms: termsOf(table)})
	if err != nil {
		t.Fatal(err)
	}
	cc, hpi, exam, a, plan := string(coding.SectionChiefComplaint), string(coding.SectionHPI), string(coding.SectionExam), string(coding.SectionAssessment), string(coding.SectionPlan)
	for _, c := range []struct {
		name  string
		parts []string
		first []string // in any order, before all others of the family
		other string   // of the family
	}{
		{"the side stands in the complaint", []string{cc + ": Right ankle pain.", a + ": Ankle sprain."}, []string{"S93.401A"}, "S93.402A"},
		{"and for the other side", []string{cc + ": Left ankle pain.", a + ": Ankle sprain."}, []string{"S93.402A"}, "S93.401A"},
		{"the ill side outweighs the one compared with", []string{hpi + ": Her left knee hurts.", exam + ": The right knee is normal.", a + ": Pain in the left knee."}, []string{"M25.562"}, "M25.561"},
		{"a side of another part of the body says nothing", []string{hpi + ": Pain in the right knee.", exam + ": The left ear is normal.", a + ": Knee pain."}, []string{"M25.561"}, "M25.562"},
		{"both sides without a code for both", []string{a + ": Solitary cysts of bilateral breasts."}, []string{"N60.01", "N60.02"}, "N60.09"},
		{"both sides with one", []string{cc + ": Bilateral knee pain.", a + ": Osteoarthritis of the knee."}, []string{"M17.0"}, "M17.9"},
		{"a side with a code that has none", []string{cc + ": Right knee pain.", a + ": Osteoarthritis of the knee."}, []string{"M17.11"}, "M17.9"},
		{"an abbreviated side", []string{cc + ": RLE injury.", a + ": Knee pain."}, []string{"M25.561"}, "M25.562"},
		{"no side", []string{a + ": Solitary cyst of the breast."}, []string{"N60.09"}, "N60.01"},
		{"a side in a name is no side", []string{hpi + ": Left arm swelling.", a + ": Heart failure."}, []string{"I50.9"}, "I50.1"},
		{"active treatment of a closed, displaced fracture by default", []string{cc + ": Right foot pain.", a + ": Fracture of the second metatarsal."}, []string{"S92.321A"}, "S92.324A"},
		{"not displaced where the note says so", []string{cc + ": Left foot pain.", a + ": Nondisplaced fracture of the second metatarsal."}, []string{"S92.325A"}, "S92.322A"},
		{"routine healing in a follow-up", []string{cc + ": Follow-up of a right foot fracture.", a + ": Second metatarsal fracture."}, []string{"S92.321D"}, "S92.321A"},
		{"a follow-up that is planned changes nothing", []string{cc + ": Right foot pain.", a + ": Second metatarsal fracture.", plan + ": Follow-up in two weeks."}, []string{"S92.321A"}, "S92.321D"},
		{"an open fracture", []string{a + ": Open fracture of the second metatarsal of the right foot."}, []string{"S92.321B"}, "S92.321A"},
		{"nonunion", []string{a + ": Nonunion of the second metatarsal fracture of the right foot."}, []string{"S92.321K"}, "S92.321A"},
		{"a list of risks is no nonunion", []string{a + ": Right second metatarsal fracture, risks are nonunion and malunion."}, []string{"S92.321A"}, "S92.321K"},
		{"sequela", []string{a + ": Sequela of the left second metatarsal fracture."}, []string{"S92.322S"}, "S92.322A"},
		{"the usual name of a bone's end", []string{cc + ": Right shoulder pain.", a + ": Proximal humerus fracture."}, []string{"S42.201A"}, "S42.301A"},
		{"and of its shaft", []string{cc + ": Right arm pain.", a + ": Humeral shaft fracture."}, []string{"S42.301A"}, "S42.201A"},
		{"the usual name of a strain", []string{a + ": Acute lumbar strain."}, []string{"S39.012A"}, "S39.012D"},
		{"a torn ligament is a sprain", []string{cc + ": Right knee injury.", a + ": ACL tear."}, []string{"S83.511A"}, "S83.521A"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := r.Retrieve(context.Background(), sectioned(c.parts...), table, Options{})
			if err != nil {
				t.Fatal(err)
			}
			var family []string
			for _, code := range Codes(got) {
				if code[:3] == c.other[:3] {
					family = append(family, code)
				}
			}
			first := slices.Clone(family[:min(len(c.first), len(family))])
			slices.Sort(first)
			if !slices.Equal(first, c.first) {
				t.Errorf("got %v, want %v before %s", family, c.first, c.other)
			}
		})
	}
}

// TestEncounterTitlesAreNotLookedFor checks that the words of a 7th character
// find nothing: the header's title has all that a note says.
func TestEncounterTitlesAreNotLookedFor(t *testing.T) {
	table := familyTable()
	r, err := New(Config{Terms: termsOf(table)})
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.Retrieve(context.Background(), sectioned("assessment: Initial encounter, subsequent encounter for routine healing."), table, Options{})
	if err != nil || len(got) != 0 {
		t.Errorf("got %v, %v", Codes(got), err)
	}
}
