package rank

import (
	"testing"

	"chartcode/internal/coding"
)

func TestWhatFollowsANameCanTakeItBack(t *testing.T) {
	for after, want := range map[string]bool{
		" vaccine so she feels safer": true, "-19 vaccine": true, " screening today": true, " (vaccination)": true,
		" was diagnosed": false, ". Vaccine given": false, "": false, "s": false, ", screening of others": false,
	} {
		if prevented(after) != want {
			t.Errorf("%q: taken back is %v", after, !want)
		}
	}
}

func TestGenericWordsAlone(t *testing.T) {
	for words, want := range map[string]bool{"old": true, "Syndrome": true, "pain,": true, "gout": false, "chest pain": false, "old infarction": false} {
		if generic(words) != want {
			t.Errorf("%q: generic is %v", words, !want)
		}
	}
}

func TestLooseWords(t *testing.T) {
	for _, c := range []struct {
		words, term string
		want        int
	}{
		{"history of kidney stones", "history of kidney stones", 0},
		{"stones in the left kidney", "Calculus of kidney", 0},
		{"history significant for congestive heart failure, kidney stones", "history of kidney stones", 1},
		{"old female who had previously", "Old previous", 1},
	} {
		if got := looseWords(c.words, c.term); got != c.want {
			t.Errorf("%q for %q: %d, want %d", c.words, c.term, got, c.want)
		}
	}
}

func TestKindsOfCodes(t *testing.T) {
	for _, c := range []struct {
		name string
		is   func(string) bool
		yes  []string
		no   []string
	}{
		{"family history", familyCode, []string{"Z80.3", "Z84.89"}, []string{"Z85.3", "Z79.4", "C50.919"}},
		{"personal history or status", historyCode, []string{"Z85.3", "Z87.891", "Z98.890"}, []string{"Z80.3", "Z79.4", "I10"}},
		{"coded only when confirmed", confirmedOnly, []string{"B20", "U07.1", "J10.1", "A92.5"}, []string{"J18.9", "J11.1", "B97.29"}},
		{"lasting", lasting, []string{"I10", "E11.9", "J44.9", "N18.9", "F32.A"}, []string{"K37", "J18.9", "S52.501A", "C50.919", "I21.9"}},
		{"sign", signLike, []string{"R05.9", "M25.511", "M54.50"}, []string{"M17.11", "I10", "M54.16"}},
		{"reason for a visit", encounterCode, []string{"Z00.00", "Z12.31", "Z23"}, []string{"Z79.4", "Z80.3", "E11.9"}},
		{"may stand first", mayStandFirst, []string{"I10", "R05.9", "S52.501A", "B20"}, []string{"W19.XXXA", "Y93.02", "B96.20"}},
	} {
		for _, code := range c.yes {
			if !c.is(code) {
				t.Errorf("%s is not %s", code, c.name)
			}
		}
		for _, code := range c.no {
			if c.is(code) {
				t.Errorf("%s is %s", code, c.name)
			}
		}
	}
	// Every section kind must have been thought of.
	for _, k := range []coding.SectionKind{
		coding.SectionUnknown, coding.SectionChiefComplaint, coding.SectionHPI, coding.SectionPMH, coding.SectionPSH, coding.SectionFamily, coding.SectionSocial,
		coding.SectionROS, coding.SectionMedications, coding.SectionAllergies, coding.SectionExam, coding.SectionResults, coding.SectionCourse,
		coding.SectionProcedure, coding.SectionIndication, coding.SectionPreopDx, coding.SectionPostopDx, coding.SectionAdmitDx, coding.SectionDischargeDx,
		coding.SectionAssessment, coding.SectionPlan, coding.SectionInstructions, coding.SectionOther,
	} {
		if _, ok := sectionPoints[k]; !ok {
			t.Errorf("section %q has no points", k)
		}
	}
}
