package segment

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var draw = flag.Uint64("draw", 0, "seed: print mentions drawn from the notes for labeling, with their surroundings (not to be kept)")

var drawNear = flag.String("drawnear", "", "with -draw: only the mentions near these cues, by name with commas")

// conditions finds what may be mentions: names of conditions with the words
// that often stand before them.
var conditions = regexp.MustCompile(`(?i)\b(?:(?:type (?:1|2|i|ii)|congestive|coronary artery|chronic obstructive|deep ve(?:in|nous)|atrial|ischemic|low(?:er)?|back|chest|abdominal|knee|hip|shoulder|neck|` +
	`breast|lung|colon|prostate|skin|renal|kidney|pulmonary|urinary tract|degenerative|rheumatoid|heart|gastroesophageal|carpal tunnel|wrist|ankle|rib|sleep|iron deficiency) )*` +
	`(?:diabetes|hypertension|hyperlipidemia|asthma|copd|pneumonia|stroke|seizures?|cancer|carcinoma|tumors?|mass|masses|fractures?|fever|chills|pain|headaches?|nausea|vomiting|diarrhea|constipation|` +
	`cough|dyspnea|shortness of breath|edema|swelling|rash|infections?|cellulitis|depression|anxiety|arthritis|osteoarthritis|gout|anemia|syncope|dizziness|numbness|weakness|palpitations|` +
	`failure|disease|fibrillation|infarction|attacks?|thrombosis|embolism|stenosis|hernia|obesity|reflux|gerd|ulcers?|bleeding|hematuria|dysuria|hemorrhage|sinusitis|bronchitis|` +
	`migraines?|hypothyroidism|apnea|sepsis|hepatitis|stones?|cataracts?|glaucoma|dementia|sprain|strain|laceration|injury|tear|effusion|wheezing|murmurs?|jaundice|allergies|tuberculosis|lupus)\b`)

// drawCues are words near a mention that often change what is claimed of it, and
// how many of a hundred mentions are drawn next to each.
var drawCues = []struct {
	name  string
	share int
	near  *regexp.Regexp
}{
	{"negation", 14, regexp.MustCompile(`(?i)\b(?:no|not|denie[sd]|without|negative|ruled out|absent|free of)\b`)},
	{"doubt", 11, regexp.MustCompile(`(?i)\b(?:possibl[ey]|probabl[ey]|likely|suspect\w*|may|might|concern\w*|consistent with|rule out|r/o|versus|vs|questionable|suggest\w*|differential|appears?)\b`)},
	{"past", 11, regexp.MustCompile(`(?i)\b(?:history of|h/o|status post|s/p|prior|previous\w*|ago|resolved|old|former|remote|past)\b`)},
	{"family", 11, regexp.MustCompile(`(?i)\b(?:family|mother|father|brother|sister|siblings?|parents?|aunt|uncle|grand\w+|son|daughter|mom|dad)\b`)},
	{"hypothesis", 14, regexp.MustCompile(`(?i)\b(?:if|risks?|return|prevent\w*|screen\w*|complications?|should|monitor|watch|vaccin\w*|avoid|prn|as needed|educat\w*|worsen\w*|develop\w*)\b`)},
	{"side", 10, regexp.MustCompile(`(?i)\b(?:left|right|bilateral\w*|both)\b`)},
	{"acuity", 9, regexp.MustCompile(`(?i)\b(?:acute|chronic|subacute|recurrent|longstanding)\b`)},
	{"any", 20, regexp.MustCompile(``)},
}

// TestDraw draws mentions for labeling: from each of the two sets of notes a
// hundred (-draw=SEED, reproducible), at most one of a note near each kind of
// cue, none that is labeled already.
func TestDraw(t *testing.T) {
	if *draw == 0 {
		t.Skip("draws mentions only with -draw")
	}
	notes := readNotes(t)
	taken := labeledSpans(t)
	for _, set := range []string{"aci-", "mts-"} {
		var ids []string
		for id := range notes {
			if strings.HasPrefix(id, set) {
				ids = append(ids, id)
			}
		}
		slices.Sort(ids)
		rng := rand.New(rand.NewPCG(*draw, 7))
		used := map[string][][2]int{}
		left := 0
		for _, c := range drawCues {
			rng.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
			if *drawNear != "" && !slices.Contains(strings.Split(*drawNear, ","), c.name) {
				continue
			}
			left += c.share
			for _, id := range ids {
				if left == 0 {
					break
				}
				text := notes[id].Text
				if set == "mts-" && len(used[id]) > 0 {
					continue
				}
				var found [][2]int
				for _, m := range conditions.FindAllStringIndex(text, -1) {
					from := max(0, m[0]-70, strings.LastIndexAny(text[:m[0]], "\n.")+1)
					to := min(len(text), m[1]+40)
					if e := strings.IndexAny(text[m[1]:to], "\n."); e >= 0 {
						to = m[1] + e
					}
					if (c.near.MatchString(text[from:m[0]]) || c.near.MatchString(text[m[1]:to])) && !near(taken[id], m) && !near(used[id], m) {
						found = append(found, [2]int{m[0], m[1]})
					}
				}
				if len(found) == 0 {
					continue
				}
				m := found[rng.IntN(len(found))]
				used[id] = append(used[id], m)
				left--
				printDrawn(id, text, m)
			}
		}
	}
}

// near reports whether m lies within 200 bytes of a span of the list.
func near(list [][2]int, m []int) bool {
	for _, s := range list {
		if m[0] < s[1]+200 && s[0] < m[1]+200 {
			return true
		}
	}
	return false
}

func printDrawn(id, text string, m [2]int) {
	from, to := max(0, m[0]-200), min(len(text), m[1]+110)
	b, _ := json.Marshal(map[string]any{"note": id, "start": m[0], "end": m[1]})
	fmt.Printf("%s\t%s[[%s]]%s\n", b, flat(text[from:m[0]]), text[m[0]:m[1]], flat(text[m[1]:to]))
}

func flat(s string) string { return strings.ReplaceAll(s, "\n", " / ") }
