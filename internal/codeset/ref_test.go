package codeset

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func knownCategory(category string) bool { return category != "B12" && category != "T8I" }

func TestNotesNameCodes(t *testing.T) {
	fifth5 := Ref{From: "T36", To: "T50", At: []int{5, 6}, Chars: []string{"5"}}
	tests := []struct {
		text   string
		want   []Ref
		unread bool
	}{
		{text: "tuberculous enteritis (A18.32)", want: []Ref{{From: "A18.32"}}},
		{text: "listeriosis (A32.-)", want: []Ref{{From: "A32"}}},
		{text: "Escherichia coli infection (A04.0-A04.4)", want: []Ref{{From: "A04.0", To: "A04.4"}}},
		{text: "toxic effect of noxious foodstuffs (T61-T62)", want: []Ref{{From: "T61", To: "T62"}}},
		{text: "superficial injuries (S00.- to S09.-)", want: []Ref{{From: "S00", To: "S09"}}},
		{text: "phlebitis (I82.62-. I82.72-)", want: []Ref{{From: "I82.62"}, {From: "I82.72"}}},
		{text: "jaw pain R68.84", want: []Ref{{From: "R68.84"}}},
		{text: "vitamin B12 deficiency anemia (D51.-)", want: []Ref{{From: "D51"}}},
		{text: "tendinitis as classified in M75-M77", want: []Ref{{From: "M75", To: "M77"}}},
		{text: "acquired absence of knee joint (Z89.52-", want: []Ref{{From: "Z89.52"}}},
		{text: "skin of nose C44.301, C44.311, C44.321)", want: []Ref{{From: "C44.301"}, {From: "C44.311"}, {From: "C44.321"}}},
		{text: "code for adverse effect (T36-T50 with fifth or sixth character 5)", want: []Ref{fifth5}},
		{text: "adverse effect (T36-T50) with fifth or sixth character 5 (T51)", want: []Ref{fifth5, {From: "T51"}}},
		{text: "poisoning (T36-T65 with fifth or sixth character 1-4 or 6)", want: []Ref{{From: "T36", To: "T65", At: []int{5, 6}, Chars: []string{"1", "2", "3", "4", "6"}}}},
		{text: "gangrene (E08-E13 with .51-.52)", want: []Ref{{From: "E08", To: "E13", At: []int{4}, Chars: []string{"51", "52"}}}},
		{text: "psychosis (F10-F19 with .151, .251, .951)", want: []Ref{{From: "F10", To: "F19", At: []int{4}, Chars: []string{"151", "251", "951"}}}},
		{text: "psychosis (F11-F19 with .15. .25, .95)", want: []Ref{{From: "F11", To: "F19", At: []int{4}, Chars: []string{"15", "25", "95"}}}},
		{text: "aphasia (I69. with final characters -20)", want: []Ref{{From: "I69", At: []int{0}, Chars: []string{"20"}}}},
		{text: "open fracture (S42.- with 7th character B or C)", want: []Ref{{From: "S42", At: []int{7}, Chars: []string{"B", "C"}}}},
		{text: "open fracture (S32.1--S32.9 with 7th character B)", want: []Ref{{From: "S32.1", To: "S32.9", At: []int{7}, Chars: []string{"B"}}}},
		{text: "whooping cough (A37 with fifth-character 1)", want: []Ref{{From: "A37", At: []int{5}, Chars: []string{"1"}}}},
		{text: "psychosis (F11-F19 with fifth to sixth characters 51)", want: []Ref{{From: "F11", To: "F19", At: []int{5}, Chars: []string{"51"}}}},
		{text: "mononucleosis (B27.0-B27.9 with 1)", want: []Ref{{From: "B27.0", To: "B27.9", At: []int{5}, Chars: []string{"1"}}}},
		{text: "toxic effect (T51-T65 with fifth or sixth character to indicate intent)", want: []Ref{{From: "T51", To: "T65"}}},
		{text: "any condition (A00-R94 and T80-T88.6)", want: []Ref{{From: "A00", To: "R94"}, {From: "T80", To: "T88.6"}}},
		{text: "gout (M1A.-, M10.-)", want: []Ref{{From: "M1A"}, {From: "M10"}}},
		{text: "pneumoconiosis with tuberculosis, any type in A15 (J65)", want: []Ref{{From: "J65"}}},
		{text: "nephritis (with C3 glomerulopathy)"},
		{text: "G6PD deficiency"},
		{text: "sepsis - code to infection"},
		{text: "influenza (J09 with oddities of 5)", want: []Ref{{From: "J09"}}, unread: true},
		{text: "foreign body (T8I.5)", unread: true},
	}
	for _, tt := range tests {
		got, unread := parseRefs(tt.text, knownCategory)
		if diff := cmp.Diff(tt.want, got); diff != "" || unread != tt.unread {
			t.Errorf("%q: unread %v (-want +got):\n%s", tt.text, unread, diff)
		}
	}
}

func TestRefMatches(t *testing.T) {
	tests := []struct {
		text    string
		in, out string // codes divided by blanks
	}{
		{"(A04.7)", "A04.7 A04.71", "A04 A04.8 A047"},
		{"(E11.-)", "E11 E11.9 E11.3211", "E10.9 E12"},
		{"(C76-C80)", "C76 C79.9 C80.1", "C75.9 C7A.00 C7B.1 C81.00"},
		{"(C73-C75)", "C73 C75.9", "C7A.00 C72.9"},
		{"(C00-C96)", "C43.9 C4A.0 C7A.1 C96.9", "B99 D00"},
		{"(M05-M14)", "M05.1 M1A.00X0 M14.8", "M04.1 M15.0"},
		{"(O00-O9A)", "O00.9 O9A.111 O99.89", "P00.0"},
		{"(T36-T50 with fifth or sixth character 5)", "T36.0X5A T39.395D T50.A95A", "T36.0X1A T51.0X5A T36"},
		{"(E08-E13 with .51-.52)", "E11.51 E08.52", "E11.59 E11.9 E14.51"},
		{"(I69. with final characters -20)", "I69.120 I69.920", "I69.121 I68.20"},
		{"(S42.- with 7th character B)", "S42.001B", "S42.001A S42"},
	}
	for _, tt := range tests {
		refs, _ := parseRefs(tt.text, knownCategory)
		if len(refs) != 1 {
			t.Fatalf("%s gives %d sets", tt.text, len(refs))
		}
		for code := range strings.FieldsSeq(tt.in) {
			if !refs[0].Match(code) {
				t.Errorf("%s does not match %s", tt.text, code)
			}
		}
		for code := range strings.FieldsSeq(tt.out) {
			if refs[0].Match(code) {
				t.Errorf("%s matches %s", tt.text, code)
			}
		}
	}
}

func FuzzParseRefs(f *testing.F) {
	for _, s := range []string{"(A00-B99)", "T36-T50 with fifth or sixth character 5", "(E08-E13 with .51-.52, .59)", "I69. with final characters -", "(A00 with .", "S42.- with 7th character B or C, D"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		refs, _ := parseRefs(text, func(string) bool { return true })
		for _, r := range refs {
			if !strings.Contains(text, r.From) {
				t.Errorf("%q is not in the note", r.From)
			}
			if (len(r.At) == 0) != (len(r.Chars) == 0) {
				t.Errorf("half a restriction: %+v", r)
			}
			r.Match("T36.0X5A")
		}
	})
}
