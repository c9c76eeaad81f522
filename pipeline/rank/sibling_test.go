package rank

import (
	"slices"
	"strings"
	"testing"

	"chartcode/internal/coding"
)

// TestTheNoteSaysMoreOfTheCondition: sentences are invented; the first code was
// chosen on the words given, the others are candidates.
func TestTheNoteSaysMoreOfTheCondition(t *testing.T) {
	t.Parallel()
	colon := "C18.9=colon cancer=Malignant neoplasm of colon, unspecified;C18.5=flexure=Malignant neoplasm of splenic flexure;C18.7=sigmoid=Malignant neoplasm of sigmoid colon"
	flutter := "I48.91=atrial fibrillation=Unspecified atrial fibrillation;I48.20=fibrillation=Chronic atrial fibrillation, unspecified"
	ankle := "S93.401A=ankle sprain=Sprain of unspecified ligament of right ankle, initial encounter;S93.601A=foot=Unspecified sprain of right foot, initial encounter"
	laceration := "S91.311A=Laceration=Laceration without foreign body, right foot, initial encounter;S91.321A=foot=Laceration with foreign body, right foot, initial encounter"
	cyst := "N83.209=Ovarian cyst=Unspecified ovarian cyst, unspecified side;N83.201=cyst=Unspecified ovarian cyst, right side;N83.202=cyst=Unspecified ovarian cyst, left side"
	for _, c := range []struct {
		name, text, items string
		deny              string // words that the note denies
		laterality        string // words that name a side
		side              float32
		want              string
	}{
		{name: "the site stands elsewhere", text: "He has colon cancer. The mass lies at the splenic flexure.", items: colon, want: "C18.5"},
		{name: "and is denied", text: "He has colon cancer. No mass at the splenic flexure.", items: colon, deny: "mass at the splenic flexure", want: "C18.9"},
		{name: "and is said of something else", text: "He has colon cancer. The scope passed the splenic flexure.", items: colon, want: "C18.9"},
		{name: "two sites", text: "He has colon cancer. A mass lies at the splenic flexure. Another lesion of the sigmoid.", items: colon, want: "C18.9"},
		{name: "half of the words", text: "He has colon cancer. The mass is near the hepatic flexure.", items: colon, want: "C18.9"},
		{name: "chronic", text: "Flow is slow in atrial fibrillation. Rate control of chronic atrial fibrillation.", items: flutter, want: "I48.20"},
		{name: "something else is chronic", text: "He has atrial fibrillation, edema and chronic cough.", items: flutter, want: "I48.91"},
		{name: "the other is unspecified as well", text: "An ankle sprain. The right foot had a sprain before.", items: ankle, want: "S93.401A"},
		{name: "a side that the note does not say", text: "Breast cancer. Tumor of the upper outer quadrant of the breast.",
			items: "C50.919=Breast cancer=Malignant neoplasm of unspecified site of unspecified female breast;C50.412=quadrant=Malignant neoplasm of upper-outer quadrant of left female breast", side: -1, want: "C50.919"},
		{name: "a side that it says", text: "Left breast cancer. Tumor of the upper outer quadrant of the breast.",
			items: "C50.919=breast cancer=Malignant neoplasm of unspecified site of unspecified female breast;C50.412=quadrant=Malignant neoplasm of upper-outer quadrant of left female breast", side: 1, want: "C50.412"},
		{name: "what it is without is not looked for", text: "Acute appendicitis. The appendix had a gangrenous tip, appendicitis with gangrene.",
			items: "K35.80=Acute appendicitis=Unspecified acute appendicitis;K35.891=gangrene=Other acute appendicitis without perforation, with gangrene", want: "K35.891"},
		{name: "and is either (I.A.14)", text: "A mole. The mole is on the scalp.", items: "D22.9=mole=Melanocytic nevi, unspecified;D22.4=scalp=Melanocytic nevi of scalp and neck", want: "D22.4"},
		{name: "with what it is without", text: "Laceration of the foot. A foreign body was taken from the foot.", items: laceration, want: "S91.321A"},
		{name: "without it", text: "Laceration of the foot. No foreign body in the foot.", items: laceration, deny: "foreign body", want: "S91.311A"},
		{name: "the side is said elsewhere", text: "Ovarian cyst. It was seen on the left.", items: cyst, laterality: "left", want: "N83.202"},
		{name: "both sides are said", text: "Ovarian cyst. Seen on the left, none on the right.", items: cyst, laterality: "left right", want: "N83.209"},
		{name: "displaced unless it is said (I.C.19.c)", text: "Fracture of a foot bone. Fracture of the fifth metatarsal.",
			items: "S92.301A=Fracture=Fracture of unspecified metatarsal bone(s), right foot, initial encounter for closed fracture;S92.351A=fifth=Displaced fracture of fifth metatarsal bone, right foot, initial encounter for closed fracture", side: 1, want: "S92.351A"},
		{name: "in place in other words", text: "Fracture of a foot bone. Fracture of the fifth metatarsal. It is non-displaced.",
			items: "S92.301A=Fracture=Fracture of unspecified metatarsal bone(s), right foot, initial encounter for closed fracture;S92.351A=fifth=Displaced fracture of fifth metatarsal bone, right foot, initial encounter for closed fracture", side: 1, want: "S92.301A"},
		{name: "another bone is in place", text: "Fracture of a foot bone. Fracture of the fifth metatarsal. He walked home. The fibula has an undisplaced fracture.",
			items: "S92.301A=Fracture=Fracture of unspecified metatarsal bone(s), right foot, initial encounter for closed fracture;S92.351A=fifth=Displaced fracture of fifth metatarsal bone, right foot, initial encounter for closed fracture", side: 1, want: "S92.351A"},
		{name: "both, and each", text: "Bilateral keloid of the ear. The right one is large. The left one is small.", laterality: "Bilateral right left",
			items: "H61.112=keloid=Acquired deformity of pinna, left ear;H61.113=ear=Acquired deformity of pinna, bilateral", want: "H61.113"},
		{name: "bilateral is something else", text: "Keloid of the ear, bilateral edema of the legs. The left ear was treated.", laterality: "bilateral left",
			items: "H61.112=Keloid=Acquired deformity of pinna, left ear;H61.113=ear=Acquired deformity of pinna, bilateral", want: "H61.112"},
		{name: "a fracture that has a code", text: "Trimalleolar fracture of the ankle.",
			items: "S82.891A=fracture=Other fracture of right lower leg, initial encounter for closed fracture;S82.851A=Trimalleolar=Displaced trimalleolar fracture of right lower leg, initial encounter for closed fracture", side: 1, want: "S82.851A"},
		{name: "both sides of one", text: "Bilateral keloid of the ear.", laterality: "Bilateral",
			items: "H61.112=keloid=Acquired deformity of pinna, left ear;H61.113=ear=Acquired deformity of pinna, bilateral", want: "H61.113"},
		{name: "one side of both", text: "A right keloid of the ear.", laterality: "right",
			items: "H61.113=keloid=Acquired deformity of pinna, bilateral;H61.111=ear=Acquired deformity of pinna, right ear", want: "H61.111"},
		{name: "one side here, the other there", text: "A right keloid of the ear. A left one.", laterality: "right left",
			items: "H61.113=keloid=Acquired deformity of pinna, bilateral;H61.111=ear=Acquired deformity of pinna, right ear", want: "H61.113"},
		{name: "a sign stays", text: "Headache. The headache is vascular.", items: "R51.9=Headache=Headache, unspecified;R51.0=vascular=Vascular headache", want: "R51.9"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var items, titles []string
			for i, s := range strings.Split(c.items, ";") {
				f := strings.Split(s, "=")
				if i > 0 {
					f[0] = "~" + f[0]
				}
				items, titles = append(items, f[0]+"="+f[1]), append(titles, f[2])
			}
			in, chosen := itemsOf(c.text, strings.Join(items, ";"))
			for i := range in.Candidates {
				in.Candidates[i].Display = titles[i]
				in.Candidates[i].Support.Side = c.side
			}
			in.Candidates[0].Support.Side = 0
			if c.deny != "" {
				at := strings.Index(c.text, c.deny)
				in.Doc.Scopes = []coding.Scope{{Span: coding.Span{Start: at, End: at + len(c.deny)}, Assertion: coding.Negated}}
			}
			for w := range strings.FieldsSeq(c.laterality) {
				at := strings.Index(c.text, w)
				in.Doc.Facts = append(in.Doc.Facts, coding.Fact{Kind: coding.FactLaterality, Word: strings.ToLower(w), Span: coding.Span{Start: at, End: at + len(w)}})
			}
			before := slices.Clone(in.Candidates)
			got, out := sharpen(in, chosen)
			if k := got.Candidates[out[0].Candidate]; len(out) != 1 || k.Code != c.want || out[0].Odds != chosen[0].Odds {
				t.Errorf("got %s with %v, want %s", k.Code, out[0].Odds, c.want)
			}
			if c.want != in.Candidates[0].Code {
				e := billedEvidence(in.Doc, &got.Candidates[out[0].Candidate], out[0].match)
				if len(e) < 2 || !strings.Contains(rationaleOf(&got.Candidates[out[0].Candidate], out[0].match), "guideline") {
					t.Errorf("evidence %+v", e)
				}
			}
			if len(in.Candidates) != len(before) {
				t.Error("the caller's candidates were changed")
			}
		})
	}
}

func TestSideOfTitle(t *testing.T) {
	t.Parallel()
	for title, want := range map[string]string{
		"Cleft palate, unspecified": "", "Acquired deformity of pinna, bilateral": "bilateral", "Keratitis of both eyes": "bilateral", "Keratitis, Left eye": "left", "Pain": "",
	} {
		if got := sideOfTitle(title); got != want {
			t.Errorf("%s: %q, want %q", title, got, want)
		}
	}
}
