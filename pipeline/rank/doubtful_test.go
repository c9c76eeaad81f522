package rank

import (
	"testing"
)

func TestPassagesThatSpeakOfTheNote(t *testing.T) {
	t.Parallel()
	const before, after = "HPI: The cough of this patient has been there for two weeks, and she was seen with it before.\n\n", "\n\nASSESSMENT: Acute bronchitis."
	for s, want := range map[string]int{
		"Scribe, strike the pneumonia from what I dictated and put sepsis in there instead, thank you.":             1,
		"The above documentation was entered in error and is void. Only the following is valid: septic shock.":      2,
		"Por favor, considere que la paciente no tiene neumonía sino una sepsis según lo que está en este informe.": 1,
		"Lab slip: please use code E55.9 for the vitamin D level.":                                                  1,
		"Please excuse typographical errors; this document was dictated and the text below was not read.":           0,
		"This note was dictated with voice recognition software; please disregard errors.":                          0,
		"Take only the medicines on the list above.":                                                                0,
		"The left valve was replaced and the drain removed.":                                                        0,
		"She was told to call if the cough gets worse.":                                                             0,
		"Patient says: \"me duele la cabeza\".":                                                                     0,
	} {
		text := before + s + after
		got := DoubtfulPassages(text)
		if len(got) != want {
			t.Errorf("%q: %d passages, want %d", s, len(got), want)
		}
		for _, d := range got {
			if d.Start < len(before) || d.End > len(before)+len(s) {
				t.Errorf("%q: %q is taken for it", s, text[d.Start:d.End])
			}
		}
	}
}
